"""Store: opening a round, which freezes whom it asks and tells it, in one transaction."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, Connection, String, Uuid, case, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from services.status.association.model import Filter
from services.status.association.store import ASSOCIATION, within
from services.status.readiness.model import State, asked_again, difference
from services.status.readiness.schema import StandingRow
from services.status.readiness.standing_rows import STANDING, Place, counted, lock, move_tallies
from services.status.round.model import (
    Due,
    Recurrence,
    Series,
    due_reminder,
    next_reminder,
    next_round,
    round_reminded,
    turn,
)
from services.status.round.schema import SERIES, SeriesRow
from services.status.situation.model import (
    ALL_SECTORS,
    Flaw,
    Refused,
    Round,
    Situation,
    parts_of,
    round_opened,
)
from services.status.situation.store import (
    ROUND,
    SITUATION,
    RoundRow,
    close_rounds,
    round_of,
    round_values,
    situation_of,
)
from shared.clock import Clock
from shared.db import Database, insert_into
from shared.events.status import ASKED_PER_EVENT
from shared.ids import new_id
from shared.log import logger
from shared.outbox import announce, announce_all
from shared.quiet_hours import not_quiet
from shared.realm import Realm

log = logger(__name__)

DUE_AT_ONCE = 50
WAKE = timedelta(minutes=1)
IDS_AT_ONCE = 10 * ASKED_PER_EVENT
"""Read between two writes of events, so that a round of any size needs little memory."""


class RoundStore:
    """Opens rounds, once or again and again, and has the silent reminded."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def open(self, situation: Situation, round_: Round, series: Series | None = None) -> Round | Refused:
        """Ask all associations that the round's filter finds now; the round with their number.

        Opening the same round again changes nothing and returns it as it is. Refused if nobody would be asked, or
        if the situation has been closed meanwhile. `series` is that of which it is the first, if it recurs.
        """
        async with self._database.write() as session:
            connection = await session.connection()
            outcome = await connection.run_sync(_open, situation, round_)
            if series is not None and isinstance(outcome, Round):
                statement = insert_into(self._database.dialect, SeriesRow).on_conflict_do_nothing()
                await session.execute(statement, _series_values(series))
            return outcome

    async def series(self, situation: Situation) -> list[Series]:
        """The situation's rounds that recur, also those that were ended, newest first."""
        rows = select(SERIES).where(SERIES.c.realm == situation.realm, SERIES.c.situation_id == situation.id)
        async with self._database.read() as session:
            return [_series_of(row) for row in await session.execute(rows.order_by(SERIES.c.opened_at.desc()))]

    async def end_series(self, situation: Situation, series_id: UUID) -> None:
        """Have it opened no more; a round of it that is open stays so. Ending it again changes nothing."""
        async with self._database.write() as session:
            await session.execute(
                update(SERIES)
                .where(SERIES.c.realm == situation.realm, SERIES.c.situation_id == situation.id)
                .where(SERIES.c.id == series_id, SERIES.c.ended_at.is_(None))
                .values(ended_at=self._clock.now())
            )

    async def repeat_due(self) -> int:
        """Open anew what is due, DUE_AT_ONCE series at most, each in a transaction of its own; how many were due."""
        due = (
            select(SERIES.c.realm, SERIES.c.situation_id, SERIES.c.id)
            .join(SITUATION, (SITUATION.c.realm == SERIES.c.realm) & (SITUATION.c.id == SERIES.c.situation_id))
            .where(SITUATION.c.closed_at.is_(None), SERIES.c.ended_at.is_(None), SERIES.c.next_at <= self._clock.now())
            .order_by(SERIES.c.next_at)
            .limit(DUE_AT_ONCE)
        )
        async with self._database.read() as session:
            keys = [(row[0], row[1], row[2]) for row in await session.execute(due)]
        for key in keys:
            async with self._database.write() as session:
                connection = await session.connection()
                await connection.run_sync(_repeat, key, self._clock.now())
        return len(keys)

    async def remind_due(self) -> int:
        """Have the silent reminded in rounds where that is due, DUE_AT_ONCE at most; how many rounds were looked at.

        What is due at night waits for the morning. Each is claimed by a conditional update: of two replicas one tells.
        """
        now = self._clock.now()
        due = select(RoundRow).where(col(RoundRow.closed_at).is_(None), col(RoundRow.remind_at) <= now)
        async with self._database.write() as session:
            rows = (await session.execute(due.order_by(col(RoundRow.remind_at)).limit(DUE_AT_ONCE))).scalars().all()
            for row in rows:
                round_ = round_of(row)
                reminder = due_reminder(round_, now)
                if await _claimed(session, round_, reminder, now) and reminder is not None:
                    await announce(session, [round_reminded(round_, reminder, now)])
        return len(rows)


