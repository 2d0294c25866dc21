"""Fixtures of the tests of status."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from sqlalchemy import select
from sqlmodel import col

from services.status.aid.store import AidStore
from services.status.association.store import AssociationStore
from services.status.readiness.model import Dimension, State, Tallies, TallyKey
from services.status.readiness.standing_rows import TALLY
from services.status.readiness.store import ReadinessStore
from services.status.round.store import RoundStore
from services.status.schema import StatusTable
from services.status.situation.model import Round, Situation
from services.status.situation.store import SituationStore
from shared.db import Database
from shared.events import EVENT_TYPES, Event
from shared.plumbing import OutboxRow, Plumbing
from shared.settings import Settings
from tests.fakes import FakeClock
from tests.migrated import Migrated
from tests.status.people import Desk, association, desk, round_of, storm


@dataclass(frozen=True)
class Stores:
    """All stores of the service, on one database."""

    database: Database
    situations: SituationStore
    associations: AssociationStore
    rounds: RoundStore
    readiness: ReadinessStore
    aid: AidStore

    async def told(self) -> list[Event]:
        """The events that wait to be published, oldest first."""
        async with self.database.read() as session:
            rows = (await session.execute(select(OutboxRow).order_by(col(OutboxRow.id)))).scalars()
            return [EVENT_TYPES[row.headers["ce-type"]].model_validate_json(row.body) for row in rows]

    async def tallies(self, of: Situation) -> Tallies:
        """The kept figures of a situation, those that are nothing left out."""
        async with self.database.read() as session:
            rows = await session.execute(
                select(TALLY.c.dimension, TALLY.c.key, TALLY.c.state, TALLY.c["count"]).where(
                    TALLY.c.situation_id == of.id
                )
            )
            found = {TallyKey(Dimension(dim), key, State(state)): count for dim, key, state, count in rows}
        return Tallies({key: count for key, count in found.items() if count})

    async def region(self, of: Situation) -> dict[State, int]:
        """The figures of the whole region."""
        return {key.state: n for key, n in (await self.tallies(of)).items() if key.dimension is Dimension.REGION}

    async def ask(self, *names: str, municipality: str = "834") -> Round:
        """Open a storm and a round to associations of these names, which the registry has told of."""
        await asyncio.gather(*(self.readiness.know(association(name, municipality)) for name in names))
        opened = storm()
        await self.situations.open(opened)
        round_ = await self.rounds.open(opened.situation, round_of(opened.situation))
        assert isinstance(round_, Round)
        return round_

    async def situation_of(self, round_: Round) -> Situation:
        """The situation in which a round was opened."""
        found = await self.situations.get(round_.situation_id)
        assert found is not None
        return found


@pytest.fixture
async def stores(settings: Settings, clock: FakeClock, migrated: Migrated) -> AsyncIterator[Stores]:
    """The stores of a service on an empty database of its own."""
    url = settings.database_of("status")
    await migrated.copy_to(url, "status")
    database = Database(url)
    yield stores_of(database, clock)
    await database.close()


@pytest.fixture
async def open_desk(settings: Settings, clock: FakeClock, migrated: Migrated) -> AsyncIterator[Desk]:
    """The running service, and nobody signed in."""
    await migrated.copy_to(settings.database_of("status"), "status")
    async with desk(settings, clock) as one:
        yield one


@asynccontextmanager
async def stores_on(url: str, clock: FakeClock) -> AsyncIterator[Stores]:
    """The stores on this database, which is made empty of them."""
    database = Database(url)
    await database.create_tables(Plumbing.metadata, StatusTable.metadata)
    yield stores_of(database, clock)
    await database.close()


def stores_of(database: Database, clock: FakeClock) -> Stores:
    """All stores on this database."""
    return Stores(
        database,
        SituationStore(database, clock=clock),
        AssociationStore(database),
        RoundStore(database, clock=clock),
        ReadinessStore(database, clock=clock),
        AidStore(database, clock=clock),
    )
