"""Figures that a migration counts anew are those that are kept from then on."""

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, delete

from services.status.app import HERE
from services.status.readiness.model import Dimension
from services.status.readiness.standing_rows import TALLY
from shared.events.intake import OperatingStatus
from shared.migrate import _scripts
from tests.fakes import FakeClock
from tests.status.conftest import stores_on
from tests.status.people import FORSSA, LOPPI, association, checkin

pytestmark = pytest.mark.connected


def migrate_anew(connection: Connection) -> None:
    """The figures are taken away and counted as the migration counts them."""
    connection.execute(delete(TALLY).where(TALLY.c.dimension == Dimension.CAPABILITY_AREA.value))
    with Operations.context(MigrationContext.configure(connection)):
        _scripts(HERE / "migrations").get_revision("0005").module._count_capabilities_by_area()


async def test_capabilities_by_area_are_counted_from_the_standings(each_database: str, clock: FakeClock) -> None:
    async with stores_on(each_database, clock) as stores:
        await stores.readiness.know(association("Aino", FORSSA, capabilities=("first-aid", "transport")))
        await stores.readiness.know(association("Bertta", LOPPI, capabilities=("first-aid",)))
        await stores.readiness.know(association("Muualla", "091", capabilities=("first-aid",)))
        round_ = await stores.ask("Cecilia")
        situation = await stores.situation_of(round_)
        await stores.readiness.hear(checkin("Bertta", round_, OperatingStatus.LIMITED))
        before = await stores.tallies(situation)

        async with stores.database.engine.begin() as connection:
            await connection.run_sync(migrate_anew)

        assert sum(key.dimension is Dimension.CAPABILITY_AREA for key in before) == 3
        assert await stores.tallies(situation) == before
        assert not await stores.readiness.recount(situation.realm, situation.id)
