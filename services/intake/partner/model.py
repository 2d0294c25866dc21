"""Partner model: what a key permits, for how long, and how it is written."""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID, uuid5

from shared.identity import Sight

KEY_MARK = "valmius"
"""How every key begins, so that one which leaked into a repository or a log is found."""

PREFIX_LENGTH = 8
LONGEST_VALID = timedelta(days=731)


class Scope(StrEnum):
    """What a key permits."""

    REGISTRY_READ = "registry:read"
    CONTACTS_READ = "contacts:read"
    CHECKIN_WRITE = "checkin:write"


class KeyState(StrEnum):
    """What has become of a key."""

    GOOD = "good"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True)
class KeyEntry:
    """A key as an administrator asks for it; `municipalities` and `networks` limit what it sees, both empty: all."""

    name: str
    scopes: frozenset[Scope]
    expires_at: datetime
    municipalities: frozenset[str] = frozenset()
    networks: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Key:
    """A key as it is kept: everything but its secret."""

    key_id: UUID
    prefix: str
    entry: KeyEntry
    made_at: datetime
    revoked_at: datetime | None = None
    last_used_on: date | None = None

    def state(self, now: datetime) -> KeyState:
        """Whether it opens anything now."""
        if self.revoked_at is not None:
            return KeyState.REVOKED
        return KeyState.GOOD if now < self.entry.expires_at else KeyState.EXPIRED


@dataclass(frozen=True)
class Partner:
    """Who asks, by which key."""

    key_id: UUID
    name: str
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


def form_id(key_id: UUID, idempotency_key: str) -> UUID:
    """The same for the same key of the same partner, so that what is sent again is known again."""
    return uuid5(key_id, idempotency_key)


def scopes_of(words: Iterable[str]) -> frozenset[Scope]:
    """The scopes among these words."""
    return frozenset(Scope(word) for word in words if word in Scope._value2member_map_)
