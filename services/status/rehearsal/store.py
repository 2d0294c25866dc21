"""Store: the exercises that run now, so that whoever sees that something real happens can end them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import JSON, delete, select
from sqlmodel import Field, col

from services.status.schema import StatusTable
from shared.db import Database, UtcDateTime, insert_into
from shared.events.exercise import ExerciseStarted
from shared.i18n import Locale
from shared.realm import Realm

SHOWN = 10


class RunningExerciseRow(StatusTable, table=True):
    """An exercise that began and is not over."""

    __tablename__ = "running_exercise"

    realm: str = Field(primary_key=True)
    exercise_id: UUID
    titles: dict[str, str] = Field(sa_type=JSON)
    started_at: datetime = Field(sa_type=UtcDateTime)


@dataclass(frozen=True)
class RunningExercise:
    """An exercise that runs; its title says that it is one."""

    id: UUID
    titles: dict[str, str]

    def title(self, locale: Locale) -> str:
        """Its title in this language, else in Finnish."""
        return self.titles.get(locale.lang) or self.titles.get(Locale.FI, "")


class RunningExercises:
    """Remembers which exercises run."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def begun(self, event: ExerciseStarted) -> None:
        """It runs; saying so again changes nothing."""
        row = {"realm": event.realm.id, "exercise_id": event.exercise_id, "titles": event.titles}
        statement = insert_into(self._database.dialect, RunningExerciseRow).on_conflict_do_nothing()
        async with self._database.write() as session:
            await session.execute(statement, [{**row, "started_at": event.happened_at}])

    async def over(self, realm: Realm) -> None:
        """It runs no more."""
        async with self._database.write() as session:
            await session.execute(delete(RunningExerciseRow).where(col(RunningExerciseRow.realm) == realm))

    async def now(self) -> list[RunningExercise]:
        """Those that run, the one that began last first, at most SHOWN."""
        rows = select(RunningExerciseRow).order_by(col(RunningExerciseRow.started_at).desc()).limit(SHOWN)
        async with self._database.read() as session:
            return [RunningExercise(row.exercise_id, row.titles) for row in (await session.execute(rows)).scalars()]
