"""Model: offers and needs by capability, and which offer is near enough to answer which need."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum
from uuid import UUID

from shared import region
from shared.events.intake import CheckInReceived
from shared.i18n import N_

PROPOSED = 3
"""Offers shown beside a need, the nearest first."""


class Side(StrEnum):
    """Whether something is offered or needed."""

    OFFER = "offer"
    NEED = "need"


class Course(StrEnum):
    """How far an offer or a need has come. What is closed leaves the list."""

    OPEN = "open"
    AGREED = "agreed"
    CLOSED = "closed"


COURSE_NAMES = {Course.OPEN: N_("Open"), Course.AGREED: N_("Agreed"), Course.CLOSED: N_("Closed")}


class Nearness(IntEnum):
    """How near an offer is to a need, nearest first."""

    SAME_MUNICIPALITY = 0
    SAME_SUB_REGION = 1
    FURTHER = 2


NEARNESS_NAMES = {
    Nearness.SAME_MUNICIPALITY: N_("same municipality"),
    Nearness.SAME_SUB_REGION: N_("same sub-region"),
    Nearness.FURTHER: N_("further away"),
}


@dataclass(frozen=True)
class Aid:
    """One association's offer or need of one capability. `amount` is None where nobody said how much."""

    association_id: UUID
    name: str
    municipality: str
    side: Side
    capability: str
    amount: int | None
    reported_at: datetime
    until: datetime | None
    fresh: bool
    course: Course = Course.OPEN


@dataclass(frozen=True)
class Proposal:
    """An offer that might answer a need. Nobody is promised anything: people agree by telephone."""

    offer: Aid
    nearness: Nearness

    def enough(self, need: Aid) -> bool:
        """True if the offer covers the need by amount, as far as both are known."""
        return self.offer.amount is None or need.amount is None or self.offer.amount >= need.amount


@dataclass(frozen=True)
class Matched:
    """A need and the offers proposed for it, best first."""

    need: Aid
    proposals: Sequence[Proposal]


def told(checkin: CheckInReceived) -> dict[tuple[Side, str], int | None]:
    """What a check-in offers and needs, by capability; of two amounts for one, the larger."""
    found: dict[tuple[Side, str], int | None] = {}
    for side, amounts in ((Side.OFFER, checkin.offers), (Side.NEED, checkin.needs)):
        for one in amounts:
            known = found.get((side, one.capability))
            found[side, one.capability] = max(filter(None, (known, one.amount)), default=None)
    return found


def match(needs: Iterable[Aid], offers: Sequence[Aid]) -> list[Matched]:
    """Each need with the PROPOSED best open and fresh offers of the same capability by others.

    What covers the amount comes before what does not, the nearer before the further, the newer before the older.
    """
    by_capability: dict[str, list[Aid]] = {}
    for offer in offers:
        if offer.course is Course.OPEN and offer.fresh:
            by_capability.setdefault(offer.capability, []).append(offer)
    return [Matched(need, _proposals(need, by_capability.get(need.capability, []))) for need in needs]


def _proposals(need: Aid, offers: Iterable[Aid]) -> list[Proposal]:
    if need.course is not Course.OPEN:
        return []
    proposals = [
        Proposal(offer, nearness(need.municipality, offer.municipality))
        for offer in offers
        if offer.association_id != need.association_id
    ]
    proposals.sort(key=lambda one: (not one.enough(need), one.nearness, -one.offer.reported_at.timestamp()))
    return proposals[:PROPOSED]


def nearness(one: str, other: str) -> Nearness:
    """How near two municipalities are; one outside the region is further away than its namesake only."""
    if one == other:
        return Nearness.SAME_MUNICIPALITY
    of = {code: area.code for area in region.SUB_REGIONS for code in area.municipalities}
    if one in of and of.get(one) == of.get(other):
        return Nearness.SAME_SUB_REGION
    return Nearness.FURTHER
