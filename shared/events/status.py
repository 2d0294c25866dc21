"""What status says: situations, rounds, and that readiness changed."""

from uuid import UUID

from pydantic import AwareDatetime, Field

from shared.events import Event

ASKED_PER_EVENT = 500
"""Associations named in one RoundOpened: about 20 kB of a message that may have 64 kB."""


class SituationOpened(Event, service="status", fact="situation_opened", heard_by=("exercise", "notify")):
    """An exceptional situation was opened. `names` by locale; `municipalities` are codes."""

    situation_id: UUID
    kind: str
    names: dict[str, str]
    municipalities: tuple[str, ...]


class SituationChanged(Event, service="status", fact="situation_changed", heard_by=("notify",)):
    """The situation's name, kind or area changed; the whole of it is told again."""

    situation_id: UUID
    kind: str
    names: dict[str, str]
    municipalities: tuple[str, ...]


class SituationClosed(Event, service="status", fact="situation_closed", heard_by=("intake", "notify")):
    """The situation is over."""

    situation_id: UUID


class RoundOpened(Event, service="status", fact="round_opened", heard_by=("intake", "exercise")):
    """Associations are asked to check in. A large round is told in `parts` events of the same `round_id`,
    each complete in itself, in any order; `part` counts from 1."""

    situation_id: UUID
    round_id: UUID
    names: dict[str, str]
    closes_at: AwareDatetime
    urgent: bool = False
    association_ids: tuple[UUID, ...] = Field(max_length=ASKED_PER_EVENT)
    part: int = 1
    parts: int = 1


class RoundReminded(Event, service="status", fact="round_reminded", heard_by=("intake",)):
    """Those who have not answered are to be reminded. `number` counts from 1; after the `last` there is no other."""

    situation_id: UUID
    round_id: UUID
    number: int
    last: bool = False


class RoundClosed(Event, service="status", fact="round_closed", heard_by=("intake", "exercise")):
    """The round takes no more answers."""

    situation_id: UUID
    round_id: UUID


class ReadinessChanged(Event, service="status", fact="readiness_changed"):
    """Tallies of a situation changed: open pictures look again."""

    situation_id: UUID
