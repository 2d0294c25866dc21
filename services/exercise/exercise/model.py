"""Model: an exercise, the clock it keeps, and what may be done with it in which state."""

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from services.exercise.scenario.model import Scenario
from shared.events import Event
from shared.events.exercise import ENROLLED_PER_EVENT, ExerciseEnded, ExerciseStarted, RosterFrozen
from shared.i18n import N_
from shared.realm import Realm

SPEEDS: Final = range(1, 601)
MOST_PARTICIPANTS: Final = 1000
PULSE: Final = timedelta(seconds=3)
"""If nobody looked at the clock for longer, nobody ran the exercise: that time does not count."""

_ADDRESS = re.compile(r"[^\s@<>,;]{1,64}@[^\s@<>,;]{1,255}")


class State(StrEnum):
    """How far an exercise is."""

    PLANNED = "planned"
    RUNNING = "running"
    PAUSED = "paused"
    ENDED = "ended"
    ABORTED = "aborted"


STATE_NAMES = {
    State.PLANNED: N_("Planned"),
    State.RUNNING: N_("Running"),
    State.PAUSED: N_("Paused"),
    State.ENDED: N_("Ended"),
    State.ABORTED: N_("Broken off"),
}


class Flaw(StrEnum):
    """Why something was not done."""

    SCENARIO_UNKNOWN = "scenario unknown"
    SPEED_OUT_OF_RANGE = "speed out of range"
    NO_ADDRESS = "no address"
    TOO_MANY = "too many"
    NOT_NOW = "not now"
    FIRED_BEFORE = "fired before"


@dataclass(frozen=True)
class Refused:
    """It was not done, for these reasons. `what` is the first thing that is wrong, where there is one."""

    flaws: tuple[Flaw, ...]
    what: str = ""


@dataclass(frozen=True)
class PlayClock:
    """The clock of an exercise: it stood at `elapsed` when it was looked at last, `since` (None: it stands).

    It goes `speed` times faster than time. It is kept with each look, so that whoever goes on after a fault finds it
    where it was: a time in which nobody looked does not count.
    """

    elapsed: timedelta = timedelta()
    speed: int = 1
    since: datetime | None = None

    def offset(self, now: datetime) -> timedelta:
        """Where it stands now."""
        if self.since is None or not timedelta() <= now - self.since <= PULSE:
            return self.elapsed
        return self.elapsed + (now - self.since) * self.speed

    def looked_at(self, now: datetime) -> "PlayClock":
        """The same, as it is kept after a look."""
        return replace(self, elapsed=self.offset(now), since=now if self.since else None)

    def going(self, now: datetime) -> "PlayClock":
        """The same, running."""
        return replace(self.looked_at(now), since=now)

    def standing(self, now: datetime) -> "PlayClock":
        """The same, stopped."""
        return replace(self.looked_at(now), since=None)


@dataclass(frozen=True)
class ClockPoint:
    """From the moment `at` on, the clock of an exercise went on from `offset`, `speed` times faster than time; 0: it
    stood."""

    at: datetime
    offset: timedelta
    speed: int


@dataclass(frozen=True)
class ClockHistory:
    """How the clock of an exercise went, by the points at which that changed, in order of time. Nothing lies later on
    it than `reached`, where it stands now."""

    points: tuple[ClockPoint, ...]
    reached: timedelta

    def offset(self, moment: datetime) -> timedelta:
        """Where the clock stood at that moment; at its beginning before it first went."""
        place = bisect_right(self.points, moment, key=lambda point: point.at)
        if not place:
            return timedelta()
        point = self.points[place - 1]
        limit = self.points[place].offset if place < len(self.points) else self.reached
        return min(point.offset + (moment - point.at) * point.speed, limit)


def bends(before: PlayClock, after: PlayClock) -> tuple[ClockPoint, ...]:
    """The points that its history gains where a clock is kept `after` it was kept as `before`: none while it just
    goes on. A time in which nobody looked is one in which it stood."""
    if before.since is None:
        return (ClockPoint(after.since, after.elapsed, after.speed),) if after.since else ()
    stood = before.since + (after.elapsed - before.elapsed) / before.speed
    if after.since is None:
        return (ClockPoint(stood, after.elapsed, 0),)
    goes = ClockPoint(max(after.since, before.since), after.elapsed, after.speed)
    if after.elapsed == before.elapsed and after.since != before.since:
        return (ClockPoint(before.since, before.elapsed, 0), goes)
    return (goes,) if after.speed != before.speed else ()


@dataclass(frozen=True)
class Exercise:
    """One rehearsal of a scenario, in a realm of its own. The scenario is as it was when the exercise was planned."""

    realm: Realm
    id: UUID
    scenario: Scenario
    seed: int
    state: State
    clock: PlayClock
    situation_id: UUID
    created_at: datetime
    created_by: UUID
    started_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def over(self) -> bool:
        """True if it can go on no more."""
        return self.state in {State.ENDED, State.ABORTED}

    @property
    def names(self) -> dict[str, str]:
        """Its names by locale, without the mark of an exercise, which the texts around them bring."""
        return {locale: self.scenario.title.of(locale) for locale in ("fi", "sv", "en")}

    def played(self, now: datetime) -> bool:
        """True once its clock has come to the end of the script."""
        return self.clock.offset(now) >= self.scenario.length


