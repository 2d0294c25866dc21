"""Model: which injects are due by the clock of an exercise, and what is told when one is put in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import ceil
from typing import Final, NamedTuple
from uuid import UUID

from services.exercise.exercise.model import Exercise
from services.exercise.scenario.model import Channel, Contingency, Inject, Opens, Scenario, Side
from shared.events.exercise import InjectFired, RoundScript, SituationScript
from shared.i18n import Locale

LONGEST_ROUND: Final = 14 * 24


class InjectState(StrEnum):
    """Whether an inject was put in."""

    WAITING = "waiting"
    FIRED = "fired"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Line:
    """An inject of an exercise with what became of it: one line of its timeline."""

    scripted: Inject | Contingency
    state: InjectState
    round_id: UUID
    settled_at: datetime | None = None
    offset: timedelta | None = None

    @property
    def due(self) -> timedelta | None:
        """When it is due by the clock of the exercise; None for a contingency inject."""
        return self.scripted.at if isinstance(self.scripted, Inject) else None


@dataclass(frozen=True)
class Answers:
    """How many associations were asked in an exercise, and how many of these answered, or could not be reached."""

    asked: int = 0
    answered: int = 0
    not_reached: int = 0


class BoardLook(NamedTuple):
    """What somebody looks at who has a board open: an exercise, in a language."""

    exercise_id: UUID
    locale: Locale


def due_now(lines: Sequence[Line], offset: timedelta) -> list[Line]:
    """Those that wait and whose time has come, in the order of their times."""
    ready = [
        (line.due, line.scripted.number, line)
        for line in lines
        if line.state is InjectState.WAITING and line.due is not None and line.due <= offset
    ]
    return [line for _, _, line in sorted(ready, key=lambda one: one[:2])]


def offered(lines: Sequence[Line], offset: timedelta) -> frozenset[int]:
    """The numbers of the contingency injects whose time to be put in by hand has come."""
    fired = {line.scripted.number: line.offset for line in lines if line.state is InjectState.FIRED}
    return frozenset(
        line.scripted.number
        for line in lines
        if isinstance(line.scripted, Contingency) and line.state is InjectState.WAITING
        if (since := fired.get(line.scripted.unless)) is not None and offset >= since + line.scripted.after
    )


def next_due(lines: Sequence[Line]) -> Line | None:
    """The one that the clock puts in next, if any is left."""
    waiting = [
        (line.due, line.scripted.number, line)
        for line in lines
        if line.state is InjectState.WAITING and line.due is not None
    ]
    return min(waiting, key=lambda one: one[:2])[2] if waiting else None


def put_in_last(lines: Sequence[Line]) -> Line | None:
    """The one that was put in last, if any was."""
    fired = [line for line in lines if line.state is InjectState.FIRED and line.settled_at and line.offset is not None]
    return max(fired, key=lambda line: (line.settled_at, line.due or timedelta()), default=None)


def inject_fired(exercise: Exercise, line: Line, *, now: datetime, fired_by: UUID | None = None) -> InjectFired:
    """The event that tells that it was put in, with what it opens."""
    scripted, sender = line.scripted, exercise.scenario.role(line.scripted.sender)
    offset = exercise.clock.offset(now)
    script = SituationScript(
        situation_id=exercise.situation_id,
        kind=exercise.scenario.kind,
        names={locale: exercise.scenario.situation.of(locale) for locale in ("fi", "sv", "en")},
        municipalities=exercise.scenario.municipalities,
    )
    return InjectFired(
        happened_at=now,
        realm=exercise.realm,
        exercise_id=exercise.id,
        number=scripted.number,
        offset_seconds=int(offset.total_seconds()),
        channel=scripted.channel,
        texts=scripted.text.told(),
        leader=exercise.created_by,
        fired_by=fired_by,
        opens_situation=script if scripted.opens else None,
        opens_round=RoundScript(round_id=line.round_id, hours=hours_left(exercise, offset))
        if scripted.opens is Opens.ROUND
        else None,
        mailed=mailed(exercise.scenario, scripted),
        senders=sender.name.model_dump(),
    )


def mailed(scenario: Scenario, scripted: Inject | Contingency) -> bool:
    """True for an email to players: those who take part get it as a letter. What opens a round brings its own ones."""
    to_players = scenario.role(scripted.receiver).side is Side.PLAYER
    return scripted.channel is Channel.EMAIL and to_players and scripted.opens is not Opens.ROUND


def hours_left(exercise: Exercise, offset: timedelta) -> int:
    """Whole hours of real time until the exercise's end at its present speed, at least one."""
    left = (exercise.scenario.length - offset) / exercise.clock.speed
    return min(max(ceil(left / timedelta(hours=1)), 1), LONGEST_ROUND)
