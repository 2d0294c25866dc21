"""History model: how an answer came, and which answers contradict each other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from uuid import UUID

from services.intake.checkin.model import CheckIn
from shared.events.intake import Channel
from shared.i18n import N_

AT_ONCE = timedelta(seconds=60)
"""Two answers that differ within this time come from two people who do not know of each other."""


@dataclass(frozen=True)
class Past:
    """An answer of the past, and the situation in which it was given, `names` by locale. Who gave it and who
    entered it, of the staff or with a partner's key, are named for the staff alone; empty where nobody is known."""

    checkin: CheckIn
    round_id: UUID
    names: Mapping[str, str] = field(default_factory=dict)
    contact: str = ""
    clerk: str = ""


def contradicting(answers: Sequence[Past]) -> frozenset[UUID]:
    """The ids of those that say another status than the one before or after them in the same round, within a minute.

    The answers come in the order of time, newest or oldest first.
    """
    rounds: dict[UUID, list[CheckIn]] = {}
    for one in answers:
        rounds.setdefault(one.round_id, []).append(one.checkin)
    return frozenset(
        checkin.checkin_id
        for of_round in rounds.values()
        for pair in pairwise(of_round)
        if _contradict(*pair)
        for checkin in pair
    )


def _contradict(one: CheckIn, other: CheckIn) -> bool:
    return one.said.status is not other.said.status and abs(one.reported_at - other.reported_at) <= AT_ONCE


def way(checkin: CheckIn, reader: UUID | None) -> str:
    """How an answer came, told to a contact of the association. Its other contacts are not named: a link may have been
    passed on, and who answers for an association is for the association to tell."""
    match checkin.channel:
        case Channel.EMAIL:
            return N_("By email")
        case Channel.PHONE:
            return N_("By phone")
        case Channel.PAPER:
            return N_("On paper")
        case Channel.API:
            return N_("From the system of a partner")
        case Channel.LINK:
            return _link(checkin, reader)


def _link(checkin: CheckIn, reader: UUID | None) -> str:
    if checkin.contact_id is None:
        return N_("By the link on paper")
    return N_("By this link") if checkin.contact_id == reader else N_("By the link of another contact")
