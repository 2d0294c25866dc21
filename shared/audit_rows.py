"""Audit rows: they are added in the transaction of the act that they tell, and never changed."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Connection, Index, LargeBinary, Select, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col

from shared.audit import BEGINNING, Checked, Deed, Head, Link, Wanted, follow, link
from shared.clock import Clock
from shared.db import Database, UtcDateTime, insert_into
from shared.log import logger

log = logger(__name__)

ONLY = 1
"""The key of the one row that holds the head, and of the one that says how far was checked."""

PAGE = 50
BATCH = 2_000
ACTORS_AT_MOST = 200
RECHECKED = timedelta(days=1)
EVERYTHING = Wanted()


class AuditColumns(SQLModel):
    """One act of the staff. Append-only: the database itself refuses to change or delete a row (see migrations)."""

    number: int = Field(primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime)
    act: str
    actor: UUID | None = None
    subject: str
    details: dict[str, Any] = Field(sa_type=JSON)
    previous: bytes = Field(sa_type=LargeBinary)
    hash: bytes = Field(sa_type=LargeBinary)


def audit_indexes() -> tuple[Index, ...]:
    """The indexes of a table of these columns, by which its rows are looked for."""
    return (
        Index("audit_by_actor", "actor", "number"),
        Index("audit_by_act", "act", "number"),
        Index("audit_by_subject", "subject", "number"),
        Index("audit_by_time", "at", "number"),
    )


class AuditHeadColumns(SQLModel):
    """The end of the chain: writers queue here, and a last row that was taken away shows."""

    id: int = Field(primary_key=True)
    number: int
    hash: bytes = Field(sa_type=LargeBinary)


class AuditCheckColumns(SQLModel):
    """How far the chain was followed in this pass (`number`, `hash`), and how the last whole pass found it."""

    id: int = Field(primary_key=True)
    number: int
    hash: bytes = Field(sa_type=LargeBinary)
    begun_at: datetime = Field(sa_type=UtcDateTime)
    whole_to: int
    whole_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    broken_at: int | None = None


@dataclass(frozen=True)
class AuditTables:
    """The tables of a service in which its audit is kept. Deeds are written by them, in whichever transaction."""

    row: type[AuditColumns]
    head: type[AuditHeadColumns]
    check: type[AuditCheckColumns]

    async def record(self, session: AsyncSession, deed: Deed) -> None:
        """Write down the deed in the session's transaction."""
        connection = await session.connection()
        await connection.run_sync(self.record_all, [deed])

    def record_all(self, connection: Connection, deeds: Sequence[Deed]) -> None:
        """Write down these deeds, in order, in the connection's transaction: the last thing that it does, since other
        writers wait for the head from here to the commit."""
        if not deeds:
            return
        head = self._locked_head(connection)
        rows: list[dict[str, Any]] = []
        for deed in deeds:
            next_one = link(head, deed)
            rows.append(_row_values(next_one))
            head = Head(next_one.number, next_one.hash)
        connection.execute(insert(self.row), rows)
        grown = update(self.head).where(col(self.head.id) == ONLY)
        connection.execute(grown.values(number=head.number, hash=head.hash))

    def _locked_head(self, connection: Connection) -> Head:
        start = insert_into(connection.dialect.name, self.head).on_conflict_do_nothing()
        connection.execute(start, {"id": ONLY, "number": 0, "hash": BEGINNING})
        head = select(col(self.head.number), col(self.head.hash)).where(col(self.head.id) == ONLY).with_for_update()
        number, last_hash = connection.execute(head).one()
        return Head(number, last_hash)


def _row_values(row: Link) -> dict[str, Any]:
    return {
        "number": row.number,
        "at": row.deed.at,
        "act": str(row.deed.act),
        "actor": row.deed.actor,
        "subject": row.deed.subject,
        "details": row.deed.details,
        "previous": row.previous,
        "hash": row.hash,
    }


