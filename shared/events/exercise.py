"""What exercise says: that a rehearsal began and ended, who takes part, and which inject was put in."""

from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from shared.events import Event
from shared.events.intake import SIMULATED_PER_EVENT

ENROLLED_PER_EVENT = 500
"""Addresses named in one RosterFrozen: about 20 kB of a message that may have 64 kB."""


class ExerciseStarted(Event, service="exercise", fact="exercise_started", heard_by=("intake", "status")):
    """An exercise began; its id names its realm. `titles` by locale, each beginning HARJOITUS, ÖVNING or EXERCISE.
    `rosters` is in how many RosterFrozen its roster is told; None was said before that was counted."""

    exercise_id: UUID
    titles: dict[str, str]
    municipalities: tuple[str, ...]
    rosters: int | None = None


class RosterFrozen(Event, service="rosters", fact="roster_frozen", heard_by=("intake", "notify")):
    """These addresses take part: in this realm nobody else is ever sent a letter. For notify and intake, which hold
    addresses anyway: it names people, and so has a stream of its own that it leaves when both have heard it. A large
    roster is told in several events. `locales` in the order of the addresses (none told: Finnish); `names` of the
    exercise by locale, without its mark, which the realm brings."""

    exercise_id: UUID
    addresses: tuple[str, ...] = Field(max_length=ENROLLED_PER_EVENT)
    locales: tuple[str, ...] = Field(default=(), max_length=ENROLLED_PER_EVENT)
    names: dict[str, str] = Field(default_factory=dict)


class SituationScript(BaseModel):
    """The situation that an exercise rehearses, as it is opened in its realm. `names` by locale, without the mark of an
    exercise, which the realm brings wherever a name is shown."""

    model_config = ConfigDict(frozen=True)

    situation_id: UUID
    kind: str
    names: dict[str, str]
    municipalities: tuple[str, ...]


class RoundScript(BaseModel):
    """The round that an inject opens, and for how many hours of real time it takes answers."""

    model_config = ConfigDict(frozen=True)

    round_id: UUID
    hours: int = Field(ge=1, le=14 * 24)


class InjectFired(Event, service="exercise", fact="inject_fired", heard_by=("status", "notify")):
    """An inject was put in, by the exercise's clock or by `fired_by`. `texts` by locale, each beginning HARJOITUS,
    ÖVNING or EXERCISE. `opens_situation` and `opens_round` are there if it opens one; a round comes with its situation,
    which may not have been heard of yet. If it is `mailed`, its text goes to the roster as a letter, from one of the
    `senders` (her role by locale)."""

    exercise_id: UUID
    number: int
    offset_seconds: int
    channel: str
    texts: dict[str, str]
    leader: UUID
    fired_by: UUID | None = None
    opens_situation: SituationScript | None = None
    opens_round: RoundScript | None = None
    mailed: bool = False
    senders: dict[str, str] = Field(default_factory=dict)


class ExerciseEnded(Event, service="exercise", fact="exercise_ended", heard_by=("intake", "status", "notify")):
    """An exercise is over, or was broken off for something real: nothing of its realm goes out any more but the letter
    that tells its roster so. `names` of the exercise by locale, without its mark."""

    exercise_id: UUID
    aborted: bool = False
    names: dict[str, str] = Field(default_factory=dict)


class SimulatedNotReached(Event, service="exercise", fact="simulated_not_reached", heard_by=("intake",)):
    """The letters that these simulated associations would have got in this round, the how manyeth of each by `turn`, do
    not arrive."""

    exercise_id: UUID
    situation_id: UUID
    round_id: UUID
    turn: int = Field(ge=1)
    association_ids: tuple[UUID, ...] = Field(max_length=SIMULATED_PER_EVENT)
