"""Model: letters and their recipients, the gate, and the rules of sending. Pure: time is passed in."""

import re
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
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

    checkin   shared situation.<locale>, closes_at (ISO 8601), replies (absent: the letter says nothing of answering by
              mail); personal association, link, reply (may be absent), and earlier (may be absent: a line of its own,
              on whoever was asked before)
    reminder  as checkin, without earlier; shared number (from 1) and last ("yes", or empty)
    reply_recorded  shared outcome (normal, limited or suspended: it is recorded; waiting: a person reads it; late: the
              round was closed); personal association, link, reply (may be absent)
    sign_in   personal name, link
    details   personal association, link
    sign_up   shared name.<locale>, purpose (`known`: to one who takes part already; `moved`, `cancelled`: what became
              of the exercise), closes_at; personal link
    exercise_started, exercise_ended  shared name.<locale>; of the end also aborted ("yes", or empty)
    confirm   shared purpose (may be absent; `preferences`: to one who is confirmed already); personal link
    guidance  shared headline.<locale>, text.<locale> (plain), html.<locale> (cleaned), areas.<locale> (names, may be
              empty: the whole region), page (address of the guidance on the public page, may be absent); in a
              correction change (update or cancel), note.<locale> and first, the id of the letter that it corrects;
              trial (may be absent: a letter that somebody sends to herself before the release); the links by which
              a recipient leaves are made from recipient_id, the subscriber's id

    inject    shared text.<locale>, sender.<locale>: a message of an exercise to those who take part in it

    Every `link` and `page` must begin with the installation's public address. `reply` is the key of the address to
    which the letter can be answered.
    """

    CHECKIN = "checkin"
    REMINDER = "reminder"
    REPLY_RECORDED = "reply_recorded"
    SIGN_IN = "sign_in"
    CONFIRM = "confirm"
    GUIDANCE = "guidance"
    DETAILS = "details"
    SIGN_UP = "sign_up"
    EXERCISE_STARTED = "exercise_started"
    EXERCISE_ENDED = "exercise_ended"
    INJECT = "inject"


WISHABLE = frozenset({Kind.CHECKIN, Kind.REMINDER, Kind.REPLY_RECORDED, Kind.SIGN_IN, Kind.DETAILS, Kind.SIGN_UP})
"""What a message on the bus may ask for. It is never authority for guidance."""

REPORTED = frozenset({Kind.CHECKIN, Kind.REMINDER, Kind.DETAILS})
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

    WAITING gives it back, unchanged but for `due_at` if there is one. DEFERRED needs it. `ambiguous` says that the
    relay may have it already, `spent` that this counts as an attempt.
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


def known(realm: str) -> bool:
    """True if this is how a realm is written."""
    return re.fullmatch(REALM_PATTERN, realm) is not None


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
    if realm is None or not known(realm):
        return Verdict(permitted=False, reason="realm is not known")
    if not address.isascii():
        return Verdict(permitted=False, reason="address cannot be compared with the roster")
    if (realm, address_key(address)) not in roster:
        return Verdict(permitted=False, reason="address is not on the exercise's roster")
    return Verdict(permitted=True)


class Stage(StrEnum):
    """How far a letter had come on its way into the relay."""

    CONNECT = "connect"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    BODY = "body"


@dataclass(frozen=True)
class Fault:
    """Why the relay did not take a letter.

    `permanent`: this recipient will never get it. `ambiguous`: the relay may have it. `relay`: the fault is the
    relay's and says nothing of the letter. `hard`: counts towards the pause of the lane.
    """

    reason: str
    permanent: bool = False
    ambiguous: bool = False
    relay: bool = False
    hard: bool = False


def refusal(stage: Stage, code: int, text: str) -> Fault:
    """What an SMTP reply means (RFC 5321, RFC 3463). The reason keeps the codes, and no text: that quotes addresses.

    421, and whatever is refused before the recipient is named, is the relay's fault. A full mailbox (552, 5.2.2)
    passes. A policy (5.7.x) is tried again and counts as hard: it may be ours to mend. Other 5xx are permanent. What is
    no refusal at all leaves open what happened.
    """
    found = re.match(r"[245]\.\d{1,3}\.\d{1,3}\b", text)
    enhanced = found.group() if found else ""
    reason = " ".join(part for part in (str(code), enhanced, f"at {stage}") if part)
    if not 400 <= code <= 599:
        return Fault(reason, relay=True, ambiguous=stage is Stage.BODY)
    if code in {421, 530, 535}:
        return Fault(reason, relay=True)
    if stage is Stage.CONNECT or (stage is Stage.MAIL and code >= 500):
        return Fault(reason, relay=True)
    if code < 500 or code == 552 or enhanced == "5.2.2":
        return Fault(reason)
    if enhanced.startswith("5.7."):
        return Fault(reason, hard=True)
    return Fault(reason, permanent=True, hard=True)


def interrupted(stage: Stage, why: str) -> Fault:
    """What a lost connection or a silence means: after the body was begun the relay may have the letter."""
    return Fault(f"{why} at {stage}", relay=True, ambiguous=stage is Stage.BODY)


DOMAIN_FULL = "its domain is given no more at a time"
RELAY_WAIT = timedelta(seconds=30)
AMBIGUOUS_WAIT = timedelta(minutes=5)
RETRIES = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 10, 20, 40))


def backoff(attempts: int, jitter: float) -> timedelta:
    """How long to wait after so many attempts and one more: 1, 5, 10, 20, 40 minutes, then an hour.

    `jitter` is 0 to 1. The hour varies by 20 % both ways; a step never comes earlier than it says (greylisting).
    """
    if attempts < len(RETRIES):
        return RETRIES[attempts] * (1 + 0.2 * jitter)
    return timedelta(hours=1) * (0.8 + 0.4 * jitter)


def sent(delivery: Claimed, letter: Letter, *, at: datetime) -> Outcome:
    """The relay took it (250)."""
    return Outcome(delivery, letter.kind, state=State.SENT, at=at)


def refused(delivery: Claimed, letter: Letter, *, at: datetime, reason: str) -> Outcome:
    """The gate did not let it pass."""
    return Outcome(delivery, letter.kind, state=State.REFUSED, at=at, reason=reason, spent=False)


def unwritable(delivery: Claimed, letter: Letter, *, at: datetime, reason: str) -> Outcome:
    """The copy cannot be written, or not be addressed."""
    return Outcome(delivery, letter.kind, state=State.FAILED, at=at, reason=reason, spent=False)


def given_back(delivery: Claimed, letter: Letter, *, at: datetime) -> Outcome:
    """It was not tried."""
    return Outcome(delivery, letter.kind, state=State.WAITING, at=at, spent=False)


def put_off(delivery: Claimed, letter: Letter, *, at: datetime, due_at: datetime) -> Outcome:
    """It was not tried: its domain is given no more just now. It waits until `due_at`, or its end if that is sooner."""
    due_at = min(due_at, letter.not_after)
    return Outcome(delivery, letter.kind, state=State.WAITING, at=at, reason=DOMAIN_FULL, due_at=due_at, spent=False)


def too_late(delivery: Claimed, letter: Letter, *, at: datetime) -> Outcome:
    """Its time has passed: `expired`, or `unknown` where the relay may have taken an earlier copy."""
    state = State.UNKNOWN if delivery.ambiguous else State.EXPIRED
    return Outcome(delivery, letter.kind, state=state, at=at, reason="not sent in time", spent=False)


def after(fault: Fault, delivery: Claimed, *, letter: Letter, at: datetime, jitter: float) -> Outcome:
    """What becomes of a delivery after a fault. Nothing is put off beyond `not_after`: there it ends."""
    if fault.permanent:
        return Outcome(delivery, letter.kind, state=State.FAILED, at=at, reason=fault.reason)
    if fault.ambiguous and delivery.ambiguous >= AMBIGUOUS_LIMIT:
        return Outcome(delivery, letter.kind, state=State.UNKNOWN, at=at, reason=fault.reason)
    wait = AMBIGUOUS_WAIT if fault.ambiguous else RELAY_WAIT if fault.relay else backoff(delivery.attempts, jitter)
    return Outcome(
        delivery,
        letter.kind,
        state=State.DEFERRED,
        at=at,
        reason=fault.reason,
        due_at=min(at + wait, letter.not_after),
        ambiguous=fault.ambiguous,
        spent=fault.ambiguous or not fault.relay,
    )


OPEN_AFTER = 5
SHORTEST_OPEN, LONGEST_OPEN = timedelta(seconds=30), timedelta(minutes=5)


@dataclass(frozen=True)
class Breaker:
    """Leaves a relay alone that does not work: after OPEN_AFTER faults in a row, for 30 s, doubling to 5 min."""

    faults: int = 0
    pause: timedelta = SHORTEST_OPEN
    open_until: datetime | None = None
    tries: bool = False

    def closed(self, now: datetime) -> bool:
        """True if letters may be tried; when a pause has ended that is one, by `probing`."""
        return self.open_until is None or now >= self.open_until

    @property
    def half_open(self) -> bool:
        """True from the first opening until a letter went through."""
        return self.open_until is not None

    def probing(self, now: datetime) -> "Breaker":
        """One letter is being tried; nobody else tries until that is known, or the pause has passed once more."""
        return replace(self, open_until=now + self.pause, tries=True)

    def not_tried(self, now: datetime) -> "Breaker":
        """The probe never came to the relay: another may go at once."""
        return replace(self, open_until=now, tries=False) if self.tries else self

    def failed(self, now: datetime) -> "Breaker":
        """The relay did not work. Letters that were under way when it was opened change nothing more."""
        if self.tries:
            longer = min(self.pause * 2, LONGEST_OPEN)
            return replace(self, faults=self.faults + 1, pause=longer, open_until=now + longer, tries=False)
        if self.half_open or self.faults + 1 < OPEN_AFTER:
            return replace(self, faults=self.faults + 1)
        return replace(self, faults=self.faults + 1, open_until=now + self.pause)

    def worked(self) -> "Breaker":
        """The relay answered as it should, whatever it thought of the letter."""
        return Breaker()


LOOKED_AT = 200
TOO_MANY_HARD = LOOKED_AT // 20


def should_pause(hard: Sequence[bool]) -> bool:
    """True if more than 5 % of the last LOOKED_AT letters failed hard; `hard` is at most the last LOOKED_AT."""
    return sum(hard) > TOO_MANY_HARD
