"""Store of suggestions: warnings are kept once each, replaced by their updates, and decided upon by a liaison."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Connection, Index, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, col

from services.status.geography.model import Boundaries
from services.status.schema import StatusTable
from services.status.suggestion.model import (
    KEPT,
    SEVERITIES,
    Bulletin,
    Key,
    Message,
    State,
    Suggestion,
    suggestion,
)
from shared.clock import Clock
from shared.db import Database, UtcDateTime, insert_into
from shared.realm import LIVE

SHOWN = 20


class SuggestionRow(StatusTable, table=True):
    """A warning that concerns us. Only the real world has them."""

    __tablename__ = "suggestion"
    __table_args__ = (Index("suggestion_shown", "realm", "state", "expires_at"),)

    realm: str = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    sender: str
    identifier: str
    sent: datetime = Field(sa_type=UtcDateTime)
    kind: str
    names: dict[str, str] = Field(sa_type=JSON)
    texts: dict[str, str] = Field(sa_type=JSON)
    severity: str
    municipalities: list[str] = Field(sa_type=JSON)
    onset: datetime | None = Field(default=None, sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    state: str
    decided_by: UUID | None = None
    decided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    situation_id: UUID | None = None


class EndedRow(StatusTable, table=True):
    """A warning that another one has replaced or cancelled, whether or not it was read before that."""

    __tablename__ = "suggestion_ended"

    realm: str = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    ended_at: datetime = Field(sa_type=UtcDateTime)


@dataclass(frozen=True)
class Kept:
    """A suggestion as it stands. `situation_id` is what was opened from it, or from an earlier one."""

    id: UUID
    suggestion: Suggestion
    state: State
    situation_id: UUID | None


class SuggestionStore:
    """What authorities warn of, as far as it concerns us."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def take(self, bulletins: Sequence[Bulletin], boundaries: Boundaries) -> int:
        """Keep what concerns us of these; how many new suggestions wait for a decision."""
        unread, now = await self._unread(bulletins), self._clock.now()

        def concerning() -> list[Suggestion]:
            return [found for one in unread if (found := suggestion(one, boundaries, now))]

        found = await asyncio.to_thread(concerning)
        concerns_us = {one.key for one in found}
        replacing = [one for one in unread if one.message is not Message.ALERT]
        ends = [key for one in replacing for key in one.references]
        ends += [one.key for one in replacing if one.key not in concerns_us]
        return await self._tell(found, ends)

    async def _unread(self, bulletins: Sequence[Bulletin]) -> list[Bulletin]:
        """Those that are not kept and not ended, each once."""
        first = {bulletin.key.id: bulletin for bulletin in reversed(bulletins)}
        async with self._database.read() as session:
            known: set[UUID] = set()
            for table in (SuggestionRow, EndedRow):
                found = select(col(table.id)).where(col(table.realm) == LIVE, col(table.id).in_(list(first)))
                known |= set((await session.execute(found)).scalars())
        return [bulletin for id_, bulletin in first.items() if id_ not in known]

    async def _tell(self, suggestions: Sequence[Suggestion], ends: Sequence[Key]) -> int:
        """Keep what is new, and end what was replaced or cancelled, in whichever order they are read; how many are new.

        What replaces a suggestion that somebody decided upon stays decided in the same way, unless it is worse.
        """
        ordered = sorted(suggestions, key=lambda one: one.key.sent)
        if not ordered and not ends:
            return 0
        async with self._database.write() as session:
            connection = await session.connection()
            return await connection.run_sync(_tell, ordered, ends, self._clock.now())

    async def shown(self) -> list[Kept]:
        """What waits for a decision, the most severe first, at most SHOWN."""
        waits = (
            select(SuggestionRow)
            .where(col(SuggestionRow.realm) == LIVE, col(SuggestionRow.state) == State.NEW)
            .where(col(SuggestionRow.expires_at) > self._clock.now())
            .order_by(col(SuggestionRow.sent).desc(), col(SuggestionRow.id))
            .limit(SHOWN)
        )
        async with self._database.read() as session:
            kept = [_kept(row) for row in (await session.execute(waits)).scalars()]
        return sorted(kept, key=lambda one: -SEVERITIES.index(one.suggestion.severity))

    async def get(self, suggestion_id: UUID) -> Kept | None:
        """One suggestion, or None."""
        async with self._database.read() as session:
            row = await session.get(SuggestionRow, (LIVE, suggestion_id))
        return _kept(row) if row else None

    async def dismiss(self, suggestion_id: UUID, *, by: UUID) -> None:
        """It is not for us; nothing happens to one that was decided upon."""
        await self._decide(suggestion_id, State.DISMISSED, by=by)

    async def opened(self, suggestion_id: UUID, situation_id: UUID, *, by: UUID) -> None:
        """A situation was opened from it."""
        await self._decide(suggestion_id, State.OPENED, by=by, situation_id=situation_id)

    async def _decide(self, suggestion_id: UUID, state: State, *, by: UUID, situation_id: UUID | None = None) -> None:
        mine = (col(SuggestionRow.realm) == LIVE, col(SuggestionRow.id) == suggestion_id)
        async with self._database.write() as session:
            await session.execute(
                update(SuggestionRow)
                .where(*mine, col(SuggestionRow.state) == State.NEW)
                .values(state=state, decided_by=by, decided_at=self._clock.now(), situation_id=situation_id)
            )

    async def forget(self) -> None:
        """Forget what has been over for KEPT."""
        before = self._clock.now() - KEPT
        async with self._database.write() as session:
            await _forget(session, before)


