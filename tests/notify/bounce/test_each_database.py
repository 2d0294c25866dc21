"""Letters that came back, on SQLite and on PostgreSQL: taken in crowds, read side by side, and once."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI

from services.notify.app import make_app
from services.notify.bounce.model import KEPT, SOFT_DAYS, Found
from services.notify.bounce.store import Arrived
from services.notify.delivery.model import Kind
from shared.house import House
from shared.ids import new_id
from shared.migrate import migrate
from shared.settings import Settings
from tests.fakes import FakeClock
from tests.notify.bounce.conftest import Returns, report


@pytest.fixture
async def app(settings: Settings, clock: FakeClock, each_database: str) -> AsyncIterator[FastAPI]:
    """Notify on the database at hand, its jobs at rest."""
    app = make_app(settings.model_copy(update={"database": each_database}), clock=clock)
    house: House = app.state.house
    await migrate(house.database, house.migrations)
    yield app
    await house.database.close()


async def test_readers_side_by_side_read_each_letter_once(returns: Returns) -> None:
    people = await returns.subscribe(*(f"a{number}@example.org" for number in range(30)))
    letter = await returns.send(people)
    asked = await returns.send([new_id() for _ in range(20)], kind=Kind.CHECKIN)
    rows = [*await returns.deliveries(letter), *await returns.deliveries(asked)]
    arrived = [Arrived(row.id or 0, report(Found.HARD), returns.clock.now()) for row in rows]

    taken = await asyncio.gather(*(returns.bounces.take(one) for one in [*arrived, *arrived]))
    await asyncio.gather(*(returns.read() for _ in range(4)))
    await returns.read()

    assert all(taken)
    assert await returns.app.state.subscribers.suppressed_count() == 30
    assert len(await returns.said("letter_returned")) == 20
    assert await returns.bounces.claim() == []


async def test_days_are_counted_and_old_letters_forgotten(returns: Returns) -> None:
    [aino] = await returns.subscribe("aino@example.org")
    for _ in range(SOFT_DAYS):
        await returns.come_back(await returns.send([aino]), Found.SOFT)
        returns.clock.move(days=1)
    await returns.come_back(await returns.send([aino]), Found.UNCLEAR)
    _, waiting = await returns.bounces.unread()
    returns.clock.move(seconds=KEPT.total_seconds())

    more = await returns.bounces.forget()

    assert (await returns.state(aino), waiting, more) == ("suppressed", 1, False)
    assert (await returns.bounces.unread())[1] == 0
