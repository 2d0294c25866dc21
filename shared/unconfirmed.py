"""Unconfirmed: an event that is published is kept until every service that hears it has confirmed it.

JetStream's ack is no promise that all hear it: an operator purges a stream, a volume is lost, a block rots and what
stood in it is passed over in silence. The database is the truth: what nobody confirms in time is published again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, bindparam, delete, func, select, update
from sqlmodel import col

from shared.clock import Clock
from shared.db import Database, insert_into
from shared.events import EVENT_TYPES
from shared.log import logger
from shared.plumbing import Saved, UnconfirmedRow
from shared.receipts import Receipt

log = logger(__name__)

FIRST_WAIT: Final = timedelta(minutes=2)
"""Until an event is published again. Each time after that it is twice as long: an outage of hours costs little."""

GIVEN_UP_AFTER: Final = timedelta(days=14)
"""As long as a stream keeps a message."""

PAGE: Final = 500
"""Events that are published again at a time."""


@dataclass(frozen=True)
class Overdue:
    """An event that was published so many times and is still unconfirmed by some service."""

    event_id: UUID
    subject: str
    headers: dict[str, str]
    body: bytes
    awaits: str
    tries: int

    @property
    def new_headers(self) -> dict[str, str]:
        """Its headers with another message id: under the old one JetStream would drop it as a duplicate."""
        return {**self.headers, "Nats-Msg-Id": f"{self.event_id}-r{self.tries}"}


def keep(connection: Connection, events: Sequence[Saved], now: datetime) -> None:
    """Keep these, which are published now, in the very transaction that takes them off the outbox."""
    rows = [
        {
            "event_id": UUID(event.headers["ce-id"]),
            "subject": event.subject,
            "headers": event.headers,
            "body": event.body,
            "awaits": awaits,
            "tries": 1,
            "published_at": now,
            "due_at": now + FIRST_WAIT,
        }
        for event in events
        if (awaits := _awaits(event.headers["ce-type"]))
    ]
    if rows:
        connection.execute(insert_into(connection.dialect.name, UnconfirmedRow).on_conflict_do_nothing(), rows)


class Unconfirmed:
    """What this service has published and not all who hear it have confirmed."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def confirm(self, receipt: Receipt) -> None:
        """Note it; an event that all have confirmed is forgotten."""
        await self._database.write_many(_confirm, [receipt], quietly=True)

    async def overdue(self) -> Sequence[Overdue]:
        """What is to be published again now, at most PAGE."""
        return await self._database.look(partial(_overdue, now=self._clock.now()))

    async def published_again(self, events: Sequence[Overdue]) -> None:
        """Wait for their receipts, twice as long as the last time."""
        log.warning(
            "events that were not confirmed were published again",
            number=len(events),
            awaits=sorted({service for event in events for service in event.awaits.split()}),
            tries=max(event.tries for event in events),
        )
        await self._database.write_many(partial(_put_off, now=self._clock.now()), events, quietly=True)

    async def give_up(self) -> bool:
        """Forget what nobody will confirm any more."""
        old = delete(UnconfirmedRow).where(col(UnconfirmedRow.published_at) < self._clock.now() - GIVEN_UP_AFTER)
        async with self._database.write() as session:
            gone = (await session.execute(old.returning(col(UnconfirmedRow.awaits)))).scalars().all()
        if gone:
            awaited = sorted({service for awaits in gone for service in awaits.split()})
            log.error("events were never confirmed", number=len(gone), awaits=awaited)
        return False


def _awaits(event_type: str) -> str:
    """The services that hear it, each after a space."""
    known = EVENT_TYPES.get(event_type)
    return "".join(f" {service}" for service in known.heard_by) if known else ""


def _overdue(connection: Connection, *, now: datetime) -> Sequence[Overdue]:
    rows: Sequence[Any] = connection.execute(
        select(
            col(UnconfirmedRow.event_id),
            col(UnconfirmedRow.subject),
            col(UnconfirmedRow.headers),
            col(UnconfirmedRow.body),
            col(UnconfirmedRow.awaits),
            col(UnconfirmedRow.tries),
        )
        .where(col(UnconfirmedRow.due_at) <= now)
        .order_by(col(UnconfirmedRow.due_at))
        .limit(PAGE)
    ).all()
    return [Overdue(*row) for row in rows]


def _confirm(connection: Connection, receipts: Sequence[Receipt]) -> Sequence[None]:
    for receipt in receipts:
        these = col(UnconfirmedRow.event_id).in_(receipt.events)
        rest = func.replace(col(UnconfirmedRow.awaits), f" {receipt.service}", "")
        connection.execute(delete(UnconfirmedRow).where(these, rest == ""))
        connection.execute(update(UnconfirmedRow).where(these).values(awaits=rest))
    return [None] * len(receipts)


_PUT_OFF = (
    update(UnconfirmedRow)
    .where(col(UnconfirmedRow.event_id) == bindparam("which"))
    .values(tries=bindparam("next_tries"), due_at=bindparam("next_due_at"))
)


def _put_off(connection: Connection, events: Sequence[Overdue], *, now: datetime) -> Sequence[None]:
    values = [
        {
            "which": event.event_id,
            "next_tries": event.tries + 1,
            "next_due_at": now + FIRST_WAIT * 2**event.tries,
        }
        for event in events
    ]
    connection.execute(_PUT_OFF, values)
    return [None] * len(events)
