"""Retention store: which situations are over, and the texts that are still kept of them."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, col

from services.intake.calling.store import CallRow
from services.intake.checkin.store import CheckInRow
from services.intake.invitation.store import Invitation, RoundRow
from services.intake.reply.schema import ReplyRow
from services.intake.retention.model import Kept, closed_before
from services.intake.schema import IntakeTable
from shared.clock import Clock
from shared.db import Database, UtcDateTime, insert_into
from shared.events.status import SituationClosed

BATCH = 500


class SituationEnd(IntakeTable, table=True):
    """A situation that was closed, and how many texts of it were removed. It stays: it is what proves the removal."""

    __tablename__ = "situation_end"

    realm: str = Field(primary_key=True)
    situation_id: UUID = Field(primary_key=True)
    closed_at: datetime = Field(sa_type=UtcDateTime)
    removed: int = 0
    removed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class RetentionStore:
    """Forgets words; what was answered stays."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def close(self, event: SituationClosed) -> None:
        """Note that a situation is over. Hearing of it again changes nothing."""
        values = {"realm": event.realm.id, "situation_id": event.situation_id, "closed_at": event.happened_at}
        statement = insert_into(self._database.dialect, SituationEnd).on_conflict_do_nothing()
        async with self._database.write() as session:
            await session.execute(statement, {**values, "removed": 0})

    async def remove(self) -> bool:
        """Remove up to BATCH texts of each kind that are due; True if there may be more.

        Of a letter its subject and text go, of an answer its message, of a call its note. All else stays.
        """
        now = self._clock.now()
        removed: Counter[tuple[str, UUID]] = Counter()
        more = False
        async with self._database.write() as session:
            for table, columns, texts in _KINDS:
                due = texts.where(col(SituationEnd.closed_at) <= closed_before(now)).limit(BATCH)
                rows = (await session.execute(due)).all()
                gone = await _empty(session, table, columns, [row.id for row in rows])
                removed.update((row.realm, row.situation_id) for row in rows if row.id in gone)
                more = more or len(rows) == BATCH
            for (realm, situation_id), count in sorted(removed.items()):
                of_it = (col(SituationEnd.realm) == realm, col(SituationEnd.situation_id) == situation_id)
                counted = {"removed": col(SituationEnd.removed) + count, "removed_at": now}
                await session.execute(update(SituationEnd).where(*of_it).values(counted))
        return more

    async def report(self) -> Sequence[Kept]:
        """How it is with each situation that was closed, the first closed first."""
        present: Counter[tuple[str, UUID]] = Counter()
        async with self._database.read() as session:
            for _, _, texts in _KINDS:
                found = texts.order_by(None).subquery()
                counted = select(found.c.realm, found.c.situation_id, func.count()).group_by(
                    found.c.realm, found.c.situation_id
                )
                for realm, situation_id, count in await session.execute(counted):
                    present[realm, situation_id] += count
            ends = select(SituationEnd).order_by(col(SituationEnd.closed_at), col(SituationEnd.situation_id))
            return [_kept(end, present) for end in (await session.execute(ends)).scalars()]


def _kept(end: SituationEnd, present: Counter[tuple[str, UUID]]) -> Kept:
    count = present[end.realm, end.situation_id]
    return Kept(end.situation_id, end.realm, end.closed_at, count, end.removed, end.removed_at)


async def _empty(session: AsyncSession, table: Any, columns: Sequence[str], keys: Sequence[UUID]) -> set[UUID]:
    """Empty these columns of these rows; the keys of those that were not empty already."""
    key = table.__table__.primary_key.columns[0]
    emptied = update(table).where(key.in_(keys), _filled(table, columns)).values(dict.fromkeys(columns, ""))
    return set((await session.execute(emptied.returning(key))).scalars()) if keys else set()


def _filled(table: Any, columns: Sequence[str]) -> ColumnElement[bool]:
    return or_(*(table.__table__.c[name] != "" for name in columns))


def _texts(table: Any, columns: Sequence[str], *, by: str) -> Select[Any]:
    """The rows of the table with words in these columns whose situation is over; `by` is what leads to it."""
    key = table.__table__.primary_key.columns[0]
    statement: Select[Any] = select(
        key.label("id"), col(SituationEnd.realm), col(SituationEnd.situation_id)
    ).select_from(table)
    if by == "invitation_id":
        statement = statement.join(Invitation, col(Invitation.id) == table.invitation_id).join(
            RoundRow, col(RoundRow.round_id) == col(Invitation.round_id)
        )
        leads = (col(RoundRow.realm), col(RoundRow.situation_id))
    else:
        leads = (table.realm, table.situation_id)
    over = (col(SituationEnd.realm) == leads[0]) & (col(SituationEnd.situation_id) == leads[1])
    return statement.join(SituationEnd, over).where(_filled(table, columns)).order_by(key)


_KINDS: tuple[tuple[Any, tuple[str, ...], Select[Any]], ...] = (
    (CheckInRow, ("note",), _texts(CheckInRow, ("note",), by="situation_id")),
    (CallRow, ("note",), _texts(CallRow, ("note",), by="invitation_id")),
    (ReplyRow, ("subject", "text", "words"), _texts(ReplyRow, ("subject", "text", "words"), by="invitation_id")),
)
"""Where people's own words stand: the table, its columns, and its rows that have some of a situation that is over."""
