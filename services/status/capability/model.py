"""Model: who can do something now, and of whom that is not known."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.status.readiness.model import State

OPERATES = frozenset({State.NORMAL, State.LIMITED})


class Answer(StrEnum):
    """What may be said to the question whether an association can do it now."""

    CAN = "can"
    CANNOT = "cannot"
    NOT_KNOWN = "not known"


@dataclass(frozen=True)
class Able:
    """An association that can do something, by the register (`registered`) or by what it offers (`offered`)."""

    association_id: UUID
    name: str
    municipality: str
    state: State
    reported_at: datetime | None
    until: datetime | None
    registered: bool
    offered: bool
    amount: int | None
    networks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ability:
    """How many can, cannot, and of how many it is not known, of all that have the capability."""

    can: int
    cannot: int
    not_known: int

    @property
    def known(self) -> int:
        """Of how many there is a fresh answer."""
        return self.can + self.cannot


def answer(state: State) -> Answer:
    """Only a fresh answer says anything: who has not answered, or answered too long ago, is not known to be able."""
    if state in OPERATES:
        return Answer.CAN
    return Answer.CANNOT if state is State.SUSPENDED else Answer.NOT_KNOWN
