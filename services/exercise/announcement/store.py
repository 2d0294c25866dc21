"""Store: announcements of exercises."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Index, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, col

from services.exercise.announcement.model import SHOWN_AFTER, Announced, Announcement
from services.exercise.exercise.store import ExerciseRow, NoSuchExerciseError, exercise_of, locked
from services.exercise.schema import ExerciseTable
from shared.clock import Clock
from shared.db import Database, UtcDateTime

SHOWN = 50
"""Exercises in the public list."""

Change = Callable[[Announcement | None], Announcement | Any]


class AnnouncementRow(ExerciseTable, table=True):
    """What is told of an exercise before it begins. It was never public where `public_since` is None."""

    __tablename__ = "announcement"
    __table_args__ = (Index("announcement_shown", "ends_at"),)

    realm: str = Field(primary_key=True)
    starts_at: datetime = Field(sa_type=UtcDateTime)
    ends_at: datetime = Field(sa_type=UtcDateTime)
    texts: dict[str, str] = Field(sa_type=JSON)
    announced: bool
    changed_at: datetime = Field(sa_type=UtcDateTime)
    sequence: int
    public_since: datetime | None = Field(default=None, sa_type=UtcDateTime)


class AnnouncementStore:
    """Keeps what is announced."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def of(self, realm: str) -> Announcement | None:
        """The announcement of this exercise, public or not."""
        async with self._database.read() as session:
            row = await session.get(AnnouncementRow, realm)
        return announcement_of(row) if row else None

    async def change(self, exercise_id: UUID, change: Change) -> Any:
        """Save what `change` makes of the present announcement; whatever else it gives is handed back, and nothing is
        saved. Raises NoSuchExerciseError."""
        async with self._database.write() as session:
            exercise = await locked(session, exercise_id)
            row = await session.get(AnnouncementRow, exercise.realm.id)
            outcome = change(announcement_of(row) if row else None)
            if isinstance(outcome, Announcement):
                values = _values(outcome)
                if row is None:
                    await session.execute(insert(AnnouncementRow), [{"realm": exercise.realm.id, **values}])
                else:
                    same = col(AnnouncementRow.realm) == exercise.realm
                    await session.execute(update(AnnouncementRow).where(same).values(values))
            return outcome

    async def public(self, exercise_id: UUID) -> Announced:
        """The exercise, if it was ever made public. Raises NoSuchExerciseError."""
        async with self._database.read() as session:
            return await public_one(session, exercise_id)

    async def list_public(self) -> list[Announced]:
        """What was made public and is not over for long, the next one first, at most SHOWN."""
        rows = (
            _public()
            .where(col(AnnouncementRow.ends_at) > self._clock.now() - SHOWN_AFTER)
            .order_by(col(AnnouncementRow.starts_at))
            .limit(SHOWN)
        )
        async with self._database.read() as session:
            return [Announced(exercise_of(one), announcement_of(row)) for one, row in await session.execute(rows)]


async def public_one(session: AsyncSession, exercise_id: UUID) -> Announced:
    """The exercise, if it was ever made public. Raises NoSuchExerciseError."""
    found = (await session.execute(_public().where(col(ExerciseRow.id) == exercise_id))).first()
    if found is None:
        raise NoSuchExerciseError
    return Announced(exercise_of(found[0]), announcement_of(found[1]))


def announcement_of(row: AnnouncementRow) -> Announcement:
    """The announcement that a row tells of."""
    return Announcement(
        starts_at=row.starts_at,
        length=row.ends_at - row.starts_at,
        texts=row.texts,
        announced=row.announced,
        changed_at=row.changed_at,
        sequence=row.sequence,
        public_since=row.public_since,
    )


def never_begun_since(moment: datetime, patience: timedelta) -> Any:
    """The realms of exercises whose announced end passed so long before this moment."""
    return select(col(AnnouncementRow.realm)).where(col(AnnouncementRow.ends_at) <= moment - patience)


def _public() -> Any:
    return (
        select(ExerciseRow, AnnouncementRow)
        .join(AnnouncementRow, col(AnnouncementRow.realm) == col(ExerciseRow.realm))
        .where(col(AnnouncementRow.public_since).is_not(None))
    )


def _values(announcement: Announcement) -> dict[str, Any]:
    return {
        "starts_at": announcement.starts_at,
        "ends_at": announcement.ends_at,
        "texts": dict(announcement.texts),
        "announced": announcement.announced,
        "changed_at": announcement.changed_at,
        "sequence": announcement.sequence,
        "public_since": announcement.public_since,
    }
