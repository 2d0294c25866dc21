"""A whole system with an exercise in which all associations of the region are asked; prints how fast they answered.

`driven`: the exercise has all of them answer at the same moment. `direct`: they are silent, and the load generator
posts answers to the links that they got.
"""

import asyncio
import json
import sys
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import uvloop
from sqlalchemy import func, select

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
from shared.events.intake import CheckInReceived, SimulatedAsked
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


async def measured(folder: Path, *, driven: bool) -> dict[str, float]:
    """Play it; `rate` is answers a second in the thick of the crowd."""
    found: dict[str, float] = {}

    async def ready(running: Running) -> None:
        await prepare(running, load=True)
        posting = None if driven else asyncio.create_task(_posted(running, folder))
        exercise = await play(running, Wish(crowded(answering=float(driven)), SPEED, 1, 0), tell=_nobody)
        await report_on(running, exercise)
        found.update(await posting if posting else await _rate(running, exercise))
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


async def _rate(running: Running, exercise: Exercise) -> dict[str, float]:
    answers = sorted(event.happened_at for event in await told(running.settings.nats, CheckInReceived, exercise.realm))
    first, last = int(len(answers) * EDGE), int(len(answers) * (1 - EDGE))
    return {"rate": (last - first) / (answers[last] - answers[first]).total_seconds(), "answers": len(answers)}


async def _posted(running: Running, folder: Path) -> dict[str, float]:
    """What the load generator finds at the same form, once everybody was asked."""
    exercises: ExerciseStore = running.apps["exercise"].state.exercises
    house: House = running.apps["intake"].state.house
    links: list[str] = []
    while len(links) < await _members(house):
        await asyncio.sleep(1)
        for exercise in await exercises.list_newest():
            events = await told(running.settings.nats, SimulatedAsked, exercise.realm)
            links = [one.path.rpartition("/")[2] for event in events for one in event.asked]
    (folder / "links").write_text("\n".join(links), encoding="ascii")
    port = urlsplit(running.address).port
    found = await asyncio.to_thread(answer, module("load", port, folder / "links", CONNECTIONS, SECONDS), within=60)
    if found["refused"]:
        raise RuntimeError(f"{found['refused']:.0f} answers were refused")
    return {"rate": found["rate"]}


async def _members(house: House) -> int:
    """How many associations there are."""
    async with house.database.read() as session:
        return int((await session.execute(select(func.count()).select_from(Association))).scalar_one())


def _nobody(_progress: Progress) -> None:
    """Nobody is told."""


def main() -> None:
    """`driven|direct FOLDER`: the system's data stands in the folder."""
    who, folder = sys.argv[1:]
    configure("text")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run(measured(Path(folder), driven=who == "driven"))))


if __name__ == "__main__":
    main()
