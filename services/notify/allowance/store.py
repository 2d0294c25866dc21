"""Store: buckets shared by all workers of an installation, and the lots that this one has taken from them."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, bindparam, delete, select, update
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col

from services.notify.allowance.model import HOLD, Bucket, Drawn, Limit, Limits, Row, domain_of
from services.notify.allowance.schema import AllowanceRow
from shared.clock import Clock
from shared.db import Database, insert_into, passing
from shared.log import logger

log = logger(__name__)

KEPT: Final = timedelta(days=1)
"""After so long every bucket is full again, and need not be kept."""

SMALLEST_LOT: Final = 5

MANY: Final = 1000
"""Domains in memory before those are forgotten of which nothing is left to know."""


@dataclass(frozen=True)
class Wish:
    """So many tokens of one bucket."""

    limit: Limit
    wanted: int
    urgent: bool = False


@dataclass
class Lot:
    """What this worker last took of one bucket, what is left of it, and when it may ask for more."""

    taken: int
    left: int
    until: datetime
    ask_at: datetime
    urgent_ask_at: datetime
    row: Row

    @property
    def next_size(self) -> int:
        """Twice what the last one was good for: what lies unused is missing elsewhere."""
        return max(SMALLEST_LOT, 2 * (self.taken - self.left))

    def idle(self, now: datetime) -> bool:
        """True if nothing is lost when it is forgotten."""
        return max(self.until, self.ask_at, self.urgent_ask_at, self.row.end) <= now


class Allowances:
    """Says when a letter may go to the relay and to its domain. Tokens come in lots: one short transaction for many
    letters, whatever the number of workers."""

    def __init__(self, database: Database, *, clock: Clock, limits: Limits) -> None:
        self.limits = limits
        self._database = database
        self._clock = clock
        self._lots: dict[str, Lot] = {}
        self._drawing = asyncio.Lock()

    async def foresee(self, addresses: Iterable[str]) -> None:
        """Take what these letters need of the buckets of their domains, as far as it is there, all at once."""
        if not self.limits.by_domain:
            return
        wanted: dict[Limit, int] = {}
        for limit in filter(None, (self.limits.of_domain(domain_of(address)) for address in addresses)):
            wanted[limit] = wanted.get(limit, 0) + 1
        async with self._drawing:
            now = self._clock.now()
            self._forget(now)
            asked = [limit for limit in wanted if not self._in_hand(limit, now) and self._lot(limit).ask_at <= now]
            await self._draw([Wish(limit, min(wanted[limit], limit.lot)) for limit in asked])

    def at_once(self, address: str) -> bool:
        """True if a letter to this address may go now, by what is in hand; then it has used that."""
        now, limits = self._clock.now(), self._limits(address)
        if not all(self._in_hand(limit, now) for limit in limits):
            return False
        for limit in limits:
            self._lots[limit.name].left -= 1
        return True

    async def turn(self, address: str, *, urgent: bool) -> datetime | None:
        """Return None as soon as a letter to this address may go, as far as the relay is concerned.

        Where its domain may be given none now, return at once, with the moment at which to try the letter again. Urgent
        letters need not stand behind others there.
        """
        relay, *domains = self._limits(address)
        while not self.at_once(address):
            for limit in domains:
                if wait := await self._fetch(Wish(limit, 1, urgent)):
                    return self._put_off(limit, wait, urgent=urgent)
            wanted = SMALLEST_LOT if urgent else self._lot(relay).next_size
            if wait := await self._fetch(Wish(relay, min(relay.lot, wanted), urgent)):
                await self._clock.sleep(wait)
        return None

    async def forget(self) -> bool:
        """Remove the rows of buckets that have long been full."""
        async with self._database.write() as session:
            await session.execute(delete(AllowanceRow).where(col(AllowanceRow.at) < self._clock.now() - KEPT))
        return False

    def _limits(self, address: str) -> Sequence[Limit]:
        domain = self.limits.of_domain(domain_of(address)) if self.limits.by_domain else None
        return (self.limits.relay, domain) if domain else (self.limits.relay,)

    def _in_hand(self, limit: Limit, now: datetime) -> bool:
        lot = self._lots.get(limit.name)
        return lot is not None and lot.left > 0 and now < lot.until

    def _lot(self, limit: Limit) -> Lot:
        now = self._clock.now()
        return self._lots.setdefault(limit.name, Lot(0, 0, until=now, ask_at=now, urgent_ask_at=now, row=Row(now)))

    async def _fetch(self, wish: Wish) -> float:
        """Have a token in hand, and return 0; else after how many seconds to ask again."""
        async with self._drawing:
            now, lot = self._clock.now(), self._lot(wish.limit)
            if self._in_hand(wish.limit, now):
                return 0
            ask_at = lot.urgent_ask_at if wish.urgent else lot.ask_at
            if ask_at <= now:
                await self._draw([wish])
                ask_at = lot.urgent_ask_at if wish.urgent else lot.ask_at
            return 0 if self._in_hand(wish.limit, now) else max(0.001, (ask_at - now).total_seconds())

    def _put_off(self, limit: Limit, wait: float, *, urgent: bool) -> datetime:
        now, lot = self._clock.now(), self._lot(limit)
        if urgent:
            return now + timedelta(seconds=wait)
        lot.row, due = lot.row.join(limit, now, wait=wait)
        return due

    async def _draw(self, wishes: Sequence[Wish]) -> None:
        """Ask the buckets. While the database is away there is nothing, and it is asked again in a second."""
        if not wishes:
            return
        try:
            found = await self._database.write_many(self._draw_rows, sorted(wishes, key=lambda wish: wish.limit.name))
        except (SQLAlchemyError, OSError) as error:
            if not passing(error):
                raise
            log.warning("letters wait for the database", error=type(error).__name__)
            found = []
        drawn = dict(found)
        now = self._clock.now()
        for wish in wishes:
            answer, lot = drawn.get(wish.limit.name), self._lot(wish.limit)
            wait = timedelta(seconds=answer.wait if answer else 1)
            if wish.urgent:
                lot.urgent_ask_at = now + wait
            else:
                lot.ask_at = now + wait
            if answer and answer.granted:
                lot.taken, lot.left, lot.until = answer.granted, answer.granted, now + HOLD

    def _draw_rows(self, connection: Connection, wishes: Sequence[Wish]) -> Sequence[tuple[str, Drawn]]:
        """Within one transaction; the rows are locked in the order of their names."""
        now = self._clock.now()
        buckets = _buckets(connection, wishes, now)
        drawn = [
            (wish.limit.name, buckets[wish.limit.name].draw(wish.limit, now, wanted=wish.wanted, urgent=wish.urgent))
            for wish in wishes
        ]
        values = [{"which": name, "to": one.bucket.level, "now": one.bucket.at} for name, one in drawn]
        connection.execute(_WRITE, values)
        return drawn

    def _forget(self, now: datetime) -> None:
        if len(self._lots) > MANY:
            self._lots = {name: lot for name, lot in self._lots.items() if not lot.idle(now)}


_WRITE = (
    update(AllowanceRow)
    .where(col(AllowanceRow.name) == bindparam("which"))
    .values(level=bindparam("to"), at=bindparam("now"))
)


def _buckets(connection: Connection, wishes: Sequence[Wish], now: datetime) -> Mapping[str, Bucket]:
    """The buckets as they are, full where they are new; nobody else draws from them until the transaction ends."""
    new = [{"name": wish.limit.name, "level": wish.limit.burst, "at": now} for wish in wishes]
    connection.execute(insert_into(connection.dialect.name, AllowanceRow).on_conflict_do_nothing(), new)
    rows = connection.execute(
        select(col(AllowanceRow.name), col(AllowanceRow.level), col(AllowanceRow.at))
        .where(col(AllowanceRow.name).in_([wish.limit.name for wish in wishes]))
        .order_by(col(AllowanceRow.name))
        .with_for_update()
    )
    return {name: Bucket(level, at) for name, level, at in rows}
