"""Outbox: an event is saved in the transaction of the fact that it tells, and published from there until acked."""

import asyncio
import contextlib
import json
import random
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Any
from uuid import uuid4

import nats.errors
from nats.aio.client import Client
from sqlalchemy import Connection, Integer, bindparam, delete, insert, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from shared.clock import Clock
from shared.db import Database
from shared.events import Event
from shared.log import correlation, logger
from shared.plumbing import OutboxRow, Saved
from shared.unconfirmed import PAGE, Unconfirmed, keep

log = logger(__name__)

BATCH = 500
ATOMIC_FROM = 16
"""From so many rows an atomic batch (ADR-50, one fsync) is faster than single publishes; measured."""


class NotAllPublishedError(Exception):
    """Some rows were not acked; they stay in the outbox and are tried again."""


def outbox_values(events: Iterable[Event]) -> list[dict[str, Any]]:
    """The outbox rows of these events, ready for an INSERT."""
    cause = correlation()
    return [
        {
            "stream": event.stream,
            "subject": event.subject,
            "headers": event.headers(cause),
            "body": event.body(),
            "saved_at": event.happened_at,
        }
        for event in events
    ]


async def announce(session: AsyncSession, events: Sequence[Event]) -> None:
    """Save these events in the session's transaction; they are published after its commit."""
    if events:
        await session.execute(insert(OutboxRow), outbox_values(events))


def announce_all(connection: Connection, events: Sequence[Event]) -> None:
    """The same, inside a synchronous group commit."""
    if events:
        connection.execute(insert(OutboxRow), outbox_values(events))


class Relay:
    """Publishes what the outbox holds, oldest first; on JetStream's ack an event waits for those who hear it.

    Two relays on one database are harmless: `Nats-Msg-Id` and the consumers' inbox make repeats silent.
    """

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._wake = asyncio.Event()
        self.unconfirmed = Unconfirmed(database, clock=clock)
        database.after_commit(self._wake.set)

    async def run(self, connection: Client) -> None:
        """Relay for ever: at once after a commit, and each second in any case. Ends by cancellation."""
        while True:
            self._wake.clear()
            try:
                while await self.once(connection) == BATCH:
                    log.debug("outbox drains")
            except (nats.errors.Error, SQLAlchemyError, OSError, TimeoutError, NotAllPublishedError) as error:
                log.warning("outbox waits", error=repr(error))
                await self._clock.sleep(random.uniform(0.5, 1.5))  # noqa: S311 - jitter, not a secret
            else:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), 1)

    async def once(self, connection: Client) -> int:
        """Publish up to BATCH rows; how many there were. Raises NotAllPublishedError if one was not acked."""
        rows = await self._database.look(_oldest)
        for stream in dict.fromkeys(row.stream for row in rows):
            await self._publish(connection, [row for row in rows if row.stream == stream])
        return len(rows)

    async def _publish(self, connection: Client, rows: Sequence[Saved]) -> None:
        if len(rows) >= ATOMIC_FROM and await _atomically(connection, rows):
            done = list(rows)
        else:
            acks = await asyncio.gather(
                *(_singly(connection, row.subject, row.body, headers=row.headers) for row in rows),
                return_exceptions=True,
            )
            done = [row for row, ack in zip(rows, acks, strict=True) if not isinstance(ack, BaseException)]
        if done:
            await self._database.write_many(partial(_published, now=self._clock.now()), done, quietly=True)
        if len(done) < len(rows):
            raise NotAllPublishedError(f"{len(rows) - len(done)} of {len(rows)}")

    async def again(self, connection: Client) -> bool:
        """Publish once more what was not confirmed in time; True if there may be more. What fails waits as it is.

        The event keeps its id: who has applied it knows it by that.
        """
        overdue = await self.unconfirmed.overdue()
        acks = await asyncio.gather(
            *(_singly(connection, event.subject, event.body, headers=event.new_headers) for event in overdue),
            return_exceptions=True,
        )
        done = [event for event, ack in zip(overdue, acks, strict=True) if not isinstance(ack, BaseException)]
        if done:
            await self.unconfirmed.published_again(done)
        return len(done) == PAGE

    async def oldest(self) -> Saved | None:
        """The event that has waited longest, for the readiness check."""
        return next(iter(await self._database.look(partial(_oldest, most=1))), None)


_OLDEST = (
    select(
        col(OutboxRow.id),
        col(OutboxRow.stream),
        col(OutboxRow.subject),
        col(OutboxRow.headers),
        col(OutboxRow.body),
        col(OutboxRow.saved_at),
    )
    .order_by(col(OutboxRow.id))
    .limit(bindparam("most", type_=Integer))
)
_FORGET = delete(OutboxRow).where(
    col(OutboxRow.id).in_(bindparam("rows", expanding=True)),
    col(OutboxRow.body).in_(bindparam("events", expanding=True)),
)
"""By number and event: SQLite gives the number of a row that another relay has forgotten to the next one."""


def _oldest(connection: Connection, most: int = BATCH) -> list[Saved]:
    rows: Sequence[Any] = connection.execute(_OLDEST, {"most": most}).all()
    return [Saved(*row) for row in rows]


def _published(connection: Connection, rows: Sequence[Saved], *, now: datetime) -> Sequence[None]:
    keep(connection, rows, now)
    connection.execute(_FORGET, {"rows": [row.id for row in rows], "events": [row.body for row in rows]})
    return [None] * len(rows)


async def _singly(connection: Client, subject: str, body: bytes, *, headers: dict[str, str]) -> None:
    reply = await connection.request(subject, body, headers=headers, timeout=5)
    answer = json.loads(reply.data)
    if "error" in answer:
        raise NotAllPublishedError(str(answer["error"]))


async def _atomically(connection: Client, rows: Sequence[Saved]) -> bool:
    """All rows in one atomic batch; False if the server refused it (a repeat refuses the whole): then go singly."""
    group = uuid4().hex
    *first, last = rows
    for number, row in enumerate(first, 1):
        headers = {**row.headers, "Nats-Batch-Id": group, "Nats-Batch-Sequence": str(number)}
        await connection.publish(row.subject, row.body, headers=headers)
    headers = {
        **last.headers,
        "Nats-Batch-Id": group,
        "Nats-Batch-Sequence": str(len(rows)),
        "Nats-Batch-Commit": "1",
    }
    reply = await connection.request(last.subject, last.body, headers=headers, timeout=5)
    return "error" not in json.loads(reply.data)
