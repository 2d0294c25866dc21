"""Inbox: which events a consumer has applied, so that a redelivery changes nothing."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from shared.clock import Clock
from shared.db import Database, insert_into
from shared.plumbing import InboxRow

KEPT: Final = timedelta(days=60)
"""A stream keeps a message for 14 days, its sender publishes it again for 14 more, and that too is kept for 14."""


def unseen(connection: Connection, consumer: str, event_ids: Sequence[UUID], now: datetime) -> set[UUID]:
    """Record these events as applied by this consumer; return those that were not recorded before.

    Call it in the very transaction that applies them.
    """
    if not event_ids:
        return set()
    statement = (
        insert_into(connection.dialect.name, InboxRow).on_conflict_do_nothing().returning(col(InboxRow.event_id))
    )
    values = [{"consumer": consumer, "event_id": event_id, "applied_at": now} for event_id in set(event_ids)]
    return set(connection.execute(statement, values).scalars())


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
