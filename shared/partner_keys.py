"""Partner keys: what a partner system's key permits, and how it is written. Every service knows them alike."""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from shared.identity import Sight

KEY_MARK = "valmius"
"""How every key begins, so that one which leaked into a repository or a log is found."""

PREFIX_LENGTH = 8


class Scope(StrEnum):
    """What a key permits."""

    REGISTRY_READ = "registry:read"
    CONTACTS_READ = "contacts:read"
    CHECKIN_WRITE = "checkin:write"
    PICTURE_READ = "picture:read"


@dataclass(frozen=True)
class Partner:
    """Who asks, by which key."""

    key_id: UUID
    scopes: frozenset[Scope]
    sight: Sight


def written(prefix: str, secret: str) -> str:
    """The key as its holder writes it."""
    return f"{KEY_MARK}_{prefix}_{secret}"


def prefix_of(key: str) -> str | None:
    """The part by which a written key is found; None if this is no key of ours."""
    mark, _, rest = key.partition("_")
    prefix, _, secret = rest.partition("_")
    return prefix if mark == KEY_MARK and len(prefix) == PREFIX_LENGTH and len(secret) == 43 else None


def opens(key_hash: bytes, given_hash: bytes) -> bool:
    """True if the given key is the one whose hash is kept; takes as long either way."""
    return hmac.compare_digest(key_hash, given_hash)


def scopes_of(words: Iterable[str]) -> frozenset[Scope]:
    """The scopes among these words."""
    return frozenset(Scope(word) for word in words if word in Scope._value2member_map_)
