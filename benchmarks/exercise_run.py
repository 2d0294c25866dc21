"""A whole system with an exercise in which all associations of the region are asked; prints how fast they answered.

`driven`: the exercise has all of them answer at the same moment. They are silent in the other two, and answers to the
links that they got are posted `directly`, by the same door in the same process, or by the `load` generator, which is a
program of its own.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from urllib.parse import urlsplit
from uuid import uuid4

import uvloop
from sqlalchemy import func, select

from benchmarks.load import WARM_UP
from benchmarks.processes import answer, module
from services.demo.loader import prepare
from services.exercise.exercise.model import Exercise
from services.exercise.exercise.store import ExerciseStore
from services.exercise.scenario.model import Behaviour, Delay, Scenario
from services.exercise.scenario.store import ready_scenarios
from services.intake.registry.store import Association
from services.local import Running, free_port, run_local
from services.playthrough import Progress, Wish, play, report_on
from shared import region
from shared.answer_door import AnswerDoor, FilledIn
from shared.events.intake import CheckInReceived, OperatingStatus, SimulatedAsked
from shared.house import House
from shared.log import configure
from tests.told import told

HOST = "127.0.0.1"
SPEED = 60
CONNECTIONS = 16
"""As many answers as an exercise has on their way at once."""
SECONDS = 15.0
EDGE = 0.1
"""Part of the answers that is left out at the beginning and at the end of the crowd."""


def crowded(*, answering: float) -> Scenario:
    """A storm over the whole region, in which everybody is reached; this part answers a minute after being asked."""
    storm = ready_scenarios()["winter-storm"]
    manner = storm.behaviour.elsewhere.model_copy(
        update={
            "answering": answering,
            "unreachable": 0.0,
            "again": 0.0,
            "delay": Delay(median=timedelta(minutes=1), spread=0.0),
        }
    )
    return storm.model_copy(
        update={
            "municipalities": tuple(place.code for place in region.MUNICIPALITIES),
            "behaviour": Behaviour(seed=1, elsewhere=manner),
            "length": timedelta(hours=1),
        }
    )


async def measured(folder: Path, who: str) -> dict[str, float]:
    """Play it; `rate` is answers a second in the thick of the crowd."""
    found: dict[str, float] = {}
    callers = {"directly": _by_the_door, "load": _by_the_generator}

    async def ready(running: Running) -> None:
        await prepare(running, load=True)
        calling = asyncio.create_task(_called(running, callers[who])) if who in callers else None
        exercise = await play(running, Wish(crowded(answering=float(calling is None)), SPEED, 1, 0), tell=_nobody)
        await report_on(running, exercise)
        found["rate"] = await calling if calling else await _rate(running, exercise)
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
    return found


async def _rate(running: Running, exercise: Exercise) -> float:
    answers = sorted(event.happened_at for event in await told(running.settings.nats, CheckInReceived, exercise.realm))
    first, last = int(len(answers) * EDGE), int(len(answers) * (1 - EDGE))
    return (last - first) / (answers[last] - answers[first]).total_seconds()


async def _called(running: Running, call: Callable[[str, Sequence[str]], Awaitable[float]]) -> float:
    """How many answers a second somebody gives at the same form, once everybody was asked."""
    exercises: ExerciseStore = running.apps["exercise"].state.exercises
    house: House = running.apps["intake"].state.house
    paths: list[str] = []
    while len(paths) < await _members(house):
        await asyncio.sleep(1)
        for exercise in await exercises.list_newest():
            events = await told(running.settings.nats, SimulatedAsked, exercise.realm)
            paths = [one.path for event in events for one in event.asked]
    return await call(running.address, paths)


async def _by_the_door(address: str, paths: Sequence[str]) -> float:
    """By the door through which an exercise answers, and nothing else of it."""
    links, began, given = cycle(paths), perf_counter(), 0

    async def give(door: AnswerDoor) -> None:
        nonlocal given
        while (now := perf_counter() - began) < WARM_UP + SECONDS:
            await door.send(next(links), FilledIn(form_id=uuid4(), status=OperatingStatus.LIMITED))
            given += now > WARM_UP

    async with AnswerDoor(address) as door, asyncio.TaskGroup() as givers:
        for _ in range(CONNECTIONS):
            givers.create_task(give(door))
    return given / SECONDS


async def _by_the_generator(address: str, paths: Sequence[str]) -> float:
    """By the load generator. Raises RuntimeError if an answer was refused."""
    with TemporaryDirectory() as folder:
        links = Path(folder) / "links"
        links.write_text("\n".join(path.rpartition("/")[2] for path in paths), encoding="ascii")
        caller = module("load", urlsplit(address).port, links, CONNECTIONS, SECONDS)
        found = await asyncio.to_thread(answer, caller, within=60)
    if found["refused"]:
        raise RuntimeError(f"{found['refused']:.0f} answers were refused")
    return float(found["rate"])


async def _members(house: House) -> int:
    """How many associations there are."""
    async with house.database.read() as session:
        return int((await session.execute(select(func.count()).select_from(Association))).scalar_one())


def _nobody(_progress: Progress) -> None:
    """Nobody is told."""


def main() -> None:
    """`driven|directly|load FOLDER`: the system's data stands in the folder."""
    who, folder = sys.argv[1:]
    configure("text")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run(measured(Path(folder), who))))


if __name__ == "__main__":
    main()
