"""Store: what was written of a situation's course, newest first."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Connection, Index, select
from sqlmodel import Field

from services.status.schema import StatusTable
from services.status.situation.model import Situation, Words
from services.status.situation.store import SITUATION
from services.status.timeline.model import Update
from shared.db import Database, UtcDateTime, insert_into


class UpdateRow(StatusTable, table=True):
    """One update of a situation. It is never changed: what was wrong is set right by the next."""

    __tablename__ = "situation_update"
    __table_args__ = (Index("update_of_situation", "realm", "situation_id", "at"),)

    realm: str = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    situation_id: UUID
    at: datetime = Field(sa_type=UtcDateTime)
    by: UUID
    words: dict[str, str] = Field(sa_type=JSON)


UPDATE = StatusTable.metadata.tables["situation_update"]


class TimelineStore:
    """Writes and reads the course of situations."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, situation: Situation, update: Update) -> bool:
        """Keep the update; again changes nothing. False if the situation has been closed meanwhile."""
        values = {**vars(update), "words": dict(vars(update.words))}
        place = {"realm": situation.realm, "situation_id": situation.id}
        ended = select(SITUATION.c.closed_at).where(
            SITUATION.c.realm == situation.realm, SITUATION.c.id == situation.id
        )
        statement = insert_into(self._database.dialect, UpdateRow).on_conflict_do_nothing()
        async with self._database.write() as session:
            if (await session.execute(ended.with_for_update())).scalar() is not None:
                return False
            await session.execute(statement, {**values, **place})
        return True

    async def newest(self, situation: Situation, limit: int) -> Sequence[Update]:
        """The newest updates of the situation, newest first."""
        async with self._database.read() as session:
            return await session.run_sync(lambda sync: updates_of(sync.connection(), situation, limit))


def updates_of(connection: Connection, situation: Situation, limit: int) -> list[Update]:
    """The same in the caller's transaction."""
    rows = connection.execute(
        select(UPDATE)
        .where(UPDATE.c.realm == situation.realm, UPDATE.c.situation_id == situation.id)
        .order_by(UPDATE.c.at.desc(), UPDATE.c.id.desc())
        .limit(limit)
    )
    return [_update(row) for row in rows]


def _update(row: Any) -> Update:
    return Update(row.id, row.at, row.by, Words(**row.words))
