"""Store: the rosters of exercises that run, and the condition that a contact stands on one."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, SQLColumnExpression, delete, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, col

from services.intake.registry.store import Contact
from services.intake.rehearsal.model import Heard, address_key
from services.intake.schema import IntakeTable
from shared.clock import Clock
from shared.db import Database, UtcDateTime, insert_into
from shared.erased import keyed_hash
from shared.events.exercise import ExerciseEnded, ExerciseStarted, RosterFrozen
from shared.inbox import first_time
from shared.realm import LIVE, Realm

CONSUMER = "rehearsal"
AT_ONCE = 500


class RosterNotHeardError(Exception):
    """Not everybody is known yet who takes part in this exercise. Its roster is on its way: to be tried again."""


class RehearsalRow(IntakeTable, table=True):
    """An exercise as intake knows it: of how many parts of its roster it has heard, and how many there are."""

    __tablename__ = "rehearsal"

    realm: str = Field(primary_key=True)
    heard: int = 0
    told: int | None = None
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class ParticipantRow(IntakeTable, table=True):
    """An address that takes part in an exercise, as it is compared; it is forgotten when the exercise ends."""

    __tablename__ = "participant"

    realm: str = Field(primary_key=True)
    address: str = Field(primary_key=True)


class RehearsalStore:
    """Keeps who takes part in which exercise. What is told again, or in another order, changes nothing."""

    def __init__(self, database: Database, *, clock: Clock, secret: str) -> None:
        self._database = database
        self._secret = secret
        self._clock = clock

    async def enrol(self, event: RosterFrozen) -> None:
        """Keep these addresses, unless the exercise is over."""
        async with self._database.write() as session:
            if not await self._first_time(session, event.event_id):
                return
            await self._put(session, event.realm, {"heard": 1}, {"heard": col(RehearsalRow.heard) + 1})
            keys = sorted({address_key(address) for address in event.addresses})
            if keys and not (await _heard(session, event.realm)).over:
                statement = insert_into(self._database.dialect, ParticipantRow).on_conflict_do_nothing()
                await session.execute(statement, [{"realm": event.realm.id, "address": key} for key in keys])

    async def begin(self, event: ExerciseStarted) -> None:
        """From now on it is known of how many parts its roster consists."""
        told = {"told": event.rosters or 0}
        async with self._database.write() as session:
            await self._put(session, event.realm, {"heard": 0, **told}, told)

    async def end(self, event: ExerciseEnded) -> None:
        """It is over: nobody takes part any more, and its addresses are forgotten."""
        ended = {"ended_at": event.happened_at}
        async with self._database.write() as session:
            await self._put(session, event.realm, {"heard": 0, **ended}, ended)
            await session.execute(delete(ParticipantRow).where(col(ParticipantRow.realm) == event.realm.id))

    async def erase(self, key: str) -> None:
        """Take whoever has the address with this keyed hash from every roster, and soon out of the bytes."""
        after = ""
        async with self._database.write() as session:
            while page := await _addresses(session, after):
                hers = [address for address in page if keyed_hash(self._secret, address) == key]
                if hers:
                    await session.execute(delete(ParticipantRow).where(col(ParticipantRow.address).in_(hers)))
                    await self._database.out_of_the_bytes(session)
                after = page[-1]
        await self._database.compact_if_noted()

    async def _first_time(self, session: AsyncSession, event_id: UUID) -> bool:
        return await first_time(session, CONSUMER, event_id, self._clock.now())

    async def _put(self, session: AsyncSession, realm: Realm, fresh: dict[str, Any], known: dict[str, Any]) -> None:
        statement = insert_into(self._database.dialect, RehearsalRow).on_conflict_do_update(
            index_elements=["realm"], set_=known
        )
        await session.execute(statement.values({"realm": realm.id, **fresh}))


async def goes_on(session: AsyncSession, realm: Realm) -> bool:
    """True if somebody may be asked in this realm: in the live one always, in an exercise until it is over.

    Raises RosterNotHeardError as long as it is not known who takes part.
    """
    if realm.live:
        return True
    known = await _heard(session, realm)
    if not known.over and not known.complete:
        raise RosterNotHeardError("the roster of this exercise is not complete yet")
    return not known.over


def takes_part(realm: Realm | SQLColumnExpression[str]) -> ColumnElement[bool]:
    """The condition that a contact may be written to and called in this realm: in the live one everybody, in an
    exercise whoever has an address on its roster."""
    enrolled = select(col(ParticipantRow.address)).where(
        col(ParticipantRow.realm) == realm, col(ParticipantRow.address) == func.lower(col(Contact.email))
    )
    on_roster = enrolled.correlate_except(ParticipantRow).exists()
    if isinstance(realm, Realm):
        return true() if realm.live else on_roster
    return or_(realm == LIVE.id, on_roster)


async def _addresses(session: AsyncSession, after: str) -> list[str]:
    """The next AT_ONCE addresses of all rosters."""
    address = col(ParticipantRow.address)
    rows = select(address).where(address > after).distinct().order_by(address).limit(AT_ONCE)
    return list((await session.execute(rows)).scalars())


async def _heard(session: AsyncSession, realm: Realm) -> Heard:
    row = await session.get(RehearsalRow, realm.id, populate_existing=True)
    return Heard(row.heard, row.told, row.ended_at is not None) if row else Heard()
