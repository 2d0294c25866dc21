"""Store: what exercises' logs tell, of associations and of the whole, and the reports made of it.

What is kept is the first moment of each fact: telling it again, or in another order, changes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, Table, case, func, select
from sqlmodel import Field, col

from services.exercise.association.store import register
from services.exercise.director.model import Answers
from services.exercise.director.store import DirectorStore
from services.exercise.evaluation.model import (
    AfterActionReport,
    Fact,
    Happening,
    Noted,
    Record,
    compile_report,
)
from services.exercise.exercise.model import Exercise
from services.exercise.exercise.store import ExerciseRow, ExerciseStore
from services.exercise.expectation.store import ExpectationStore
from services.exercise.observation.store import ObservationStore
from services.exercise.schema import ExerciseTable
from services.exercise.simulated.store import SimulatedRow
from shared.clock import Clock
from shared.db import Database, UtcDateTime, insert_into
from shared.realm import Realm


class HeardRow(ExerciseTable, table=True):
    """When a fact of an association was first so in an exercise."""

    __tablename__ = "heard"

    realm: str = Field(primary_key=True)
    association_id: UUID = Field(primary_key=True)
    fact: str = Field(primary_key=True)
    first_at: datetime = Field(sa_type=UtcDateTime)


class NotedRow(ExerciseTable, table=True):
    """Something that happened in an exercise; the numbers are those of letters of a broadcast."""

    __tablename__ = "noted"

    realm: str = Field(primary_key=True)
    happening: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    first_at: datetime = Field(sa_type=UtcDateTime)
    sent: int = 0
    failed: int = 0


HEARD = ExerciseTable.metadata.tables["heard"]
NOTED = ExerciseTable.metadata.tables["noted"]


@dataclass(frozen=True)
class OfAssociations:
    """One fact of these associations, and when it was so of each."""

    realm: Realm
    fact: Fact
    moments: Mapping[UUID, datetime]


@dataclass(frozen=True)
class OfExercise:
    """One thing that happened in an exercise."""

    realm: Realm
    noted: Noted


News = OfAssociations | OfExercise


@dataclass(frozen=True)
class Sources:
    """The stores from which a report is compiled."""

    exercises: ExerciseStore
    director: DirectorStore
    expectations: ExpectationStore
    observations: ObservationStore


class EvaluationStore:
    """Hears what exercises' logs tell, and compiles reports."""

    def __init__(self, database: Database, sources: Sources, *, clock: Clock) -> None:
        self._database = database
        self._sources = sources
        self._clock = clock
        self._hear = database.group(_write)

    async def hear(self, news: News) -> None:
        """Keep it, at the same cost however many there are."""
        await self._hear(news)

    async def report(self, exercise: Exercise) -> AfterActionReport:
        """The after-action report of an exercise as its log stands now."""
        async with self._database.read() as session:
            connection = await session.connection()
            log = await connection.run_sync(_read, exercise.realm)
        record = replace(
            log,
            participants=await self._sources.exercises.participants(exercise),
            marks=await self._sources.expectations.marks(exercise),
            observations=await self._sources.observations.list_of(exercise),
        )
        lines = await self._sources.director.timeline(exercise)
        history = await self._sources.exercises.history(exercise)
        return compile_report(exercise, history, record, lines, now=self._clock.now())

    async def answers(self, exercise: Exercise) -> Answers:
        """How many were asked and answered until now, as the report counts them but for associations merged since."""
        return await self._database.look(lambda connection: _answers(connection, exercise.realm))

    async def report_of(self, exercise_id: UUID) -> AfterActionReport:
        """The same by the exercise's id. Raises NoSuchExerciseError."""
        return await self.report(await self._sources.exercises.one(exercise_id))

    async def of_realms(self, realms: Sequence[Realm]) -> dict[Realm, UUID]:
        """The ids of the exercises of these realms."""
        rows = select(col(ExerciseRow.realm), col(ExerciseRow.id)).where(col(ExerciseRow.realm).in_(realms))
        async with self._database.read() as session:
            return {Realm(realm): id_ for realm, id_ in await session.execute(rows)}


def _answers(connection: Connection, realm: Realm) -> Answers:
    """Each association once. One that was not reached and answered or declined all the same was reached."""
    has = {fact: func.max(case((HEARD.c.fact == fact.value, 1), else_=0)).label(fact.name.lower()) for fact in Fact}
    each = (
        select(HEARD.c.association_id, *has.values())
        .where(HEARD.c.realm == realm.id)
        .group_by(HEARD.c.association_id)
        .subquery()
    )
    c = each.c
    reached_not = c.not_reached * (1 - c.answered) * (1 - c.declined)
    sums = select(func.sum(c.asked), func.sum(c.asked * c.answered), func.sum(c.asked * reached_not))
    return Answers(*(int(figure or 0) for figure in connection.execute(sums).one()))


def _read(connection: Connection, realm: Realm) -> Record:
    """What the log of this realm and the register tell."""
    heard: dict[UUID, dict[Fact, datetime]] = {}
    of_one = select(HEARD.c.association_id, HEARD.c.fact, HEARD.c.first_at).where(HEARD.c.realm == realm.id)
    for association_id, fact, at in connection.execute(of_one):
        heard.setdefault(association_id, {})[Fact(fact)] = at
    columns = (NOTED.c.happening, NOTED.c.key, NOTED.c.first_at, NOTED.c.sent, NOTED.c.failed)
    noted = [
        Noted(Happening(what), key, at, sent, failed)
        for what, key, at, sent, failed in connection.execute(select(*columns).where(NOTED.c.realm == realm.id))
    ]
    simulated = select(col(SimulatedRow.association_id)).where(col(SimulatedRow.realm) == realm)
    return Record(heard, noted, register(connection), 0, frozenset(connection.execute(simulated).scalars()))


def _write(connection: Connection, news: Sequence[News]) -> list[None]:
    facts: dict[tuple[str, UUID, str], datetime] = {}
    happened: dict[tuple[str, str, str], Noted] = {}
    for one in news:
        if isinstance(one, OfAssociations):
            for association_id, at in one.moments.items():
                key = (one.realm.id, association_id, one.fact.value)
                facts[key] = min(at, facts.get(key, at))
        else:
            place = (one.realm.id, one.noted.what.value, one.noted.key)
            happened[place] = min(one.noted, happened.get(place, one.noted), key=lambda noted: noted.at)
    heard_rows = [
        {"realm": realm, "association_id": association_id, "fact": fact, "first_at": at}
        for (realm, association_id, fact), at in sorted(facts.items())
    ]
    noted_rows = [
        {"realm": realm, "happening": what, "key": key, "first_at": at.at, "sent": at.sent, "failed": at.failed}
        for (realm, what, key), at in sorted(happened.items(), key=lambda item: item[0])
    ]
    _keep_first(connection, HEARD, HeardRow, heard_rows)
    _keep_first(connection, NOTED, NotedRow, noted_rows)
    return [None] * len(news)


def _keep_first(
    connection: Connection, table: Table, row: type[ExerciseTable], values: Sequence[dict[str, object]]
) -> None:
    if not values:
        return
    statement = insert_into(connection.dialect.name, row)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[column.name for column in table.primary_key],
            set_={"first_at": statement.excluded["first_at"]},
            where=statement.excluded["first_at"] < table.c.first_at,
        ),
        values,
    )
