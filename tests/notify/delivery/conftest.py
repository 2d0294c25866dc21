"""Fixtures for delivery: a ledger's database, a relay that does as it is told, and an office between them."""

from collections.abc import AsyncIterator

import pytest

from services.notify.schema import NotifyTable
from shared.db import Database
from shared.plumbing import Plumbing
from shared.settings import Settings
from tests.fakes import FakeClock
from tests.notify.delivery.office import Office
from tests.notify.delivery.relay import Relay, relaying


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    database = Database(settings.database_of("notify"))
    await database.create_tables(Plumbing.metadata, NotifyTable.metadata)
    yield database
    await database.close()


@pytest.fixture
async def relay() -> AsyncIterator[Relay]:
    async with relaying(Relay()) as relay:
        yield relay


@pytest.fixture
async def office(database: Database, relay: Relay, clock: FakeClock) -> AsyncIterator[Office]:
    office = Office(database, clock=clock, port=relay.port)
    yield office
    await office.close()
