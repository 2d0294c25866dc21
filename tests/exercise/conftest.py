"""Fixtures of the tests of exercise."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlmodel import col

from services.exercise.director.store import DirectorStore
from services.exercise.exercise.model import Draft, Exercise, Planned, plan
from services.exercise.exercise.store import ExerciseStore
from services.exercise.scenario.store import ready_scenarios
from shared.db import Database
from shared.events import EVENT_TYPES, Event
from shared.events.exercise import InjectFired
from shared.ids import new_id
from shared.plumbing import OutboxRow
from shared.settings import Settings
from tests.fakes import FakeClock
from tests.migrated import Migrated

STORM = ready_scenarios()["winter-storm"]
AINO = UUID("0199a000-0000-7000-8000-00000000a100")
"""The one who leads."""


@dataclass(frozen=True)
class Stage:
    """The stores of the service on one database, and the clock that the test moves."""

    database: Database
    clock: FakeClock
    exercises: ExerciseStore
    director: DirectorStore

    async def planned(self, *, speed: int = 60, participants: str = "aino@example.org\n") -> Exercise:
        """A winter storm that is planned."""
        drawn = plan(
            Draft(STORM, speed, participants),
            exercise_id=new_id(),
            situation_id=new_id(),
            leader=AINO,
            now=self.clock.now(),
        )
        assert isinstance(drawn, Planned)
        await self.exercises.plan(drawn, new_id)
        return drawn.exercise

    async def running(self, *, speed: int = 60) -> Exercise:
        """A winter storm that runs."""
        exercise = await self.exercises.start((await self.planned(speed=speed)).id)
        assert isinstance(exercise, Exercise)
        return exercise

    async def run(self, seconds: int) -> None:
        """Let so much time go by, and look at the clocks each second."""
        for _ in range(seconds):
            self.clock.move(seconds=1)
            await self.director.direct()

    async def told(self) -> list[Event]:
        """The events that wait to be published, oldest first."""
        async with self.database.read() as session:
            rows = (await session.execute(select(OutboxRow).order_by(col(OutboxRow.id)))).scalars()
            return [EVENT_TYPES[row.headers["ce-type"]].model_validate_json(row.body) for row in rows]

    async def fired(self) -> list[int]:
        """The numbers of the injects that were told, in order."""
        return [event.number for event in await self.told() if isinstance(event, InjectFired)]


@pytest.fixture
async def stage(settings: Settings, clock: FakeClock, migrated: Migrated) -> AsyncIterator[Stage]:
    """The stores on an empty database of their own."""
    url = settings.database_of("exercise")
    await migrated.copy_to(url, "exercise")
    database = Database(url)
    yield Stage(database, clock, ExerciseStore(database, clock=clock), DirectorStore(database, clock=clock))
    await database.close()
