"""Store of bounces: letters that came back are kept first; what they say and what follows is one transaction."""

import hashlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import Connection, LargeBinary, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from services.notify.bounce.consequences import deliveries, note_in_ledger, returned_count, soft_days, write_returned
from services.notify.bounce.model import KEPT, MOST_OF_ONE, Found, Report, Returned, State, follows
from services.notify.bounce.schema import BounceRow, ReturnedRow
from services.notify.delivery.return_address import ReturnAddress
from services.notify.delivery.schema import DeliveryRow
from services.notify.subscribers.store import SubscriberStore
from shared.clock import Clock
from shared.db import Database, insert_into
from shared.events.notify import LetterReturned
from shared.ids import new_id
from shared.log import logger
from shared.outbox import announce
from shared.realm import Realm

__all__ = ["BounceStore", "returned_count"]

log = logger(__name__)

BATCH, READ_AT_MOST = 20, 1_000_000
"""Letters that are read in one go, and bytes of each."""

LEASE = timedelta(minutes=5)
FORGOTTEN_AT_ONCE = 200
PAGE = 20


@dataclass(frozen=True)
class Arrived:
    """A letter that has come to a return address."""

    delivery: int
    raw: bytes
    received_at: datetime


@dataclass(frozen=True)
class Claimed:
    """A letter that this process reads, the how manyeth time by `tries`; its beginning."""

    bounce_id: UUID
    delivery: int
    tries: int
    raw: bytes


@dataclass(frozen=True)
class Unread:
    """A letter that no program could read, for a page."""

    bounce_id: UUID
    realm: Realm
    received_at: datetime
    subject: str
    excerpt: str
    size: int


class BounceStore:
    """Letters that came back."""

    def __init__(self, database: Database, *, clock: Clock, subscribers: SubscriberStore, secret: str) -> None:
        self._database = database
        self._clock = clock
        self._subscribers = subscribers
        self._secret = secret
        self._take = database.group(self._write_arrivals)
        self._wake: Callable[[], None] = lambda: None

    def on_taken(self, wake: Callable[[], None]) -> None:
        """Have `wake` called when a letter was taken, or is to be read again."""
        self._wake = wake

    async def known(self, address: ReturnAddress) -> bool:
        """True if we gave this address out and take letters to it: only so many for one delivery."""
        came = select(func.count()).where(col(BounceRow.delivery) == address.delivery).scalar_subquery()
        whose = select(col(DeliveryRow.letter_id), col(DeliveryRow.recipient_id), came)
        async with self._database.read() as session:
            found = (await session.execute(whose.where(col(DeliveryRow.id) == address.delivery))).one_or_none()
        if found is None:
            return False
        letter_id, recipient_id, number = found
        return number < MOST_OF_ONE and address.genuine(letter_id, recipient_id, secret=self._secret)

    async def take(self, arrived: Arrived) -> bool:
        """Keep the letter; returns once it is on disk. False if its delivery is not known."""
        taken = await self._take(arrived)
        self._wake()
        return taken

    async def close(self) -> None:
        """Return when all that waits is kept."""
        await self._take.close()

    async def claim(self) -> list[Claimed]:
        """Up to BATCH letters to be read, given to this caller alone for LEASE; oldest first."""
        now = self._clock.now()
        due = (col(BounceRow.state) == State.NEW, col(BounceRow.claimed_until) <= now)
        async with self._database.read() as session:
            if (await session.execute(select(col(BounceRow.id)).where(*due).limit(1))).first() is None:
                return []
        oldest = select(col(BounceRow.id)).where(*due).order_by(col(BounceRow.received_at), col(BounceRow.id))
        async with self._database.write() as session:
            ids = (await session.execute(oldest.limit(BATCH).with_for_update(skip_locked=True))).scalars().all()
            taken = await session.execute(
                update(BounceRow)
                .where(col(BounceRow.id).in_(ids), *due)
                .values(claimed_until=now + LEASE, tries=col(BounceRow.tries) + 1)
                .returning(
                    col(BounceRow.id),
                    col(BounceRow.delivery),
                    col(BounceRow.tries),
                    func.substr(col(BounceRow.raw), 1, READ_AT_MOST, type_=LargeBinary()),
                )
            )
            return [Claimed(*row) for row in taken]

    async def settle(self, read: Sequence[tuple[Claimed, Report]]) -> None:
        """Write what was read and all that follows from it, in one transaction; what others settled is left alone."""
        now = self._clock.now()
        async with self._database.write() as session:
            mine = await _still_new(session, [claimed.bounce_id for claimed, _ in read])
            settled = [(claimed, report) for claimed, report in read if claimed.bounce_id in mine]
            if not settled:
                return
            await session.execute(update(BounceRow), [_read_values(one.bounce_id, report) for one, report in settled])
            known = await deliveries(session, {claimed.delivery for claimed, _ in settled})
            new = await write_returned(
                session,
                [known[claimed.delivery].returned(claimed.delivery, report) for claimed, report in settled],
                dialect=self._database.dialect,
                now=now,
            )
            await note_in_ledger(session, new)
            sent = {number: one.sent_at or now for number, one in known.items()}
            await self._follow(session, new, sent=sent, now=now)

    async def _follow(
        self, session: AsyncSession, returned: Sequence[Returned], *, sent: dict[int, datetime], now: datetime
    ) -> None:
        if not returned:
            return
        days = await soft_days(session, {one.recipient_id for one in returned}, now)
        what = [(one, follows(one, soft_days=days.get(one.recipient_id, 0))) for one in returned]
        leaving = sorted({one.recipient_id for one, then in what if then.unsubscribe})
        if leaving:
            await self._subscribers.expel(session, leaving)
        spared = {one.recipient_id: sent[one.delivery] for one, then in what if then.suppress}
        hit = await self._subscribers.suppress(session, spared) if spared else []
        told = [_event(one, now) for one, then in what if then.tell]
        await announce(session, told)
        log.info("letters came back", number=len(returned), suppressed=len(hit), left=len(leaving), told=len(told))

    async def unread(self, *, page: int = 1) -> tuple[list[Unread], int]:
        """One page of the letters that no program could read, oldest first, and how many there are."""
        unclear = col(BounceRow.state) == State.UNCLEAR
        columns: list[Any] = [
            col(BounceRow.id),
            col(BounceRow.realm),
            col(BounceRow.received_at),
            col(BounceRow.subject),
            col(BounceRow.excerpt),
            col(BounceRow.size),
        ]
        shown = select(*columns).where(unclear).order_by(col(BounceRow.received_at), col(BounceRow.id))
        async with self._database.read() as session:
            count = await session.scalar(select(func.count()).select_from(BounceRow).where(unclear))
            rows = await session.execute(shown.offset((page - 1) * PAGE).limit(PAGE))
            return [Unread(own, Realm(realm), *rest) for own, realm, *rest in rows], count or 0

    async def figures(self) -> dict[Found, int]:
        """How much of each kind became known within KEPT, of the real world and of exercises together."""
        counted = select(col(ReturnedRow.found), func.count()).where(
            col(ReturnedRow.returned_at) > self._clock.now() - KEPT
        )
        async with self._database.read() as session:
            rows = await session.execute(counted.group_by(col(ReturnedRow.found)))
            return {Found(found): int(number) for found, number in rows}

    async def discard(self, bounce_id: UUID, *, by: UUID) -> bool:
        """Set the letter aside; False if it does not wait for a person any more."""
        return await self._decide(bounce_id, state=State.DISCARDED, settled_by=by, settled_at=self._clock.now())

    async def read_again(self, bounce_id: UUID) -> bool:
        """Have the letter read once more; False if it does not wait for a person any more."""
        again = await self._decide(bounce_id, state=State.NEW, tries=0, claimed_until=self._clock.now())
        self._wake()
        return again

    async def _decide(self, bounce_id: UUID, **values: object) -> bool:
        waits = (col(BounceRow.id) == bounce_id, col(BounceRow.state) == State.UNCLEAR)
        async with self._database.write() as session:
            decided = update(BounceRow).where(*waits).values(values).returning(col(BounceRow.id))
            return (await session.execute(decided)).first() is not None

    async def forget(self) -> bool:
        """Delete some letters that are older than KEPT, but none that is still to be read; True if there may be more.

        What became known by them stays.
        """
        old = (
            select(col(BounceRow.id))
            .where(col(BounceRow.received_at) <= self._clock.now() - KEPT, col(BounceRow.state) != State.NEW)
            .order_by(col(BounceRow.received_at))
            .limit(FORGOTTEN_AT_ONCE)
        )
        async with self._database.read() as session:
            ids = (await session.execute(old)).scalars().all()
        if ids:
            async with self._database.write() as session:
                await session.execute(delete(BounceRow).where(col(BounceRow.id).in_(ids)))
        return len(ids) == FORGOTTEN_AT_ONCE

    def _write_arrivals(self, connection: Connection, arrivals: Sequence[Arrived]) -> Sequence[bool]:
        whose = select(col(DeliveryRow.id), col(DeliveryRow.realm)).where(
            col(DeliveryRow.id).in_(sorted({arrived.delivery for arrived in arrivals}))
        )
        realms = {row.id: row.realm for row in connection.execute(whose)}
        rows = [_values(arrived, realms[arrived.delivery]) for arrived in arrivals if arrived.delivery in realms]
        if rows:
            rows.sort(key=lambda row: (row["delivery"], row["digest"]))
            connection.execute(insert_into(connection.dialect.name, BounceRow).on_conflict_do_nothing(), rows)
        return [arrived.delivery in realms for arrived in arrivals]


