"""Store: observations of exercises."""

from collections.abc import Callable
from datetime import date, datetime
from http import HTTPStatus
from uuid import UUID

from sqlalchemy import Index, delete, func, select
from sqlmodel import Field, col

from services.exercise.exercise.model import Exercise
from services.exercise.observation.model import Observation, Sort
from services.exercise.schema import ExerciseTable
from shared.db import Database, UtcDateTime, insert_into
from shared.i18n import N_
from shared.realm import Realm
from shared.web import TroubleError

MOST = 200
"""Observations of one exercise, and open corrective actions of all, that are ever shown."""


class ObservationRow(ExerciseTable, table=True):
    """An observation. It is `open` while its corrective action is to be done."""

    __tablename__ = "observation"
    __table_args__ = (Index("observation_open", "open", "due"),)

    realm: str = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    sort: str
    text: str
    objective: str
    action: str
    owner: str
    due: date | None = None
    open: bool
    written_at: datetime = Field(sa_type=UtcDateTime)
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class NoSuchObservationError(TroubleError):
    """There is no observation with this id in this exercise."""

    def __init__(self) -> None:
        super().__init__(
            HTTPStatus.NOT_FOUND,
            N_("There is no such observation."),
            what_next=N_("Go back to the report: it shows all of them."),
        )


class TooManyObservationsError(TroubleError):
    """This exercise has as many observations as can be shown."""

    def __init__(self) -> None:
        super().__init__(
            HTTPStatus.CONFLICT,
            N_("This exercise has as many observations as a report can show. Nothing was saved."),
            what_next=N_("Put several into one, or remove one that is not needed."),
        )


class ObservationStore:
    """Keeps observations."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(self, observation: Observation) -> None:
        """Save it, new or changed; saving the same twice changes nothing. Raises TooManyObservationsError."""
        known = select(col(ObservationRow.id)).where(col(ObservationRow.realm) == observation.realm)
        values = _values(observation)
        moving = {name: value for name, value in values.items() if name not in {"realm", "id", "written_at"}}
        statement = insert_into(self._database.dialect, ObservationRow).values(values)
        async with self._database.write() as session:
            ids = set((await session.execute(known.limit(MOST + 1))).scalars())
            if len(ids) >= MOST and observation.id not in ids:
                raise TooManyObservationsError
            await session.execute(statement.on_conflict_do_update(index_elements=["realm", "id"], set_=moving))

    async def change(
        self, exercise: Exercise, observation_id: UUID, verb: Callable[[Observation], Observation]
    ) -> None:
        """Have it as the verb makes it. Raises NoSuchObservationError."""
        await self.save(verb(await self.one(exercise, observation_id)))

    async def remove(self, exercise: Exercise, observation_id: UUID) -> None:
        """Have it no more."""
        async with self._database.write() as session:
            await session.execute(
                delete(ObservationRow).where(
                    col(ObservationRow.realm) == exercise.realm, col(ObservationRow.id) == observation_id
                )
            )

    async def one(self, exercise: Exercise, observation_id: UUID) -> Observation:
        """The observation with this id. Raises NoSuchObservationError."""
        async with self._database.read() as session:
            row = await session.get(ObservationRow, (exercise.realm.id, observation_id))
        if row is None:
            raise NoSuchObservationError
        return _observation(row)

    async def list_of(self, exercise: Exercise) -> tuple[Observation, ...]:
        """All observations of the exercise, strengths first, then by when they were written."""
        rows = (
            select(ObservationRow)
            .where(col(ObservationRow.realm) == exercise.realm)
            .order_by(col(ObservationRow.sort), col(ObservationRow.written_at), col(ObservationRow.id))
            .limit(MOST)
        )
        async with self._database.read() as session:
            return tuple(_observation(row) for row in (await session.execute(rows)).scalars())

    async def open_actions(self) -> tuple[list[Observation], int]:
        """The corrective actions of all exercises that are to be done, those due first, at most MOST; and how many
        there are in all."""
        where = col(ObservationRow.open).is_(True)
        rows = select(ObservationRow).where(where).order_by(col(ObservationRow.due), col(ObservationRow.id)).limit(MOST)
        async with self._database.read() as session:
            total = (await session.execute(select(func.count()).select_from(ObservationRow).where(where))).scalar_one()
            return [_observation(row) for row in (await session.execute(rows)).scalars()], int(total)


def _values(observation: Observation) -> dict[str, object]:
    return {
        "realm": observation.realm.id,
        "id": observation.id,
        "sort": observation.sort.value,
        "text": observation.text,
        "objective": observation.objective,
        "action": observation.action,
        "owner": observation.owner,
        "due": observation.due,
        "open": observation.open_action,
        "written_at": observation.written_at,
        "closed_at": observation.closed_at,
    }


def _observation(row: ObservationRow) -> Observation:
    return Observation(
        id=row.id,
        realm=Realm(row.realm),
        sort=Sort(row.sort),
        text=row.text,
        objective=row.objective,
        action=row.action,
        owner=row.owner,
        due=row.due,
        written_at=row.written_at,
        closed_at=row.closed_at,
    )
