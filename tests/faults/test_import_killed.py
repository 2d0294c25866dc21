"""A process that dies in the middle of an import: the next one ends it, as if nothing had been."""

import csv
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Generic, TypeVar

import pytest
from fastapi import FastAPI
from sqlalchemy import func, select

from services.intake.register_file.export_file import csv_of as register_csv
from services.intake.register_file.store import RegisterFileStore
from services.intake.registry.model import Wanted
from services.notify.subscriber_file.export_file import csv_of as subscribers_csv
from services.notify.subscriber_file.store import SubscriberFileStore
from services.notify.subscribers.store import Subscription
from shared.events.intake import AssociationChanged
from shared.list_report import ImportReport
from shared.settings import Settings
from tests.faults.evening import database_of, running, waiting
from tests.faults.lists import KEEPERS, Later, ended, kept, prepared
from tests.faults.perishing import perish
from tests.servers import eventually

KILLED = pytest.mark.parametrize(
    ("point", "last_words"), [("before-commit", "not committed: batch 3"), ("after-commit", "committed: batch 3")]
)
pytestmark = [pytest.mark.connected, pytest.mark.faults]

ROWS = 2600
HEADING = "Nimi;Rekisterinumero;Kotipaikka;Sähköposti;Kyvykkyydet;Yhteyshenkilö 2;Puhelin 2"
DATES = ("Pyydetty", "Vahvistettu", "Lopetettu")
T = TypeVar("T")
Look = Callable[[FastAPI], Awaitable[T]]


def register(change: str = "") -> bytes:
    lines = [
        f"Seura {number}{change * (number % 3 == 0)};{number};Hattula;s{number}@example.org;ensiapu: {number};B;040"
        for number in range(1, ROWS + 1)
    ]
    return "\n".join([HEADING, *lines, "Paha;;Turku"]).encode()


def subscribers(*, every: int) -> bytes:
    """A list that names each so-manieth, and one row that cannot be read."""
    lines = [f"lukija{number}@example.org;Forssa, Hattula" for number in range(0, ROWS, every)]
    return "\n".join(["Sähköposti;Kunnat", *lines, "paha;Forssa"]).encode()


async def in_the_register(app: FastAPI) -> tuple[bytes, Sequence[tuple[str, int]]]:
    """The whole register as a file, and every version that was told, in no order."""
    files: RegisterFileStore = app.state.register_files
    found = await files.export(Wanted(), by=None, form="csv")
    written = b"".join([piece async for piece in register_csv(found())])
    told = [(event.name, event.version) for event in await waiting(database_of(app), AssociationChanged)]
    return written, sorted(told)


async def subscribed(app: FastAPI) -> tuple[Sequence[Sequence[str]], int]:
    """All subscribers as an export tells them but for its dates, in no order; and how many choices of a place."""
    files: SubscriberFileStore = app.state.subscriber_files
    text = b"".join([piece async for piece in subscribers_csv(files.export(by=None))]).decode("utf-8-sig")
    rows = [
        [value for name, value in row.items() if not name.startswith(DATES)]
        for row in csv.DictReader(StringIO(text), delimiter=";")
    ]
    async with database_of(app).read() as session:
        choices = (await session.execute(select(func.count()).select_from(Subscription))).scalar_one()
    return sorted(rows), choices


async def whole(service: str, settings: Settings, bodies: Sequence[bytes], look: Look[T]) -> T:
    """What there is to see after an import that nobody killed."""
    keeper = KEEPERS[service]
    app, name = keeper.make_app(settings), await prepared(keeper, settings, bodies)
    async with running(app):
        await eventually(lambda: ended(keeper, app, name), within=60)
        return await look(app)


@dataclass(frozen=True)
class Ending(Generic[T]):
    """The last words of the process that died, what there is to see afterwards, and the report of the import."""

    last_words: str
    seen: T
    report: ImportReport


async def killed(service: str, settings: Settings, bodies: Sequence[bytes], look: Look[T], *, point: str) -> Ending[T]:
    """The same import, begun by a process that dies at this point, and ended by another."""
    keeper = KEEPERS[service]
    name = await prepared(keeper, settings, bodies)
    said = await perish("importer", settings, service, point)
    app = keeper.make_app(settings, clock=Later())
    async with running(app):
        await eventually(lambda: ended(keeper, app, name), within=60)
        return Ending(said[-1], await look(app), (await kept(keeper, app, name)).report)


@pytest.fixture
def unkilled(settings: Settings, tmp_path: Path) -> Settings:
    """An installation in which nobody dies."""
    return settings.model_copy(update={"database": f"sqlite+aiosqlite:///{tmp_path}/whole-{{service}}.db"})


@KILLED
async def test_a_killed_import_is_ended_by_the_next_process(
    settings: Settings, unkilled: Settings, point: str, last_words: str
) -> None:
    bodies = (register(), register(" ry"))
    expected = await whole("intake", unkilled, bodies, in_the_register)

    ending = await killed("intake", settings, bodies, in_the_register, point=point)

    told, report = ending.seen[1], ending.report
    assert ending.last_words == last_words
    assert ending.seen == expected
    assert len(told) == len(set(told)) == ROWS + ROWS // 3
    assert (report.changed, report.same, report.bad) == (ROWS // 3, ROWS - ROWS // 3, 1)


@KILLED
async def test_nobody_is_left_out_or_subscribed_twice_by_a_killed_import(
    settings: Settings, unkilled: Settings, point: str, last_words: str
) -> None:
    bodies = (subscribers(every=2), subscribers(every=1))
    expected = await whole("notify", unkilled, bodies, subscribed)

    ending = await killed("notify", settings, bodies, subscribed, point=point)

    rows, choices = ending.seen
    assert ending.last_words == last_words
    assert ending.seen == expected
    assert (len(rows), choices) == (ROWS, 2 * ROWS)
    assert (ending.report.new, ending.report.same, ending.report.bad) == (ROWS // 2, ROWS // 2, 1)