async def _claimed(session: AsyncSession, round_: Round, reminder: Due | None, now: datetime) -> bool:
    """Note that the reminder is sent, or when to look again; False if somebody else has done so."""
    if reminder is not None:
        values = {"reminded": reminder.number, "remind_at": reminder.then}
    else:
        values = {"remind_at": None if now >= round_.closes_at else not_quiet(now + WAKE)}
    claim = (
        update(RoundRow)
        .where(col(RoundRow.realm) == round_.realm, col(RoundRow.id) == round_.id)
        .where(col(RoundRow.reminded) == round_.reminded, col(RoundRow.closed_at).is_(None))
        .values(**values)
        .returning(col(RoundRow.id))
        .execution_options(synchronize_session=False)
    )
    return (await session.execute(claim)).first() is not None


def _repeat(connection: Connection, key: tuple[str, UUID, UUID], now: datetime) -> None:
    """Open the next round of a series if it is its turn. Whoever moves its next time first does it, and nobody else:
    all wait for the lock of the situation, and find the time moved."""
    realm, situation_id, series_id = key
    lock(connection, [(realm, situation_id)])
    situation = connection.execute(
        select(SITUATION).where(SITUATION.c.realm == realm, SITUATION.c.id == situation_id)
    ).one()
    row = connection.execute(select(SERIES).where(SERIES.c.realm == realm, SERIES.c.id == series_id)).one()
    its_turn = turn(_series_of(row), now) if situation.closed_at is None else None
    if its_turn is None:
        return
    claim = update(SERIES).where(SERIES.c.realm == realm, SERIES.c.id == series_id, SERIES.c.next_at == row.next_at)
    if not connection.execute(claim.values(next_at=its_turn.then)).rowcount:
        return
    if not its_turn.asks:
        log.info("round not opened anew", series=str(series_id), reason="too late for it")
        return
    close_rounds(connection, (ROUND.c.realm == realm, ROUND.c.series_id == series_id), now)
    opened = _open(
        connection, situation_of(situation), next_round(_series_of(row), its_turn.then, round_id=new_id(), now=now)
    )
    if isinstance(opened, Refused):
        log.info("round not opened anew", series=str(series_id), reason=", ".join(opened.flaws))


def _series_values(series: Series) -> dict[str, Any]:
    values = {**vars(series), **vars(series.recurs), **{name: [*codes] for name, codes in vars(series.asks).items()}}
    del values["asks"], values["recurs"]
    return values


def _series_of(row: Any) -> Series:
    asks = Filter(*(tuple(codes) for codes in (row.municipalities, row.sectors, row.networks, row.capabilities)))
    return Series(
        realm=Realm(row.realm),
        id=row.id,
        situation_id=row.situation_id,
        asks=asks,
        recurs=Recurrence(row.every, row.begins, row.ends),
        hours=row.hours,
        urgent=row.urgent,
        reminders=row.reminders,
        opened_by=row.opened_by,
        opened_at=row.opened_at,
        next_at=row.next_at,
        ended_at=row.ended_at,
    )


