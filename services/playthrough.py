"""Playthrough: a whole exercise in a system of its own, from the first inject to the after-action report."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from services.demo.loader import SEED, prepare
from services.demo.registry import demo_associations
from services.exercise.director.model import InjectState, Line, put_in_last
from services.exercise.director.store import DirectorStore
from services.exercise.evaluation.model import AfterActionReport
from services.exercise.evaluation.report_html import alone_html
from services.exercise.evaluation.store import EvaluationStore
from services.exercise.exercise.model import Draft, Exercise, Planned, Refused, plan
from services.exercise.exercise.store import ExerciseStore
from services.exercise.scenario.model import Scenario
from services.exercise.simulated.store import SimulatedStore
from services.local import Running, free_port, run_local
from services.stillness import still
from shared.clock import SystemClock
from shared.house import House
from shared.i18n import Locale
from shared.ids import new_id

HOST = "127.0.0.1"
LOOK_EVERY = 0.5
"""Seconds between two looks at how far an exercise is."""

LATE_LOOKS = 60
"""After the end of the script answers may still come that were due before, on a slow machine many. Once so many looks
in a row have found no other one, none is waited for any more."""

PATIENCE = 300.0
"""Seconds in which everything that was said must have been heard, at the latest."""


@dataclass(frozen=True)
class Wish:
    """What is to be played: so many times faster than time, with so many who take part by letter. The same seed gives
    the same answers."""

    scenario: Scenario
    speed: int
    seed: int
    participants: int = 5


@dataclass(frozen=True)
class Progress:
    """How far an exercise is: where its clock stands, what was put in, and how many were asked and answered."""

    offset: timedelta
    put_in: int
    last: Line | None
    asked: int
    answered: int


Tell = Callable[[Progress], None]


class BrokenOffError(Exception):
    """Whoever wanted the exercise wants it no more; it was ended."""


class NotPlayedError(Exception):
    """The exercise cannot be played; the text says why."""


async def play_alone(folder: Path, wish: Wish, *, tell: Tell, locale: Locale) -> tuple[AfterActionReport, str]:
    """Play it in a system that is started for it under `folder` and stopped again; the report, and the same as a page
    in one file. What the environment says of an installation does not concern this one.

    Raises BrokenOffError after Ctrl-C or SIGTERM, NotPlayedError.
    """
    done: list[tuple[AfterActionReport, str]] = []

    async def ready(running: Running) -> None:
        await prepare(running, load=True)
        report = await report_on(running, await play(running, wish, tell=tell))
        house: House = running.apps["exercise"].state.house
        done.append((report, alone_html(house.pages, report, locale)))
        running.stopping.set()

    await run_local(
        folder,
        host=HOST,
        port=free_port(HOST),
        mail_port=free_port(HOST),
        smtp_port=free_port(HOST),
        reply_port=free_port(HOST),
        bounce_port=free_port(HOST),
        ready=ready,
        environment={},
    )
    if not done:
        raise BrokenOffError
    return done[0]


async def play(running: Running, wish: Wish, *, tell: Tell) -> Exercise:
    """Plan, start, watch and end it in a system that runs and has the demo region.

    Raises BrokenOffError when the system is told to stop, NotPlayedError.
    """
    exercises: ExerciseStore = running.apps["exercise"].state.exercises
    exercise = await _started(exercises, wish)
    try:
        await _watched(running, exercise, tell=tell)
    finally:
        await exercises.end(exercise.id, aborted=running.stopping.is_set())
    return await exercises.one(exercise.id)


async def report_on(running: Running, exercise: Exercise) -> AfterActionReport:
    """What it showed, once all that was said has been heard. Raises TimeoutError."""
    evaluation: EvaluationStore = running.apps["exercise"].state.evaluation
    await still(running, within=PATIENCE)
    return await evaluation.report_of(exercise.id)


async def _started(exercises: ExerciseStore, wish: Wish) -> Exercise:
    planned = plan(
        Draft(wish.scenario, wish.speed, "\n".join(participants(wish))),
        exercise_id=new_id(),
        situation_id=new_id(),
        leader=new_id(),
        now=SystemClock().now(),
    )
    if isinstance(planned, Refused):
        raise NotPlayedError(", ".join(planned.flaws))
    await exercises.plan(Planned(replace(planned.exercise, seed=wish.seed), planned.participants), new_id)
    started = await exercises.start(planned.exercise.id)
    if isinstance(started, Refused):
        raise NotPlayedError(", ".join(started.flaws))
    return started


async def _watched(running: Running, exercise: Exercise, *, tell: Tell) -> None:
    """Return when its clock has come to the end of the script, and the answers that were due by then were given."""
    exercises: ExerciseStore = running.apps["exercise"].state.exercises
    director: DirectorStore = running.apps["exercise"].state.director
    evaluation: EvaluationStore = running.apps["exercise"].state.evaluation
    simulated: SimulatedStore = running.apps["exercise"].state.simulated
    offset, to_come, idle = timedelta(), 0, 0
    while offset < exercise.scenario.length or (to_come and idle < LATE_LOOKS):
        if await _stopped(running, within=LOOK_EVERY):
            raise BrokenOffError
        offset = (await exercises.one(exercise.id)).clock.elapsed
        lines = await director.timeline(exercise)
        answers = await evaluation.answers(exercise)
        put_in = sum(line.state is InjectState.FIRED for line in lines)
        before, to_come = to_come, (await simulated.figures(exercise)).to_come
        idle = idle + 1 if to_come == before else 0
        tell(Progress(offset, put_in, put_in_last(lines), answers.asked, answers.answered))


async def _stopped(running: Running, *, within: float) -> bool:
    try:
        await asyncio.wait_for(running.stopping.wait(), within)
    except TimeoutError:
        return False
    return True


def participants(wish: Wish) -> Sequence[str]:
    """The addresses of those who take part by letter: associations of the area, as they stand in the registry."""
    area = set(wish.scenario.municipalities)
    return [one.email for one in demo_associations(SEED) if one.municipality in area][: wish.participants]