def _values(arrived: Arrived, realm: str) -> dict[str, Any]:
    return {
        "id": new_id(),
        "realm": realm,
        "delivery": arrived.delivery,
        "received_at": arrived.received_at,
        "size": len(arrived.raw),
        "digest": hashlib.sha256(arrived.raw).digest(),
        "raw": arrived.raw,
        "state": State.NEW,
        "found": "",
        "status": "",
        "subject": "",
        "excerpt": "",
        "tries": 0,
        "claimed_until": arrived.received_at,
    }


def _read_values(bounce_id: UUID, report: Report) -> dict[str, Any]:
    """A row by its key. Only of what waits for a person is anything kept to be shown."""
    unclear = report.found is Found.UNCLEAR
    return {
        "id": bounce_id,
        "state": State.UNCLEAR if unclear else State.READ,
        "found": report.found.value,
        "status": report.status,
        "subject": report.subject if unclear else "",
        "excerpt": report.excerpt if unclear else "",
    }


async def _still_new(session: AsyncSession, ids: Collection[UUID]) -> set[UUID]:
    waiting = select(col(BounceRow.id)).where(col(BounceRow.id).in_(sorted(ids)), col(BounceRow.state) == State.NEW)
    return set((await session.execute(waiting.with_for_update())).scalars())


def _event(one: Returned, now: datetime) -> LetterReturned:
    """Always the same for one delivery: whoever hears it twice applies it once."""
    return LetterReturned(
        event_id=uuid5(one.letter_id, f"returned {one.delivery}"),
        happened_at=now,
        realm=Realm(one.realm),
        letter_id=one.letter_id,
        recipient_id=one.recipient_id,
        kind=one.kind,
        reason=one.report.reason,
    )
