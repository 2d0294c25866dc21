"""Invitation model: who is asked first, who next, and with which letter."""

import hmac
from base64 import b32encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid5

from shared.events.intake import SIMULATED_PER_EVENT, AssociationNotReached, SimulatedAsked, SimulatedLink
from shared.events.notify import LetterRequested
from shared.quiet_hours import quiet
from shared.realm import Realm

NO_ADDRESS = "no address"
NOT_DELIVERED = "no letter could be delivered"
LETTER_LANGUAGES = ("fi", "sv", "en")


class InvitationState(StrEnum):
    """What has become of asking an association."""

    ASKED = "asked"
    SILENT = "silent"
    """Asked, and nobody is left to ask: it stays on the call list."""
    UNDELIVERABLE = "undeliverable"


class LetterState(StrEnum):
    """What is known of the letter to the contact who was asked last."""

    NONE = "none"
    REQUESTED = "requested"
    FAILED = "failed"


@dataclass(frozen=True)
class AskedRound:
    """The round in which associations are asked; `names` of its situation by locale."""

    round_id: UUID
    situation_id: UUID
    realm: Realm
    names: dict[str, str]
    closes_at: datetime
    closed_at: datetime | None = None
    urgent: bool = False

    def open(self, now: datetime) -> bool:
        """True while answers are taken."""
        return self.closed_at is None and now < self.closes_at


def may_turn(asked: AskedRound, now: datetime) -> bool:
    """True if the next contact may be asked now because the one before is silent."""
    return asked.open(now) and (asked.urgent or not quiet(now))


@dataclass(frozen=True)
class Candidate:
    """A contact who can be written to."""

    contact_id: UUID
    position: int
    address: str
    language: str


@dataclass(frozen=True)
class Tried:
    """A letter to a contact of an association in a round: the how manyeth it was, when it was wished for, and whether
    it is known to have failed. `name` is empty where it is not known, or the contact is not in the register now."""

    turn: int
    name: str
    asked_at: datetime | None
    failed_at: datetime | None = None
    contact_id: UUID | None = None


def next_to_ask(candidates: Sequence[Candidate], tried: Sequence[Tried] = ()) -> Candidate | None:
    """The first contact who can be written to and was not: whatever their order is now, nobody is asked twice."""
    asked = {one.contact_id for one in tried}
    others = (candidate for candidate in candidates if candidate.contact_id not in asked)
    return min(others, key=lambda candidate: candidate.position, default=None)


def standing_without_next(letters: Sequence[Tried]) -> InvitationState:
    """How an invitation stands when nobody is left to ask: not reached only if no letter may have arrived."""
    arrived = any(letter.failed_at is None for letter in letters)
    return InvitationState.SILENT if arrived else InvitationState.UNDELIVERABLE


def recipient_of(invitation_id: UUID, turn: int) -> UUID:
    """Whom a letter of this invitation is for: the contact who is asked first, second and so on, whatever places they
    have in the register. Each is another recipient, since a letter goes to one once."""
    return invitation_id if turn == 1 else uuid5(invitation_id, f"contact {turn}")


@dataclass(frozen=True)
class Invited:
    """One association asked in a round."""

    invitation_id: UUID
    association_id: UUID
    association_name: str


def reply_key(token: str) -> str:
    """What stands in the address to which the letter with this link can be answered: 160 bits, derived from the
    link's token one way, as 32 characters that survive mail programs which change the case of addresses."""
    return b32encode(hmac.digest(token.encode(), b"reply address", "sha256")[:20]).decode().lower()


@dataclass(frozen=True)
class Doors:
    """The two ways by which one letter can be answered: its link, and the key of the address that takes replies."""

    link: str
    reply: str


def letter(
    asked: AskedRound,
    invited: Invited,
    candidate: Candidate,
    *,
    doors: Doors,
    now: datetime,
    turn: int = 1,
    earlier: str = "",
) -> LetterRequested:
    """The wish for the letter that asks this contact, the how manyeth by `turn`; `earlier` is the line that says who
    was asked before."""
    fallback = next(iter(asked.names.values()), "")
    names = {
        f"situation.{language}": asked.names.get(language) or asked.names.get("fi") or fallback
        for language in LETTER_LANGUAGES
    }
    return LetterRequested(
        happened_at=now,
        realm=asked.realm,
        letter_id=asked.round_id,
        recipient_id=recipient_of(invited.invitation_id, turn),
        kind="checkin",
        address=candidate.address,
        locale=candidate.language,
        not_after=asked.closes_at,
        shared={**names, "closes_at": asked.closes_at.isoformat(), "replies": "yes"},
        personal={
            "association": invited.association_name,
            "link": doors.link,
            "reply": doors.reply,
            **({"earlier": earlier} if earlier else {}),
        },
    )


def not_reached(asked: AskedRound, association_id: UUID, *, reason: str, now: datetime) -> AssociationNotReached:
    """The task for the one who calls."""
    return AssociationNotReached(
        happened_at=now,
        realm=asked.realm,
        association_id=association_id,
        situation_id=asked.situation_id,
        round_id=asked.round_id,
        reason=reason,
    )


def simulated_asked(
    asked: AskedRound, links: Sequence[SimulatedLink], *, turn: int, now: datetime
) -> list[SimulatedAsked]:
    """What tells the exercise for whom it answers, SIMULATED_PER_EVENT at a time. Raises ValueError in the live realm:
    there nobody is simulated."""
    if asked.realm.live:
        raise ValueError("nobody is simulated in the live realm")
    return [
        SimulatedAsked(
            happened_at=now,
            realm=asked.realm,
            situation_id=asked.situation_id,
            round_id=asked.round_id,
            turn=turn,
            asked=tuple(links[at : at + SIMULATED_PER_EVENT]),
        )
        for at in range(0, len(links), SIMULATED_PER_EVENT)
    ]