async def _forget(session: AsyncSession, before: datetime) -> None:
    await session.execute(delete(SuggestionRow).where(col(SuggestionRow.expires_at) < before))
    await session.execute(delete(EndedRow).where(col(EndedRow.ended_at) < before))


def _tell(connection: Connection, suggestions: Sequence[Suggestion], ends: Sequence[Key], now: datetime) -> int:
    ended = {key.id for key in ends} | {key.id for one in suggestions for key in one.references}
    if ended:
        over = insert_into(connection.dialect.name, EndedRow).on_conflict_do_nothing()
        rows = [{"realm": LIVE, "id": id_, "ended_at": now} for id_ in sorted(ended)]
        connection.execute(over, rows)
    new = 0
    for one in suggestions:
        new += _keep(connection, one)
    if ended:
        mine = (col(SuggestionRow.realm) == LIVE, col(SuggestionRow.id).in_(sorted(ended)))
        waits = col(SuggestionRow.state) == State.NEW
        connection.execute(update(SuggestionRow).where(*mine, waits).values(state=State.OVER))
    return new


def _keep(connection: Connection, one: Suggestion) -> int:
    """Keep a suggestion that is not kept; 1 if it waits for a decision now."""
    table = StatusTable.metadata.tables["suggestion"]
    if connection.execute(select(table.c.id).where(table.c.realm == LIVE, table.c.id == one.key.id)).first():
        return 0
    before = _decided(connection, one)
    ended = StatusTable.metadata.tables["suggestion_ended"]
    is_over = connection.execute(select(ended.c.id).where(ended.c.realm == LIVE, ended.c.id == one.key.id)).first()
    values = {**_values(one), "state": State.OVER if is_over else State.NEW}
    if before and not is_over and not one.worse_than(_of(before)):
        same = ("state", "decided_by", "decided_at", "situation_id")
        values |= {name: before[name] for name in same}
    connection.execute(insert_into(connection.dialect.name, SuggestionRow).on_conflict_do_nothing(), [values])
    return int(values["state"] == State.NEW)


def _decided(connection: Connection, one: Suggestion) -> Mapping[str, Any] | None:
    """The newest of those that this one replaces upon which somebody decided."""
    table = StatusTable.metadata.tables["suggestion"]
    ids = [key.id for key in one.references]
    found = (
        select(table)
        .where(table.c.realm == LIVE, table.c.id.in_(ids), table.c.state.in_((State.OPENED, State.DISMISSED)))
        .order_by(table.c.sent.desc())
        .limit(1)
    )
    row = connection.execute(found).mappings().first() if ids else None
    return dict(row) if row else None


def _values(one: Suggestion) -> dict[str, Any]:
    return {
        "realm": LIVE,
        "id": one.key.id,
        "sender": one.key.sender,
        "identifier": one.key.identifier,
        "sent": one.key.sent,
        "kind": one.kind,
        "names": dict(one.names),
        "texts": dict(one.texts),
        "severity": one.severity,
        "municipalities": [*one.municipalities],
        "onset": one.onset,
        "expires_at": one.expires_at,
    }


def _kept(row: SuggestionRow) -> Kept:
    return Kept(row.id, _of(row.model_dump()), State(row.state), row.situation_id)


def _of(row: Mapping[str, Any]) -> Suggestion:
    return Suggestion(
        key=Key(row["sender"], row["identifier"], row["sent"]),
        references=(),
        municipalities=tuple(row["municipalities"]),
        **{name: row[name] for name in ("kind", "names", "texts", "severity", "onset", "expires_at")},
    )
