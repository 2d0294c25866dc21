"""The evaluation on SQLite and PostgreSQL: the same log, heard twice and turned round, gives the same report."""

from datetime import UTC, datetime
from uuid import UUID

from services.exercise.association.handlers import AssociationHandlers
from services.exercise.association.store import AssociationStore
from services.exercise.director.store import DirectorStore
from services.exercise.evaluation.handlers import EvaluationHandlers
from services.exercise.evaluation.store import EvaluationStore, Sources
from services.exercise.exercise.store import ExerciseStore
from services.exercise.expectation.model import Mark, Verdict
from services.exercise.expectation.store import ExpectationStore
from services.exercise.observation.model import Draft, Observation, write_observation
from services.exercise.observation.store import ObservationStore
from services.exercise.schema import ExerciseTable
from shared.db import Database
from shared.plumbing import Plumbing
from tests.exercise.conftest import AINO, Stage
from tests.exercise.logs import Played, hear, registered
from tests.fakes import FakeClock


async def test_a_log_gives_one_report_on_each_database(each_database: str, clock: FakeClock) -> None:
    database = Database(each_database)
    await database.create_tables(Plumbing.metadata, ExerciseTable.metadata)
    stage = Stage(database, clock, ExerciseStore(database, clock=clock), DirectorStore(database, clock=clock))
    expectations, observations = ExpectationStore(database), ObservationStore(database)
    store = EvaluationStore(database, Sources(stage.exercises, stage.director, expectations, observations), clock=clock)
    exercise = await stage.running(speed=60)
    await stage.run(11)
    played = Played(exercise, clock.now(), 20, (3, 5, 8), declined=2, not_reached=1)
    await stage.run(20)
    events = [*registered(20, clock.now()), *played.events(), *played.guidance(12)]
    seen = write_observation(
        Draft("strength", "All answered."),
        observation_id=UUID(int=1),
        realm=exercise.realm,
        objectives=[],
        now=clock.now(),
    )
    assert isinstance(seen, Observation)

    for heard in (events, events[::-1]):
        await hear(heard, AssociationHandlers(AssociationStore(database)), EvaluationHandlers(store))
        await expectations.keep(exercise, Mark(1, Verdict.DONE, "", datetime(2026, 11, 21, tzinfo=UTC), AINO))
        await observations.save(seen)
    report = await store.report_of(exercise.id)

    whole = report.whole
    assert (whole.asked, whole.answered, whole.declined, whole.not_reached, whole.silent) == (20, 3, 2, 1, 14)
    assert [part.measures.asked for parts in report.parts.values() for part in parts] == [5, 5, 5, 5, 7, 7, 6, 10]
    assert report.actions[0].verdict is Verdict.DONE
    assert report.observations == (seen,)
    await database.close()
