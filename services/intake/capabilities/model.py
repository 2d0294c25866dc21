"""Capabilities model: what may be said of an association when somebody asks who can help. Silence is never a yes."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from shared.events.intake import OperatingStatus

FRESH_FOR = timedelta(hours=24)
"""An answer older than this says what was, not what is."""


class Standing(StrEnum):
    """What is known of an association for one capability in a situation, the best first."""

    OFFERED = "offered"
    OPERATING = "operating"
    OUT_OF_DATE = "out of date"
    NO_ANSWER = "no answer"
    NOT_ASKED = "not asked"
    SUSPENDED = "suspended"


@dataclass(frozen=True)
class Answered:
    """The association's present answer in the situation; `offered` says whether the capability was, and how much."""

    status: OperatingStatus
    at: datetime
    until: datetime | None = None
    offered: bool = False
    amount: int | None = None


@dataclass(frozen=True)
class Person:
    """Who is asked first, with the telephone."""

    name: str
    phone: str
    best_time: str = ""


@dataclass(frozen=True, kw_only=True)
class Able:
    """One line of the answer to "who can do this here": the register's word, and the situation's where one is on."""

    association_id: UUID
    name: str
    municipality: str
    registered: bool
    amount: int | None = None
    note: str = ""
    answered: Answered | None = None
    standing: Standing | None = None
    contact: Person | None = None

    @property
    def known_amount(self) -> int | None:
        """How much: what was offered now, else what the register knows."""
        if self.answered is not None and self.answered.offered and self.answered.amount is not None:
            return self.answered.amount
        return self.amount


def standing(answered: Answered | None, *, asked: bool, now: datetime) -> Standing:
    """What the answer is worth now. Whoever said that it is suspended cannot, whatever the register knows.

    An answer is out of date when it is older than FRESH_FOR, or when the time has passed until which it was to hold.
    """
    if answered is None:
        return Standing.NO_ANSWER if asked else Standing.NOT_ASKED
    if now - answered.at > FRESH_FOR or (answered.until is not None and answered.until < now):
        return Standing.OUT_OF_DATE
    if answered.status is OperatingStatus.SUSPENDED:
        return Standing.SUSPENDED
    return Standing.OFFERED if answered.offered else Standing.OPERATING


def enough(able: Able, least: int) -> bool:
    """True if so many are known of; where nobody counted, one is certain and no more."""
    return (able.known_amount or 1) >= least


def order(able: Able) -> tuple[int, int, str]:
    """Sorts those who can help now first, then by how much they have."""
    rank = list(Standing).index(able.standing) if able.standing else 0
    return rank, -(able.known_amount or 0), able.name.casefold()