class AuditStore:
    """The audit, to be read and checked."""

    def __init__(self, database: Database, *, clock: Clock, tables: AuditTables) -> None:
        self._database = database
        self._clock = clock
        self._tables = tables
        self._row, self._head, self._check = tables.row, tables.head, tables.check

    async def page(self, wanted: Wanted = EVERYTHING, *, before: int | None = None, size: int = PAGE) -> list[Link]:
        """The newest rows that are wanted, newest first; `before` goes on below a row number. However long the audit
        is, only these rows are read."""
        rows = self._matching(wanted).order_by(col(self._row.number).desc()).limit(size)
        if before is not None:
            rows = rows.where(col(self._row.number) < before)
        async with self._database.read() as session:
            return [_link_of(row) for row in (await session.execute(rows)).scalars()]

    async def each(self, wanted: Wanted = EVERYTHING) -> AsyncIterator[list[Link]]:
        """All rows that are wanted, newest first, in batches."""
        before = None
        while rows := await self.page(wanted, before=before, size=BATCH):
            yield rows
            before = rows[-1].number

    async def choices(self) -> list[tuple[str, str]]:
        """Those who have acted, where their names are not known: id, and the end of it. At most ACTORS_AT_MOST."""
        found = select(col(self._row.actor)).where(col(self._row.actor).is_not(None)).distinct()
        async with self._database.read() as session:
            rows = await session.execute(found.order_by(col(self._row.actor)).limit(ACTORS_AT_MOST))
            return [(str(actor), str(actor)[-12:]) for actor in rows.scalars()]

    async def write(self, deed: Deed) -> None:
        """Write down a deed that changes nothing else."""
        async with self._database.write() as session:
            await self._tables.record(session, deed)

    async def first_break(self) -> int | None:
        """The number of the first row that is missing or not as it was written; None when all is whole.

        Every row is read, a batch at a time. Rows that are added meanwhile are left to the next time.
        """
        head, newest = await self._end()
        last, broken = Head(), None
        while broken is None and last.number < head.number:
            rows = await self._after(last.number, to=head.number)
            last, broken = follow(last, rows)
            if not rows:
                return last.number + 1
        if broken is None and (last != head or newest > head.number):
            return last.number + 1
        return broken

    async def checked(self) -> Checked:
        """How the last check found the chain."""
        async with self._database.read() as session:
            row = await session.get(self._check, ONLY)
        return Checked(row.whole_to, row.whole_at, row.broken_at) if row else Checked()

    async def check_on(self, now: datetime) -> bool:
        """Check the next BATCH rows; False when the end, or a break, is reached.

        A new pass over all rows begins RECHECKED after the last one began; until then, only what was added since is
        read. Two replicas that check at once do some of it twice.
        """
        head, newest = await self._end()
        async with self._database.read() as session:
            row = await session.get(self._check, ONLY)
        anew = row is None or row.broken_at is not None or now - row.begun_at >= RECHECKED
        last = Head() if row is None or anew else Head(row.number, row.hash)
        rows = await self._after(last.number, to=head.number)
        last, broken = follow(last, rows)
        ended = not rows or last.number >= head.number
        if broken is None and ended and (last != head or newest > head.number):
            broken = last.number + 1
        begun_at = now if row is None or anew else row.begun_at
        values: dict[str, Any] = {"number": last.number, "hash": last.hash, "begun_at": begun_at, "broken_at": broken}
        if ended and broken is None:
            values |= {"whole_to": last.number, "whole_at": now}
        await self._remember(values)
        return broken is None and not ended

    async def check(self) -> bool:
        """Check the next rows, so that a break is logged before anybody looks; True if there are more."""
        more = await self.check_on(self._clock.now())
        if not more and (broken := (await self.checked()).broken_at):
            log.error("the audit is broken: a row is missing or changed", row=broken)
        return more

    async def _remember(self, values: dict[str, Any]) -> None:
        async with self._database.write() as session:
            start = insert_into(self._database.dialect, self._check).on_conflict_do_update(
                index_elements=["id"], set_=values
            )
            await session.execute(start, {"id": ONLY, "whole_to": 0, **values})

    async def _end(self) -> tuple[Head, int]:
        """The head, and the number of the newest row, as they are at one moment."""
        newest = select(func.max(col(self._row.number))).scalar_subquery()
        end = select(col(self._head.number), col(self._head.hash), newest)
        async with self._database.read() as session:
            found = (await session.execute(end)).one_or_none()
            if found is None:
                return Head(), await session.scalar(select(func.max(col(self._row.number)))) or 0
        return Head(found[0], found[1]), found[2] or 0

    async def _after(self, number: int, *, to: int) -> list[Link]:
        """The next BATCH rows, in order."""
        rows = (
            select(self._row)
            .where(col(self._row.number) > number, col(self._row.number) <= to)
            .order_by(col(self._row.number))
            .limit(BATCH)
        )
        async with self._database.read() as session:
            return [_link_of(row) for row in (await session.execute(rows)).scalars()]

    def _matching(self, wanted: Wanted) -> Select[Any]:
        rows = select(self._row)
        if wanted.operator:
            rows = rows.where(col(self._row.actor).is_(None))
        elif wanted.actor is not None:
            rows = rows.where(col(self._row.actor) == wanted.actor)
        if wanted.act is not None:
            rows = rows.where(col(self._row.act) == wanted.act)
        if wanted.subject:
            rows = rows.where(col(self._row.subject) == wanted.subject)
        if wanted.since is not None:
            rows = rows.where(col(self._row.at) >= wanted.since)
        if wanted.until is not None:
            rows = rows.where(col(self._row.at) < wanted.until)
        return rows


def _link_of(row: AuditColumns) -> Link:
    deed = Deed(row.at, row.act, row.actor, row.subject, row.details)
    return Link(row.number, deed, row.previous, row.hash)
