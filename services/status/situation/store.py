"""Store: situations and rounds, and the events that tell of them, saved together."""

from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ColumnElement, Connection, Index, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, col

from services.status.association.model import Filter
from services.status.schema import StatusTable
from services.status.situation.model import (
    Changed,
    Kind,
    Names,
    Opened,
    Round,
    Situation,
    Words,
    round_closed,
    situation_closed,
)
from shared.clock import Clock
from shared.db import Database, UtcDateTime, insert_into
from shared.i18n import N_
from shared.outbox import announce, announce_all
from shared.realm import Realm
from shared.web import TroubleError

DUE_AT_ONCE = 50
NO_WORDS = Words()


class SituationRow(StatusTable, table=True):
    """A situation. Whoever changes its standings and tallies locks this row first."""

    __tablename__ = "situation"

    realm: str = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    kind: str
    names: dict[str, str] = Field(sa_type=JSON)
    municipalities: list[str] = Field(sa_type=JSON)
    freshness_hours: int = 12
    opened_at: datetime = Field(sa_type=UtcDateTime)
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    opened_by: UUID
    closing: dict[str, str] = Field(default={}, sa_type=JSON)


class RoundRow(StatusTable, table=True):
    """A round, with the filter by which its associations were chosen and how many those were."""

    __tablename__ = "round"
    __table_args__ = (
        Index("round_of_situation", "realm", "situation_id"),
        Index("round_due", "closed_at", "closes_at"),
        Index(
            "round_open_of_series",
            "realm",
            "series_id",
            unique=True,
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
    )

    realm: str = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    situation_id: UUID
    municipalities: list[str] = Field(sa_type=JSON)
    sectors: list[str] = Field(sa_type=JSON)
    networks: list[str] = Field(sa_type=JSON)
    capabilities: list[str] = Field(sa_type=JSON)
    urgent: bool = False
    reminders: int = 0
    reminded: int = 0
    remind_at: datetime | None = Field(default=None, sa_type=UtcDateTime, index=True)
    opened_at: datetime = Field(sa_type=UtcDateTime)
    closes_at: datetime = Field(sa_type=UtcDateTime)
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    asked: int
    opened_by: UUID
    series_id: UUID | None = None


SITUATION = StatusTable.metadata.tables["situation"]
ROUND = StatusTable.metadata.tables["round"]


class NoSuchSituationError(TroubleError):
    """There is no situation with this id, told so that whoever came by an old address finds on."""

    def __init__(self) -> None:
        super().__init__(
            HTTPStatus.NOT_FOUND,
            N_("There is no such situation."),
            what_next=N_("Choose one from the list of situations."),
        )


class SituationStore:
    """Opens, changes, closes and finds situations; closes rounds."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def open(self, opened: Opened) -> None:
        """Save a new situation; saving the same one again changes nothing and tells nothing."""
        statement = insert_into(self._database.dialect, SituationRow).on_conflict_do_nothing()
        async with self._database.write() as session:
            found = await session.execute(select(col(SituationRow.id)).where(*_is(opened.situation)))
            if found.first() is None:
                await session.execute(statement, _situation_values(opened.situation))
                await announce(session, [opened.event])

    async def change(self, changed: Changed) -> bool:
        """Save what changed; False if the situation has been closed meanwhile."""
        values = _situation_values(changed.situation)
        kept = {name: values[name] for name in ("kind", "names", "municipalities", "freshness_hours")}
        async with self._database.write() as session:
            if not await _updated(session, changed.situation, kept):
                return False
            await announce(session, [changed.event])
        return True

    async def close(self, situation: Situation, closing: Words = NO_WORDS) -> bool:
        """End the situation and its open rounds, and keep how it ended; False if it was over before."""
        now = self._clock.now()
        async with self._database.write() as session:
            if not await _updated(session, situation, {"closed_at": now, "closing": dict(vars(closing))}):
                return False
            connection = await session.connection()
            here = (ROUND.c.realm == situation.realm, ROUND.c.situation_id == situation.id)
            await connection.run_sync(close_rounds, here, now)
            await announce(session, [situation_closed(situation, now)])
        return True

    async def get(self, situation_id: UUID) -> Situation | None:
        """The situation with this id, in whichever realm it is."""
        wanted = select(SITUATION).where(SITUATION.c.id == situation_id)
        row = await self._database.look(lambda connection: connection.execute(wanted).first())
        return situation_of(row) if row else None

    async def one(self, situation_id: UUID) -> Situation:
        """The same, for those who can go no further without. Raises NoSuchSituationError."""
        situation = await self.get(situation_id)
        if situation is None:
            raise NoSuchSituationError
        return situation

    async def list_all(self) -> list[Situation]:
        """Every situation, the open ones first, the newest first among each."""
        async with self._database.read() as session:
            found = await session.execute(select(SituationRow).order_by(col(SituationRow.opened_at).desc()))
            situations = [situation_of(row) for row in found.scalars()]
        return sorted(situations, key=lambda situation: situation.closed_at is not None)

    async def open_in(self, realm: Realm) -> list[Situation]:
        """The open situations of a realm."""
        async with self._database.read() as session:
            rows = select(SituationRow).where(col(SituationRow.realm) == realm, col(SituationRow.closed_at).is_(None))
            return [situation_of(row) for row in (await session.execute(rows)).scalars()]

    async def rounds(self, situation: Situation) -> list[Round]:
        """The rounds of a situation, newest first."""
        async with self._database.read() as session:
            found = await session.execute(
                select(RoundRow)
                .where(col(RoundRow.realm) == situation.realm, col(RoundRow.situation_id) == situation.id)
                .order_by(col(RoundRow.opened_at).desc())
            )
            return [round_of(row) for row in found.scalars()]

    async def close_due_rounds(self) -> int:
        """Close rounds whose time is up, DUE_AT_ONCE at most; how many there were."""
        now = self._clock.now()
        async with self._database.write() as session:
            connection = await session.connection()
            return await connection.run_sync(close_rounds, (ROUND.c.closes_at <= now,), now, DUE_AT_ONCE)


def round_values(round_: Round) -> dict[str, Any]:
    """The columns of a round, as an INSERT takes them."""
    values = {**vars(round_), **{name: [*codes] for name, codes in vars(round_.asks).items()}}
    del values["asks"]
    return values


async def _updated(session: AsyncSession, situation: Situation, values: dict[str, Any]) -> bool:
    still_open = update(SituationRow).where(*_is(situation), col(SituationRow.closed_at).is_(None))
    done = await session.execute(still_open.values(**values).returning(col(SituationRow.id)))
    return done.first() is not None


def close_rounds(
    connection: Connection, which: Sequence[ColumnElement[bool]], now: datetime, limit: int | None = None
) -> int:
    """Close the open rounds of these, those first that end first; how many there were.

    Each is closed by a conditional update, so that of two replicas only one tells it.
    """
    still_open = ROUND.c.closed_at.is_(None)
    rows = connection.execute(
        select(ROUND).where(still_open, *which).order_by(ROUND.c.closes_at, ROUND.c.id).limit(limit)
    ).all()
    for row in rows:
        claim = update(ROUND).where(ROUND.c.realm == row.realm, ROUND.c.id == row.id, still_open)
        if connection.execute(claim.values(closed_at=now)).rowcount:
            announce_all(connection, [round_closed(round_of(row), now)])
    return len(rows)


def _is(situation: Situation) -> tuple[Any, ...]:
    return col(SituationRow.realm) == situation.realm, col(SituationRow.id) == situation.id


def _situation_values(situation: Situation) -> dict[str, Any]:
    return {
        **vars(situation),
        "names": dict(vars(situation.names)),
        "municipalities": [*situation.municipalities],
        "closing": dict(vars(situation.closing)),
    }


def situation_of(row: Any) -> Situation:
    """The situation that a row tells of."""
    return Situation(
        realm=Realm(row.realm),
        id=row.id,
        kind=Kind(row.kind),
        names=Names(**row.names),
        municipalities=tuple(row.municipalities),
        freshness_hours=row.freshness_hours,
        opened_at=row.opened_at,
        opened_by=row.opened_by,
        closed_at=row.closed_at,
        closing=Words(**row.closing),
    )


def round_of(row: Any) -> Round:
    """The round that a row tells of."""
    return Round(
        realm=Realm(row.realm),
        id=row.id,
        situation_id=row.situation_id,
        asks=Filter(tuple(row.municipalities), tuple(row.sectors), tuple(row.networks), tuple(row.capabilities)),
        urgent=row.urgent,
        reminders=row.reminders,
        reminded=row.reminded,
        opened_at=row.opened_at,
        closes_at=row.closes_at,
        opened_by=row.opened_by,
        asked=row.asked,
        series_id=row.series_id,
        closed_at=row.closed_at,
    )
