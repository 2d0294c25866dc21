"""Inbox: which events a consumer has applied, so that a redelivery changes nothing."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, bindparam, delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from shared.clock import Clock
from shared.db import Database, insert_into
from shared.plumbing import InboxRow
from shared.rows import RowReader, RowWriter

KEPT: Final = timedelta(days=60)
"""A stream keeps a message for 14 days, its sender publishes it again for 14 more, and that too is kept for 14."""


_KNOWN = RowReader(
    select(col(InboxRow.event_id)).where(
        col(InboxRow.consumer) == bindparam("consumer"), col(InboxRow.event_id).in_(bindparam("ids", expanding=True))
    )
)
_RECORD = RowWriter(InboxRow, ("consumer", "event_id", "applied_at"))


def unseen(connection: Connection, consumer: str, event_ids: Sequence[UUID], now: datetime) -> set[UUID]:
    """Record these events as applied by this consumer; return those that were not recorded before.

    Call it in the very transaction that applies them.
    """
    if not event_ids:
        return set()
    ids = set(event_ids)
    rows = [{"consumer": consumer, "event_id": event_id, "applied_at": now} for event_id in ids]
    if connection.dialect.name == "sqlite":  # one writer at a time: what is not there now comes from nobody else
        known = {event_id for [event_id] in _KNOWN(connection, consumer=consumer, ids=list(ids))}
        _RECORD(connection, [row for row in rows if row["event_id"] not in known])
        return ids - known
    statement = (
        insert_into(connection.dialect.name, InboxRow).on_conflict_do_nothing().returning(col(InboxRow.event_id))
    )
    return set(connection.execute(statement, rows).scalars())


async def first_time(session: AsyncSession, consumer: str, event_id: UUID, now: datetime) -> bool:
    """Record one event as applied; False if it was recorded before."""
    connection = await session.connection()
    return bool(await connection.run_sync(unseen, consumer, [event_id], now))


async def applied(session: AsyncSession, consumer: str, event_id: UUID) -> bool:
    """True if this consumer recorded it, as `first_time` does."""
    rows = select(col(InboxRow.event_id)).where(col(InboxRow.consumer) == consumer, col(InboxRow.event_id) == event_id)
    return (await session.execute(rows)).first() is not None


async def forget_applied(database: Database, *, clock: Clock) -> bool:
    """Forget what was applied longer than KEPT ago."""
    async with database.write() as session:
        await session.execute(delete(InboxRow).where(col(InboxRow.applied_at) < clock.now() - KEPT))
    return False
