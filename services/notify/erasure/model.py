"""Model of the erasure: what is erased with a subscription, and what with a person; and what is left to tell."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from services.notify.delivery.model import Kind

SETTLED_AFTER = timedelta(seconds=30)
"""A broadcast that was being planned at the very moment of an erasure has been written down by then."""


class Scope(StrEnum):
    """How far an erasure goes.

    SUBSCRIPTION: what she has as a subscriber; letters to her as the contact of an association stand on a ground of
    their own and still go out. PERSON: every letter to her address that waits, and all else that holds it.
    """

    SUBSCRIPTION = "subscription"
    PERSON = "person"


OF_A_SUBSCRIPTION = frozenset({Kind.CONFIRM, Kind.GUIDANCE})
"""The letters that somebody gets as a subscriber."""


@dataclass(frozen=True)
class Erased:
    """What an erasure removed, by numbers: it can be shown and logged, since it names nobody.

    `on_their_way` are letters that are being sent this very moment, and cannot be called back.
    """

    subscribers: int = 0
    letters: int = 0
    on_their_way: int = 0
    returned: int = 0
    rosters: int = 0
    dead_letters: int = 0
    files: int = 0

    @property
    def anything(self) -> bool:
        """True if there was something to erase."""
        return any(asdict(self).values())


@dataclass(frozen=True)
class HeldLetter:
    """A letter to her: which kind, since when, and what became of it."""

    kind: str
    realm: str
    written_at: datetime
    state: str
    settled_at: datetime | None


@dataclass(frozen=True)
class Held:
    """All that notify holds of one person, in words that a file can carry (GDPR, article 15)."""

    address: str
    name: str = ""
    language: str = ""
    state: str = ""
    basis: str = ""
    stated_basis: str = ""
    consent_version: str = ""
    consent_hash: str = ""
    asked_at: datetime | None = None
    confirmed_at: datetime | None = None
    left_at: datetime | None = None
    follows: tuple[tuple[str, str], ...] = ()
    letters: tuple[HeldLetter, ...] = ()
    rosters: tuple[str, ...] = ()
    erased_before: bool = False

    @property
    def known(self) -> bool:
        """True if we hold anything of her but the keyed hash."""
        return bool(self.state or self.letters or self.rosters)

    def told(self) -> dict[str, Any]:
        """The same, to be written as JSON."""
        return asdict(self)
