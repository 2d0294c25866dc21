"""Exercise is killed while the door takes its answers: nobody answers twice, and nobody is passed over."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from sqlalchemy import select
from sqlmodel import col

from services.exercise.director.store import DirectorStore
from services.exercise.exercise.store import ExerciseStore
from services.exercise.simulated.jobs import SimulatedJobs
from services.exercise.simulated.model import Simulated, conducts
from services.exercise.simulated.store import SimulatedStore
from services.intake.checkin.store import CheckInRow
from shared.answer_door import AnswerDoor
from shared.clock import SystemClock
from shared.db import Database
from shared.events.intake import SimulatedAsked
from shared.settings import Settings
from tests.exercise.conftest import STORM, Stage
from tests.fakes import FakeClock
from tests.faults.perishing import perish
from tests.intake.house import Intake, running_intake
from tests.migrated import Migrated
from tests.servers import eventually

pytestmark = [pytest.mark.faults, pytest.mark.slow]

LINES = [f"Seura {number};{number};Loppi;;;s{number}@example.org" for number in range(1, 81)]


@asynccontextmanager
async def served(intake: Intake) -> AsyncIterator[str]:
    """Intake at an address of its own."""
    config = uvicorn.Config(intake.app, port=0, lifespan="off", ws="none", log_config=None, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())

    async def started() -> bool:
        return server.started

    await eventually(started)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    await serving


@pytest.mark.parametrize(("point", "last_words"), [("before-note", "taken, not noted"), ("after-note", "noted")])
async def test_everybody_answers_as_drawn_however_the_exercise_dies(
    settings: Settings, migrated: Migrated, point: str, last_words: str
) -> None:
    began = FakeClock(SystemClock().now())
    for service in ("exercise", "intake"):
        await migrated.copy_to(settings.database_of(service), service)
    database = Database(settings.database_of("exercise"))
    stage = Stage(database, began, ExerciseStore(database, clock=began), DirectorStore(database, clock=began))
    store = SimulatedStore(database, clock=began)
    exercise = await stage.running(speed=600)
    async with running_intake(settings, FakeClock(began.now())) as intake, served(intake) as address:
        await intake.take_in(*LINES)
        await intake.open_round(await intake.ids(), realm=exercise.realm, roster=())
        for body in await intake.said("simulated_asked"):
            await store.ask(SimulatedAsked.model_validate(body))

        said = await perish("exercise_simulated", settings.model_copy(update={"form_url": address}), point)
        taken_by_then = await intake.count(CheckInRow)
        began.move(hours=5)
        async with AnswerDoor(address) as door:
            jobs = SimulatedJobs(store, door, clock=began)
            for _ in range(40):
                await stage.run(1)
                while await jobs.answer():
                    continue

        many = [Simulated(one, "433") for one in await intake.ids()]
        drawn = conducts(STORM.behaviour, many, seed=exercise.seed, within=STORM.length)
        async with intake.database.read() as session:
            found = await session.execute(select(col(CheckInRow.association_id), col(CheckInRow.status)))
            recorded = Counter((row.association_id, row.status) for row in found)
        figures = await store.figures(exercise)

    assert said[-1] == last_words
    assert taken_by_then > 0
    assert recorded == Counter((one.association_id, answer.status) for one in drawn for answer in one.answers)
    assert (figures.to_come, figures.given_up, figures.dropped) == (0, 0, 0)
    await database.close()
