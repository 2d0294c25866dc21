"""Format: the history of an exercise's clock as rows: one for each point at which it began to go otherwise."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, col

from services.exercise.exercise.model import ClockPoint
from services.exercise.schema import ExerciseTable
from shared.db import UtcDateTime, insert_into
from shared.realm import Realm


class ClockPointRow(ExerciseTable, table=True):
    """A point of the history of an exercise's clock."""

    __tablename__ = "clock_point"

    realm: str = Field(primary_key=True)
    at: datetime = Field(primary_key=True, sa_type=UtcDateTime)
    offset_seconds: float
    speed: int


async def keep_points(session: AsyncSession, realm: Realm, points: Sequence[ClockPoint]) -> None:
    """Add these points; of two at one moment the later one told holds."""
    for point in points:
        statement = insert_into(session.get_bind().dialect.name, ClockPointRow)
        values = {"offset_seconds": point.offset.total_seconds(), "speed": point.speed}
        await session.execute(
            statement.values(realm=realm.id, at=point.at, **values).on_conflict_do_update(
                index_elements=["realm", "at"], set_=values
            )
        )


async def clock_points(session: AsyncSession, realm: Realm) -> tuple[ClockPoint, ...]:
    """All points of this exercise, in order of time."""
    rows = select(ClockPointRow).where(col(ClockPointRow.realm) == realm).order_by(col(ClockPointRow.at))
    return tuple(
        ClockPoint(row.at, timedelta(seconds=row.offset_seconds), row.speed)
        for row in (await session.execute(rows)).scalars()
    )
