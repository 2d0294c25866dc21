"""A director that is killed: each inject is put in once, and the clock goes on where it was."""

from datetime import timedelta

import pytest

from services.exercise.director.store import DirectorStore
from services.exercise.exercise.store import ExerciseStore
from shared.clock import SystemClock
from shared.db import Database
from shared.settings import Settings
from tests.exercise.conftest import STORM, Stage
from tests.fakes import FakeClock
from tests.faults.perishing import perish
from tests.migrated import Migrated

pytestmark = pytest.mark.faults


@pytest.mark.parametrize(
    ("point", "last_words", "put_in"),
    [("before-commit", "saved, not committed", [1]), ("after-commit", "committed", [1, 2])],
)
async def test_each_inject_is_put_in_once_however_the_director_dies(
    settings: Settings, migrated: Migrated, point: str, last_words: str, put_in: list[int]
) -> None:
    url = settings.database_of("exercise")
    await migrated.copy_to(url, "exercise")
    began, database = FakeClock(SystemClock().now()), Database(url)
    stage = Stage(database, began, ExerciseStore(database, clock=began), DirectorStore(database, clock=began))
    exercise = await stage.running(speed=200)

    said = await perish("exercise_director", settings, point)
    killed = await stage.exercises.one(exercise.id)
    after_death = await stage.fired()
    began.move(hours=5)
    await stage.run(120)

    assert said[-1] == last_words
    assert after_death == put_in
    assert timedelta() < killed.clock.elapsed < timedelta(minutes=30)
    assert await stage.fired() == [inject.number for inject in STORM.injects]
    await database.close()
