"""Fixtures for delivery: a ledger's database, a relay that does as it is told, and an office between them."""

from collections.abc import AsyncIterator

import pytest

from shared.db import Database
from shared.settings import Settings
from tests.fakes import FakeClock
from tests.migrated import Migrated
from tests.notify.delivery.office import Office
from tests.notify.delivery.relay import Relay, relaying


@pytest.fixture
async def database(settings: Settings, migrated: Migrated) -> AsyncIterator[Database]:
    await migrated.copy_to(settings.database_of("notify"), "notify")
    database = Database(settings.database_of("notify"))
    yield database
    await database.close()


@pytest.fixture(params=[("8BITMIME",), ("PIPELINING", "8BITMIME")], ids=["one-by-one", "pipelining"])
async def relay(request: pytest.FixtureRequest) -> AsyncIterator[Relay]:
    async with relaying(Relay(extensions=request.param)) as relay:
        yield relay


@pytest.fixture
async def office(database: Database, relay: Relay, clock: FakeClock) -> AsyncIterator[Office]:
    office = Office(database, clock=clock, port=relay.port)
    yield office
    await office.close()
