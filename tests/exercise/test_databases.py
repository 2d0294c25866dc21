"""Directors on SQLite and PostgreSQL: two of them at once put each inject in once."""

import asyncio

import pytest

from services.exercise.director.store import DirectorStore
from services.exercise.exercise.store import ExerciseStore
from services.exercise.schema import ExerciseTable
from shared.db import Database
from shared.plumbing import Plumbing
from tests.exercise.conftest import STORM, Stage
from tests.fakes import FakeClock


@pytest.mark.slow
async def test_two_directors_put_each_inject_in_once(each_database: str, clock: FakeClock) -> None:
    database, beside = Database(each_database), Database(each_database)
    await database.create_tables(Plumbing.metadata, ExerciseTable.metadata)
    stage = Stage(database, clock, ExerciseStore(database, clock=clock), DirectorStore(database, clock=clock))
    other = DirectorStore(beside, clock=clock)
    exercise = await stage.running(speed=600)

    for _ in range(40):
        clock.move(seconds=1)
        await asyncio.gather(stage.director.direct(), other.direct())
    ended = await stage.exercises.end(exercise.id)

    assert await stage.fired() == [inject.number for inject in STORM.injects]
    assert not hasattr(ended, "flaws")
    await database.close()
    await beside.close()
