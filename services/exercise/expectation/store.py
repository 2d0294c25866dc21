"""Store: the judgements of those who lead on expected actions."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlmodel import Field, col

from services.exercise.exercise.model import Exercise
from services.exercise.expectation.model import Mark, Verdict
from services.exercise.schema import ExerciseTable
from shared.db import Database, UtcDateTime, insert_into


class MarkRow(ExerciseTable, table=True):
    """A judgement; where there is none, the log speaks."""

    __tablename__ = "action_mark"

    realm: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    verdict: str
    note: str
    marked_at: datetime = Field(sa_type=UtcDateTime)
    marked_by: UUID


class ExpectationStore:
    """Keeps one judgement for each expected action of an exercise: the last one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, exercise: Exercise, mark: Mark) -> None:
        """Keep this judgement in place of an earlier one."""
        values = {
            "verdict": mark.verdict.value,
            "note": mark.note,
            "marked_at": mark.marked_at,
            "marked_by": mark.marked_by,
        }
        statement = insert_into(self._database.dialect, MarkRow).values(
            realm=exercise.realm.id, number=mark.number, **values
        )
        async with self._database.write() as session:
            await session.execute(statement.on_conflict_do_update(index_elements=["realm", "number"], set_=values))

    async def take_back(self, exercise: Exercise, number: int) -> None:
        """Let the log speak again."""
        async with self._database.write() as session:
            await session.execute(
                delete(MarkRow).where(col(MarkRow.realm) == exercise.realm, col(MarkRow.number) == number)
            )

    async def marks(self, exercise: Exercise) -> dict[int, Mark]:
        """All judgements of this exercise by the number of the inject."""
        async with self._database.read() as session:
            rows = (await session.execute(select(MarkRow).where(col(MarkRow.realm) == exercise.realm))).scalars()
            return {
                row.number: Mark(row.number, Verdict(row.verdict), row.note, row.marked_at, row.marked_by)
                for row in rows
            }
