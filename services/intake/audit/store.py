"""Audit store: rows are added in the transaction of the act that they tell, and never changed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Connection, LargeBinary, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, col

from services.intake.audit.model import BEGINNING, Act, Deed, Head, Link, first_break, link
from services.intake.schema import IntakeTable
from shared.db import Database, UtcDateTime, insert_into

ONLY = 1
"""The key of the one row that holds the head."""


class AuditRow(IntakeTable, table=True):
    """One act of the staff. Append-only."""

    __tablename__ = "audit"

    number: int = Field(primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime)
    act: str
    actor: UUID | None = None
    subject: str
    details: dict[str, Any] = Field(sa_type=JSON)
    previous: bytes = Field(sa_type=LargeBinary)
    hash: bytes = Field(sa_type=LargeBinary)


class AuditHead(IntakeTable, table=True):
    """The end of the chain: writers queue here, and a last row that was taken away shows."""

    __tablename__ = "audit_head"

    id: int = Field(primary_key=True)
    number: int
    hash: bytes = Field(sa_type=LargeBinary)


async def record(session: AsyncSession, deed: Deed) -> None:
    """Write down the deed in the session's transaction."""
    connection = await session.connection()
    await connection.run_sync(record_all, [deed])


def record_all(connection: Connection, deeds: Sequence[Deed]) -> None:
    """Write down these deeds, in order, in the connection's transaction: the last thing that it does, since other
    writers wait for the head from here to the commit."""
    if not deeds:
        return
    head = _locked_head(connection)
    rows: list[dict[str, Any]] = []
    for deed in deeds:
        next_one = link(head, deed)
        rows.append(_row_values(next_one))
        head = Head(next_one.number, next_one.hash)
    connection.execute(insert(AuditRow), rows)
    connection.execute(update(AuditHead).where(col(AuditHead.id) == ONLY).values(number=head.number, hash=head.hash))


def _row_values(row: Link) -> dict[str, Any]:
    return {
        "number": row.number,
        "at": row.deed.at,
        "act": row.deed.act.value,
        "actor": row.deed.actor,
        "subject": row.deed.subject,
        "details": row.deed.details,
        "previous": row.previous,
        "hash": row.hash,
    }


def _locked_head(connection: Connection) -> Head:
    start = insert_into(connection.dialect.name, AuditHead).on_conflict_do_nothing()
    connection.execute(start, {"id": ONLY, "number": 0, "hash": BEGINNING})
    head = select(col(AuditHead.number), col(AuditHead.hash)).where(col(AuditHead.id) == ONLY).with_for_update()
    number, last_hash = connection.execute(head).one()
    return Head(number, last_hash)


class AuditStore:
    """The audit, to be read and checked."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, number: int, *, size: int = 50) -> list[Link]:
        """The rows of one page, newest first; `number` counts from 1."""
        newest_first = select(AuditRow).order_by(col(AuditRow.number).desc())
        async with self._database.read() as session:
            rows = await session.execute(newest_first.offset((number - 1) * size).limit(size))
            return [_link_of(row) for row in rows.scalars()]

    async def first_break(self) -> int | None:
        """The number of the first row that is missing or not as it was written; None when all is whole."""
        async with self._database.read() as session:
            rows = await session.execute(select(AuditRow).order_by(col(AuditRow.number)))
            head = (await session.execute(select(AuditHead))).scalar_one_or_none()
            return first_break(map(_link_of, rows.scalars()), Head(head.number, head.hash) if head else Head())


def _link_of(row: AuditRow) -> Link:
    deed = Deed(row.at, Act(row.act), row.actor, row.subject, row.details)
    return Link(row.number, deed, row.previous, row.hash)