@dataclass(frozen=True)
class Draft:
    """An exercise as its leader wrote it into the form; nothing in it is checked yet."""

    scenario: Scenario | None
    speed: int | None
    participants: str


@dataclass(frozen=True)
class Planned:
    """An exercise that may be planned, and the addresses of those who take part, each once, sorted."""

    exercise: Exercise
    participants: tuple[str, ...]


@dataclass(frozen=True)
class Moved:
    """An exercise as it is from now on, with the events that tell it."""

    exercise: Exercise
    events: tuple[Event, ...] = ()


def realm_of(exercise_id: UUID) -> Realm:
    """The realm of an exercise: nothing of it is ever anywhere else."""
    return Realm(f"ex-{exercise_id.hex}")


def plan(draft: Draft, *, exercise_id: UUID, situation_id: UUID, leader: UUID, now: datetime) -> Planned | Refused:
    """Plan an exercise, or say every reason why not."""
    addresses = sorted({line.strip().lower() for line in draft.participants.splitlines() if line.strip()})
    wrong = [address for address in addresses if not _ADDRESS.fullmatch(address)]
    checks = (
        (draft.scenario is not None, Flaw.SCENARIO_UNKNOWN),
        (draft.speed in SPEEDS, Flaw.SPEED_OUT_OF_RANGE),
        (not wrong, Flaw.NO_ADDRESS),
        (len(addresses) <= MOST_PARTICIPANTS, Flaw.TOO_MANY),
    )
    flaws = tuple(flaw for holds, flaw in checks if not holds)
    if flaws or draft.scenario is None or draft.speed is None:
        return Refused(flaws, wrong[0] if wrong else "")
    exercise = Exercise(
        realm=realm_of(exercise_id),
        id=exercise_id,
        scenario=draft.scenario,
        seed=draft.scenario.behaviour.seed,
        state=State.PLANNED,
        clock=PlayClock(speed=draft.speed),
        situation_id=situation_id,
        created_at=now,
        created_by=leader,
    )
    return Planned(exercise, tuple(addresses))


def start(
    exercise: Exercise, participants: Sequence[str], now: datetime, *, locales: Sequence[str] = ()
) -> Moved | Refused:
    """Begin: the clock runs, and the roster is told as it is now and never again. `locales` in its order."""
    if exercise.state is not State.PLANNED:
        return Refused((Flaw.NOT_NOW,))
    begun = replace(exercise, state=State.RUNNING, clock=exercise.clock.going(now), started_at=now)
    rosters = [
        RosterFrozen(
            happened_at=now,
            realm=exercise.realm,
            exercise_id=exercise.id,
            addresses=tuple(participants[at : at + ENROLLED_PER_EVENT]),
            locales=tuple(locales[at : at + ENROLLED_PER_EVENT]),
            names=exercise.names,
        )
        for at in range(0, len(participants), ENROLLED_PER_EVENT)
    ]
    told = ExerciseStarted(
        happened_at=now,
        realm=exercise.realm,
        exercise_id=exercise.id,
        titles=exercise.scenario.title.told(),
        municipalities=exercise.scenario.municipalities,
        rosters=len(rosters),
    )
    return Moved(begun, (*rosters, told))


def pause(exercise: Exercise, now: datetime) -> Moved | Refused:
    """Stop the clock; what was put in stays."""
    if exercise.state is not State.RUNNING:
        return Refused((Flaw.NOT_NOW,))
    return Moved(replace(exercise, state=State.PAUSED, clock=exercise.clock.standing(now)))


def resume(exercise: Exercise, now: datetime) -> Moved | Refused:
    """Let the clock go on from where it stands."""
    if exercise.state is not State.PAUSED:
        return Refused((Flaw.NOT_NOW,))
    return Moved(replace(exercise, state=State.RUNNING, clock=exercise.clock.going(now)))


def change_speed(exercise: Exercise, speed: int | None, now: datetime) -> Moved | Refused:
    """Run faster or slower from now on."""
    if exercise.over:
        return Refused((Flaw.NOT_NOW,))
    if speed is None or speed not in SPEEDS:
        return Refused((Flaw.SPEED_OUT_OF_RANGE,))
    return Moved(replace(exercise, clock=replace(exercise.clock.looked_at(now), speed=speed)))


def end(exercise: Exercise, now: datetime, *, aborted: bool = False) -> Moved | Refused:
    """End it, or break it off because something real happened: what still waits of its letters is dropped."""
    if exercise.over:
        return Refused((Flaw.NOT_NOW,))
    over = replace(
        exercise,
        state=State.ABORTED if aborted else State.ENDED,
        clock=exercise.clock.standing(now),
        ended_at=now,
    )
    told = ExerciseEnded(
        happened_at=now, realm=exercise.realm, exercise_id=exercise.id, aborted=aborted, names=exercise.names
    )
    return Moved(over, (told,))
