"""Store of the catcher: the letters that were taken, newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, LargeBinary, func, insert, or_, select
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel, col

from shared.clock import Clock
from shared.db import Database, UtcDateTime
from shared.plumbing import SERIAL

PAGE = 50


class CatcherTable(SQLModel, registry=registry()):
    """The catcher's own table."""


class CaughtRow(CatcherTable, table=True):
    """One letter as it came over SMTP."""

    __tablename__ = "caught"

    id: int | None = Field(default=None, primary_key=True, sa_type=SERIAL)
    caught_at: datetime = Field(sa_type=UtcDateTime)
    sender: str
    recipient: str = Field(index=True)
    subject: str
    message_id: str
    raw: bytes = Field(sa_type=LargeBinary)


@dataclass(frozen=True)
class Caught:
    """A letter that has just come."""

    sender: str
    recipient: str
    subject: str
    message_id: str
    raw: bytes


class Letters:
    """All letters that were taken."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self.keep = database.group(self._write)

    def _write(self, connection: Connection, letters: Sequence[Caught]) -> Sequence[None]:
        now = self._clock.now()
        rows: list[dict[str, Any]] = [{**vars(letter), "caught_at": now} for letter in letters]
        connection.execute(insert(CaughtRow), rows)
        return [None] * len(letters)

    async def count(self, search: str = "") -> int:
        """How many letters match."""
        async with self._database.read() as session:
            counted = await session.execute(select(func.count()).select_from(CaughtRow).where(*_matching(search)))
            return int(counted.scalar_one())

    async def page(self, number: int, *, search: str = "", size: int = PAGE) -> list[CaughtRow]:
        """Matching letters, newest first; `number` counts from 1."""
        async with self._database.read() as session:
            rows = await session.execute(
                select(CaughtRow)
                .where(*_matching(search))
                .order_by(col(CaughtRow.id).desc())
                .offset((number - 1) * size)
                .limit(size)
            )
            return list(rows.scalars())

    async def after(self, letter_id: int, *, to: str = "", limit: int) -> list[CaughtRow]:
        """Letters that came after that one, to one address if it is given, oldest first: how a program reads mail."""
        wanted = [col(CaughtRow.id) > letter_id]
        if to:
            wanted.append(col(CaughtRow.recipient) == to)
        async with self._database.read() as session:
            rows = await session.execute(select(CaughtRow).where(*wanted).order_by(col(CaughtRow.id)).limit(limit))
            return list(rows.scalars())

    async def get(self, letter_id: int) -> CaughtRow | None:
        """One letter, or None."""
        async with self._database.read() as session:
            return await session.get(CaughtRow, letter_id)


def _matching(search: str) -> list[ColumnElement[bool]]:
    if not search:
        return []
    return [or_(col(CaughtRow.recipient).contains(search), col(CaughtRow.subject).contains(search))]
