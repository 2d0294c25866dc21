"""A process that dies in the middle of an import: the next one ends it, as if nothing had been."""

from collections.abc import Sequence
from datetime import datetime
from io import BytesIO
from pathlib import Path

import pytest
from fastapi import FastAPI

from services.intake.app import make_app
from services.intake.register_file.export_file import csv_of
from services.intake.register_file.store import RegisterFileStore
from services.intake.registry.model import Wanted
from shared.clock import SystemClock
from shared.events.intake import AssociationChanged
from shared.house import House
from shared.list_report import UploadState
from shared.migrate import migrate
from shared.settings import Settings
from shared.uploads import LEASE
from tests.faults.evening import database_of, running, waiting
from tests.faults.perishing import perish
from tests.servers import eventually

pytestmark = [pytest.mark.connected, pytest.mark.faults]

ROWS = 2600
HEADING = "Nimi;Rekisterinumero;Kotipaikka;Sähköposti;Kyvykkyydet;Yhteyshenkilö 2;Puhelin 2"


class Later(SystemClock):
    """The clock of a process that starts when the claim of the dead one has lapsed."""

    def now(self) -> datetime:
        return super().now() + 2 * LEASE


def register(change: str = "") -> bytes:
    lines = [
        f"Seura {number}{change * (number % 3 == 0)};{number};Hattula;s{number}@example.org;ensiapu: {number};B;040"
        for number in range(1, ROWS + 1)
    ]
    return "\n".join([HEADING, *lines, "Paha;;Turku"]).encode()


async def prepared(settings: Settings) -> str:
    """An installation with a register, and a list that changes a third of it: looked over, to be imported."""
    app = make_app(settings)
    house: House = app.state.house
    await migrate(house.database, house.migrations)
    files: RegisterFileStore = app.state.register_files
    name = ""
    for body in (register(), register(" ry")):
        name = await files.receive(BytesIO(body), file_name="lista.csv", person_id=None)
        await files.work()
        await files.uploads.start(name, person_id=None)
        if body == register():
            await files.work()
    await house.database.close()
    return name


async def outcome(app: FastAPI) -> tuple[bytes, Sequence[tuple[str, int]]]:
    """The whole register as a file, and every version that was told, in no order."""
    files: RegisterFileStore = app.state.register_files
    found = await files.export(Wanted(), by=None, form="csv")
    written = b"".join([piece async for piece in csv_of(found())])
    told = [(event.name, event.version) for event in await waiting(database_of(app), AssociationChanged)]
    return written, sorted(told)


async def ended(app: FastAPI, name: str) -> bool:
    files: RegisterFileStore = app.state.register_files
    kept = await files.uploads.get(name, person_id=None)
    return kept is not None and kept.state is UploadState.DONE


@pytest.mark.faults
@pytest.mark.parametrize(
    ("point", "last_words"), [("before-commit", "not committed: batch 3"), ("after-commit", "committed: batch 3")]
)
async def test_a_killed_import_is_ended_by_the_next_process(
    settings: Settings, tmp_path: Path, point: str, last_words: str
) -> None:
    unkilled = settings.model_copy(update={"database": f"sqlite+aiosqlite:///{tmp_path}/whole-{{service}}.db"})
    whole = make_app(unkilled)
    other = await prepared(unkilled)
    async with running(whole):
        await eventually(lambda: ended(whole, other), within=60)
        expected = await outcome(whole)
    name = await prepared(settings)

    said = await perish("intake_importer", settings, point)
    app = make_app(settings, clock=Later())
    async with running(app):
        await eventually(lambda: ended(app, name), within=60)
        written, told = await outcome(app)
        kept = await app.state.register_files.uploads.get(name, person_id=None)

    assert said[-1] == last_words
    assert (written, told) == expected
    assert len(told) == len(set(told)) == ROWS + ROWS // 3
    assert (kept.report.changed, kept.report.same, kept.report.bad) == (ROWS // 3, ROWS - ROWS // 3, 1)