def _open(connection: Connection, situation: Situation, round_: Round) -> Round | Refused:
    place = (str(situation.realm), situation.id)
    lock(connection, [place])
    known = connection.execute(select(ROUND.c.asked).where(ROUND.c.realm == place[0], ROUND.c.id == round_.id))
    asked_before = known.scalar()
    if asked_before is not None:
        return replace(round_, asked=asked_before)
    ended = connection.execute(
        select(SITUATION.c.closed_at).where(SITUATION.c.realm == place[0], SITUATION.c.id == place[1])
    )
    if ended.scalar() is not None:
        return Refused((Flaw.SITUATION_CLOSED,))
    before = counted(connection, place)
    asked = _freeze(connection, situation, round_)
    if not asked:
        return Refused((Flaw.NOBODY_ASKED,))
    round_ = replace(round_, asked=asked)
    connection.execute(insert(RoundRow), [{**round_values(round_), "remind_at": next_reminder(round_)}])
    move_tallies(connection, place, difference(counted(connection, place), before), round_.opened_at)
    _tell(connection, situation, round_)
    return round_


def _freeze(connection: Connection, situation: Situation, round_: Round) -> int:
    """Give a standing to everybody in the area, mark those who are asked, and return how many these are.

    Everything happens inside the database, so that a hundred thousand are as little trouble as three.
    """
    place = (str(situation.realm), situation.id)
    asked = select(ASSOCIATION.c.association_id).where(within(round_.asks))
    if connection.execute(asked.limit(1)).first() is None:
        return 0
    connection.execute(_standings_of_the_area(connection.dialect.name, situation, round_))
    state = STANDING.c.state
    moves = {before: asked_again(before) for before in State if asked_again(before) is not before}
    changed = connection.execute(
        update(STANDING)
        .where(STANDING.c.realm == place[0], STANDING.c.situation_id == place[1])
        .where(STANDING.c.association_id.in_(asked))
        .values(
            state=case(*((state == before, after) for before, after in moves.items()), else_=state),
            asked_at=round_.opened_at,
            round_id=round_.id,
            reached=True,
            declined=False,
        )
    )
    return changed.rowcount


def _standings_of_the_area(dialect: str, situation: Situation, round_: Round) -> Any:
    """INSERT ... SELECT: whoever is in the area of the situation or of the round, and not there yet, is not asked."""
    area = {*situation.municipalities, *round_.asks.municipalities}
    columns: dict[str, Any] = {
        "realm": literal(str(situation.realm), String()),
        "situation_id": literal(situation.id, Uuid()),
        "association_id": ASSOCIATION.c.association_id,
        "municipality": ASSOCIATION.c.municipality,
        "sector": ASSOCIATION.c.sector,
        "networks": ASSOCIATION.c.networks,
        "capabilities": ASSOCIATION.c.capabilities,
        "state": literal(State.NOT_ASKED.value, String()),
        "reached": literal(True, Boolean()),
        "declined": literal(False, Boolean()),
    }
    everybody = select(*columns.values()).where(within(Filter(tuple(area), ALL_SECTORS)))
    return insert_into(dialect, StandingRow).from_select([*columns], everybody).on_conflict_do_nothing()


def _tell(connection: Connection, situation: Situation, round_: Round) -> None:
    parts = parts_of(round_.asked)
    part = count(1)
    for ids in _asked_ids(connection, (str(round_.realm), round_.situation_id), round_.id):
        announce_all(
            connection,
            [
                round_opened(
                    round_,
                    situation.names,
                    ids[at : at + ASKED_PER_EVENT],
                    part=next(part),
                    parts=parts,
                )
                for at in range(0, len(ids), ASKED_PER_EVENT)
            ],
        )


def _asked_ids(connection: Connection, place: Place, round_id: UUID) -> Iterator[list[UUID]]:
    """The ids of all who are asked, in pages of whole events."""
    page = (
        select(STANDING.c.association_id)
        .where(STANDING.c.realm == place[0], STANDING.c.situation_id == place[1], STANDING.c.round_id == round_id)
        .order_by(STANDING.c.association_id)
        .limit(IDS_AT_ONCE)
    )
    ids = list(connection.execute(page).scalars())
    while ids:
        yield ids
        ids = list(connection.execute(page.where(STANDING.c.association_id > ids[-1])).scalars())
