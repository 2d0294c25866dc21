"""Erased, and the process dies before the files are written anew: the next one does it."""

from pathlib import Path

import pytest

from shared.erased import keyed_hash
from shared.realm import Realm
from shared.settings import Settings
from tests.fakes import FakeClock
from tests.faults.perishing import perish
from tests.intake.house import AINO, running_intake
from tests.migrated import Migrated
from tests.notify.erasure.test_store import files_that_hold
from tests.servers import eventually

pytestmark = pytest.mark.faults

GONE = "nobody.else@example.org"


async def test_what_a_killed_eraser_left_in_the_bytes_goes_with_the_next_start(
    settings: Settings, clock: FakeClock, migrated: Migrated
) -> None:
    await migrated.copy_to(settings.database_of("intake"), "intake")
    async with running_intake(settings, clock) as intake:
        await intake.take_in(AINO)
        await intake.open_round(await intake.ids(), realm=Realm("ex-autumn"), hours=8, roster=(GONE,))
    assert held(settings.var)

    said = await perish("intake_eraser", settings, keyed_hash(settings.secret.get_secret_value(), GONE))

    assert said == ["deleted, and in the files"]
    assert held(settings.var)
    async with running_intake(settings, clock):
        await eventually(lambda: nothing_held(settings.var))


def held(folder: Path) -> list[str]:
    return [name for name in files_that_hold(folder, GONE) if name.startswith("intake.db")]


async def nothing_held(folder: Path) -> bool:
    return not held(folder)
