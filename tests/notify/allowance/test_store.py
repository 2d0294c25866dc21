"""Two workers over one database keep one rate together; a slow domain holds up nobody else, and urgent letters pass."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlmodel import col

from services.notify.allowance.model import Limit, Limits
from services.notify.allowance.schema import AllowanceRow
from services.notify.allowance.store import KEPT, Allowances
from services.notify.delivery import jobs
from services.notify.delivery.model import Counts, Lane
from services.notify.delivery.schema import DeliveryRow
from services.notify.schema import NotifyTable
from shared.db import Database
from shared.plumbing import Plumbing
from shared.realm import LIVE
from shared.settings import Smtp
from tests.fakes import FakeClock
from tests.migrated import Migrated
from tests.notify.delivery.office import Office
from tests.notify.delivery.relay import Relay, Session, Taken, relaying

PIPELINING = ("PIPELINING", "8BITMIME")
AINO, BERTTA = "aino@slow.example", "bertta@example.org"


class Sleepless(FakeClock):
    """Time passes only while somebody sleeps."""

    async def sleep(self, seconds: float) -> None:
        self.move(seconds=seconds)
        await asyncio.sleep(0)


class TimedRelay(Relay):
    """A relay that knows when it took each letter."""

    def __init__(self, clock: FakeClock | None = None) -> None:
        super().__init__(extensions=PIPELINING)
        self.times: list[float] = []
        self.clock = clock

    async def _take(self, session: Session, letter: Taken) -> None:
        self.times.append(self.clock.now().timestamp() if self.clock else time.monotonic())
        await super()._take(session, letter)


def assert_kept(limit: Limit, times: Sequence[float]) -> None:
    """No window of time saw more letters than it may."""
    for first, since in enumerate(times):
        for last in range(first, len(times)):
            assert last - first + 1 <= limit.within(times[last] - since) + 1e-6


@pytest.fixture
async def database(tmp_path_factory: pytest.TempPathFactory, migrated: Migrated) -> AsyncIterator[Database]:
    url = f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('allowance')}/notify.db"
    await migrated.copy_to(url, "notify")
    database = Database(url)
    yield database
    await database.close()


async def test_two_workers_keep_one_rate_together(each_database: str) -> None:
    clock, databases = Sleepless(), [Database(each_database), Database(each_database)]
    await databases[0].create_tables(Plumbing.metadata, NotifyTable.metadata)
    relay = TimedRelay(clock)
    async with relaying(relay):
        offices = [Office(database, clock=clock, port=relay.port, rate=40) for database in databases]
        letter = await offices[0].add(*(f"reader{number}@example.org" for number in range(120)))

        await asyncio.gather(*(office.send() for office in offices))

        assert await offices[0].ledger.counts(LIVE, letter.letter_id) == Counts(sent=120)
        assert_kept(offices[0].traffic.allowances.limits.relay, relay.times)
        for office in offices:
            await office.close()
            await office.database.close()


@pytest.mark.slow
@pytest.mark.faults
async def test_two_processes_keep_one_rate_together(each_database: str, clock: FakeClock) -> None:
    database = Database(each_database)
    await database.create_tables(Plumbing.metadata, NotifyTable.metadata)
    relay = TimedRelay()
    async with relaying(relay):
        office = Office(database, clock=clock, port=relay.port)
        letter = await office.add(*(f"reader{number}@example.org" for number in range(400)), minutes=1e6)
        command = (sys.executable, "-m", "tests.notify.delivery.sender", each_database, str(relay.port), "0", "80")
        senders = [await asyncio.create_subprocess_exec(*command) for _ in range(2)]

        assert [await sender.wait() for sender in senders] == [0, 0]

        assert await office.ledger.counts(LIVE, letter.letter_id) == Counts(sent=400)
        slack = 80 * 0.25  # what a busy machine may let a letter lie between its turn and the relay's clock
        limit = Limits.of(Smtp(rate=80)).relay
        for first, since in enumerate(relay.times):
            seen = [at for at in relay.times[first:] if at - since <= 1]
            assert len(seen) <= limit.within(1, urgent=False) + slack
        await office.close()
    await database.close()


async def test_a_domain_that_takes_few_letters_holds_up_nobody_else(database: Database) -> None:
    clock = Sleepless()
    relay = TimedRelay(clock)
    async with relaying(relay):
        office = Office(database, clock=clock, port=relay.port, domain_rates="slow.example=2")
        slow = [f"reader{number}@slow.example" for number in range(30)]
        letter = await office.add(*slow, *(f"reader{number}@example.org" for number in range(30)))

        await office.send()

        first = dict(relay.copies)
        assert sum(address.endswith("@example.org") for address in first) == 30
        assert sum(address.endswith("@slow.example") for address in first) == 4
        assert await _attempts(database) == {1: 34, 0: 26}
        for _ in range(15):
            clock.move(seconds=1)
            await office.send()
        assert await office.ledger.counts(LIVE, letter.letter_id) == Counts(sent=60)
        assert set(relay.copies.values()) == {1}
        await office.close()


async def _attempts(database: Database) -> dict[int, int]:
    """How many deliveries have had so many attempts."""
    async with database.read() as session:
        found = (await session.execute(select(col(DeliveryRow.attempts)))).scalars().all()
    return {number: found.count(number) for number in found}


async def test_what_is_put_off_says_why_and_ends_in_time(database: Database, clock: FakeClock) -> None:
    async with relaying(Relay(extensions=PIPELINING)) as relay:
        office = Office(database, clock=clock, port=relay.port, domain_rate=0.01)
        letter = await office.add(AINO, "cecilia@slow.example", minutes=1)

        await office.send()
        meanwhile = await office.states()
        clock.move(minutes=1)
        await office.send()

        assert meanwhile == {"1": "sent", "2": "waiting its domain is given no more at a time"}
        assert await office.ledger.counts(LIVE, letter.letter_id) == Counts(sent=1, expired=1)
        await office.close()


async def test_an_urgent_letter_does_not_wait_for_bulk_ones_to_its_domain(
    database: Database, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "GRACE", 0.01)
    async with relaying(Relay(extensions=PIPELINING)) as relay:
        office = Office(database, clock=clock, port=relay.port, domain_rate=1, rate=8)
        await office.add(*(f"reader{number}@slow.example" for number in range(20)))
        bulk = asyncio.create_task(office.send())
        await relay.began.wait()
        urgent = await office.add(AINO, lane=Lane.URGENT)

        await office.send(Lane.URGENT)

        assert await office.ledger.counts(LIVE, urgent.letter_id) == Counts(sent=1)
        bulk.cancel()
        await asyncio.gather(bulk, return_exceptions=True)
        await office.close()


async def test_tokens_are_drawn_for_many_letters_at_once(
    database: Database, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with relaying(Relay(extensions=PIPELINING)) as relay:
        office = Office(database, clock=clock, port=relay.port, domain_rate=100)
        await office.add(*(f"reader{number}@domain{number}.example" for number in range(100)))
        writes, write = [], database.write_many

        async def counted(what: Any, items: Any) -> Any:
            writes.append(what)
            return await write(what, items)

        monkeypatch.setattr(database, "write_many", counted)

        await office.send()

        assert len(relay.taken) == 100
        assert 2 <= writes.count(office.traffic.allowances._draw_rows) <= 6
        await office.close()


async def test_while_the_database_is_away_letters_wait(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Sleepless()
    allowances = Allowances(database, clock=clock, limits=Limits.of(Smtp(domain_rates="slow.example=5")))
    began, works, calls = clock.now(), database.write_many, []

    async def away_at_first(*arguments: object) -> object:
        calls.append(arguments)
        if len(calls) < 3:
            error = OSError("no connection")
            raise OperationalError("x", {}, error, connection_invalidated=True)
        return await works(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(database, "write_many", away_at_first)

    put_off = await allowances.turn(AINO, urgent=False)
    at_last = await allowances.turn(BERTTA, urgent=False)

    assert put_off == began + timedelta(seconds=1)
    assert at_last is None
    assert clock.now() == began + timedelta(seconds=1)


async def test_what_is_left_of_a_lot_cannot_be_used_later(database: Database) -> None:
    clock = Sleepless()
    allowances = Allowances(database, clock=clock, limits=Limits.of(Smtp(rate=8)))
    await allowances.turn(BERTTA, urgent=False)

    held = allowances.at_once(BERTTA)
    clock.move(seconds=0.5)

    assert held
    assert not allowances.at_once(BERTTA)


async def test_buckets_that_are_full_again_are_forgotten(database: Database, clock: FakeClock) -> None:
    allowances = Allowances(database, clock=clock, limits=Limits.of(Smtp(domain_rate=5)))
    await allowances.foresee([AINO])
    clock.move(hours=12)
    await allowances.foresee([BERTTA])
    before = await _names(database)

    clock.move(hours=KEPT / timedelta(hours=1) - 11)
    await allowances.forget()

    assert before == ["example.org", "slow.example"]
    assert await _names(database) == ["example.org"]


async def _names(database: Database) -> list[str]:
    async with database.read() as session:
        return sorted((await session.execute(select(col(AllowanceRow.name)))).scalars())


async def test_memory_holds_no_more_domains_than_are_in_use(database: Database, clock: FakeClock) -> None:
    allowances = Allowances(database, clock=clock, limits=Limits.of(Smtp(domain_rate=5)))

    for hour in range(3):
        await allowances.foresee(f"aino@domain{hour}-{number}.example" for number in range(600))
        clock.move(hours=1)
    await allowances.foresee([AINO])

    assert len(allowances._lots) == 601
