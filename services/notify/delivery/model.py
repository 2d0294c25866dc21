"""Model: letters and their recipients, the gate, and the rules of sending. Pure: time is passed in."""

import re
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from shared.realm import LIVE, REALM_PATTERN, Realm


class Lane(StrEnum):
    """Urgent letters have their own connections and never wait behind bulk ones."""

    URGENT = "urgent"
    BULK = "bulk"


class Kind(StrEnum):
    """Which letter it is: a folder of `services/notify/letters/`.

    The names that its texts use, `personal` ones in each recipient, all others in the letter's `shared` (there
    `name.fi`, `name.sv`, `name.fi@selko`, `name.en` give a text per language; Finnish stands in for a missing one):

    checkin   shared situation.<locale>, closes_at (ISO 8601); personal association, link
    sign_in   personal name, link
    confirm   shared purpose (may be absent; `preferences`: to one who is confirmed already); personal link
    guidance  shared headline.<locale>, text.<locale> (plain), html.<locale> (cleaned), areas.<locale> (names, may be
              empty: the whole region), page (address of the guidance on the public page, may be absent); the links by
              which a recipient leaves are made from recipient_id, the subscriber's id

    Every `link` and `page` must begin with the installation's public address.
    """

    CHECKIN = "checkin"
    SIGN_IN = "sign_in"
    CONFIRM = "confirm"
    GUIDANCE = "guidance"


WISHABLE = frozenset({Kind.CHECKIN, Kind.SIGN_IN})
"""What a message on the bus may ask for. It is never authority for guidance."""

REPORTED = frozenset({Kind.CHECKIN})
"""Letters whose end is told to others, one event each."""


AMBIGUOUS_LIMIT = 2
"""How often a letter is sent again that the relay may have taken already; after that it is `unknown`."""


class State(StrEnum):
    """Where a delivery stands. Only `waiting`, `claimed` and `deferred` can still change."""

    WAITING = "waiting"
    CLAIMED = "claimed"
    DEFERRED = "deferred"
    SENT = "sent"
    FAILED = "failed"
    REFUSED = "refused"
    EXPIRED = "expired"
    UNKNOWN = "unknown"

    @property
    def final(self) -> bool:
        """True if nothing more will happen to it."""
        return self not in {State.WAITING, State.CLAIMED, State.DEFERRED}


@dataclass(frozen=True)
class Letter:
    """What all recipients of a letter share. (realm, letter_id) is written once and never changes.

    `created_at` is when it was written; the ledger sets it.
    """

    realm: Realm
    letter_id: UUID
    kind: Kind
    lane: Lane
    not_after: datetime
    shared: Mapping[str, str] = field(default_factory=dict)
    created_at: datetime | None = None


@dataclass(frozen=True)
class Recipient:
    """One for whom a letter is. `recipient_id` is the person's id where the person is known."""

    recipient_id: UUID
    address: str
    locale: str
    personal: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Claimed:
    """One delivery that this worker, and no other, may send until its lease ends."""

    id: int
    claim: str
    realm: str
    letter_id: UUID
    recipient: Recipient
    attempts: int
    ambiguous: int


@dataclass(frozen=True)
class Outcome:
    """What became of a claimed delivery; `reason` can be read afterwards and names no person.

    WAITING gives it back unchanged. DEFERRED needs `due_at`; `ambiguous` says that the relay may have it already,
    `spent` that this counts as an attempt.
    """

    delivery: Claimed
    kind: Kind
    state: State
    at: datetime
    reason: str = ""
    due_at: datetime | None = None
    ambiguous: bool = False
    spent: bool = True


@dataclass(frozen=True)
class Counts:
    """How many deliveries of one letter stand where."""

    waiting: int = 0
    claimed: int = 0
    deferred: int = 0
    sent: int = 0
    failed: int = 0
    refused: int = 0
    expired: int = 0
    unknown: int = 0

    @property
    def total(self) -> int:
        """All recipients."""
        return self.open + self.sent + self.not_sent

    @property
    def open(self) -> int:
        """Those for whom something can still happen."""
        return self.waiting + self.claimed + self.deferred

    @property
    def not_sent(self) -> int:
        """Those who will not get it, or of whom nobody knows."""
        return self.failed + self.refused + self.expired + self.unknown


@dataclass(frozen=True)
class Verdict:
    """Whether a letter may go out, and if not, why."""

    permitted: bool
    reason: str = ""


def address_key(address: str) -> str:
    """The form in which two addresses are compared."""
    return address.strip().casefold()


def permit(realm: str | None, address: str, roster: Set[tuple[str, str]]) -> Verdict:
    """The gate: every letter passes it on its way to SMTP, when it is sent.

    `live` passes. In an exercise only an address passes that stands on that very exercise's roster, which holds
    (realm, address_key) pairs. Any other realm is refused. An address outside ASCII is refused in an exercise: two
    different ones may have the same key.
    """
    if realm == LIVE:
        return Verdict(permitted=True)
    if realm is None or not re.fullmatch(REALM_PATTERN, realm):
        return Verdict(permitted=False, reason="realm is not known")
    if not address.isascii():
        return Verdict(permitted=False, reason="address cannot be compared with the roster")
    if (realm, address_key(address)) not in roster:
        return Verdict(permitted=False, reason="address is not on the exercise's roster")
    return Verdict(permitted=True)
