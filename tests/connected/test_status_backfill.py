"""What a migration fills in from what there is, is what is kept from then on."""

from dataclasses import replace
from datetime import timedelta

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, delete, null, update

from services.status.app import HERE
from services.status.readiness.model import Dimension, Verdict
from services.status.readiness.standing_rows import STANDING, TALLY, standings
from shared.events.intake import OperatingStatus
from shared.ids import new_id
from shared.migrate import _scripts
from tests.fakes import FakeClock
from tests.status.conftest import stores_on
from tests.status.people import FORSSA, LOPPI, association, association_id, checkin

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


def keep_anew(connection: Connection) -> None:
    """What is kept of answers is forgotten and filled in as the migration fills it in."""
    connection.execute(update(STANDING).values(answers=null()))
    with Operations.context(MigrationContext.configure(connection)):
        _scripts(HERE / "migrations").get_revision("0007").module._keep_answers()


async def test_the_answer_of_each_association_is_kept_without_its_way(each_database: str, clock: FakeClock) -> None:
    async with stores_on(each_database, clock) as stores:
        round_ = await stores.ask("Aino", "Bertta")
        situation = await stores.situation_of(round_)
        until = clock.now() + timedelta(hours=2)
        answer = checkin("Aino", round_, OperatingStatus.LIMITED, after=1, until=until)
        await stores.readiness.hear(answer)
        keys = [(str(situation.realm), situation.id, association_id(name)) for name in ("Aino", "Bertta")]

        async with stores.database.engine.begin() as connection:
            before = await connection.run_sync(standings, keys)
            await connection.run_sync(keep_anew)
            after = await connection.run_sync(standings, keys)

        [kept] = before[keys[0]].answers
        assert after[keys[0]] == replace(before[keys[0]], answers=(kept.model_copy(update={"channel": None}),))
        assert after[keys[1]] == before[keys[1]]
        assert await stores.readiness.hear(answer.model_copy(update={"event_id": new_id()})) is Verdict.REPEATED
