"""Fixtures of the tests of exercise."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from sqlalchemy import select
from sqlmodel import col
from starlette.responses import Response

from services.exercise.app import make_app
from services.exercise.director.store import DirectorStore
from services.exercise.exercise.model import Draft, Exercise, Planned, plan
from services.exercise.exercise.store import ExerciseStore
from services.exercise.scenario.store import ready_scenarios
from shared.db import Database
from shared.events import EVENT_TYPES, Event
from shared.events.exercise import InjectFired
from shared.identity import Role, Staff
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


@asynccontextmanager
async def signed_in(
    settings: Settings, clock: FakeClock, migrated: Migrated, role: Role
) -> AsyncIterator[tuple[FastAPI, Stage, AsyncClient]]:
    """The service on an empty database, its stores, and a browser in which Aino is signed in with this role."""
    await migrated.copy_to(settings.database_of("exercise"), "exercise")
    app = make_app(settings, clock=clock)
    response, sessions, database = Response(), app.state.sessions, app.state.house.database
    until = clock.now().replace(year=clock.now().year + 1)
    sessions.sign_in(response, Staff(new_id(), AINO, frozenset({role}), until))
    cookie = {sessions.cookie: response.headers["set-cookie"].split("=", 1)[1].split(";", 1)[0]}
    transport = ASGITransport(app=app)
    async with AsyncClient(transport=transport, base_url="http://127.0.0.1", cookies=cookie) as browser:
        browser.headers["accept-language"] = "en"
        yield app, Stage(database, clock, app.state.exercises, app.state.director), browser
    await database.close()
