"""Lists are taken in by the same pages everywhere: each behaviour is tested once, and run for every kind of list."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from services.intake.app import make_app as make_intake
from services.notify.app import make_app as make_notify
from shared import list_pages
from shared.identity import Role
from shared.settings import Settings
from tests.fakes import FakeClock
from tests.migrated import Migrated
from tests.notify.conftest import signed_in, staff


@dataclass(frozen=True)
class Kind:
    """A kind of list: where it is taken in, a good row and a bad one below the heading, and what its columns mean."""

    service: str
    make_app: Callable[..., FastAPI]
    path: str
    heading: str
    good: str
    bad: str
    columns: tuple[str, ...]
    stated: Mapping[str, str] = field(default_factory=dict)


KINDS = (
    Kind(
        service="intake",
        make_app=make_intake,
        path="/registry/import",
        heading="Nimi;Rekisterinumero;Kotipaikka",
        good="Hattulan Martat;1001;Hattula",
        bad="=Paha;7;Turku",
        columns=("name", "register_number", "municipality"),
    ),
    Kind(
        service="notify",
        make_app=make_notify,
        path="/subscribers/import",
        heading="Sähköposti;Nimi;Kunnat",
        good="aino@example.org;Aino;Hattula",
        bad="=paha;Bertta;Turku",
        columns=("email", "name", "municipalities"),
        stated={"audience": "members", "basis": "contacts of the member associations, annual meeting 2026"},
    ),
)


@dataclass(frozen=True)
class Desk:
    """The running service, a browser in which somebody may import, and one of somebody else."""

    kind: Kind
    browser: AsyncClient
    other: AsyncClient

    async def brought(self, *rows: str, heading: str = "") -> str:
        """Bring a list; where its page is."""
        text = "\n".join([heading or self.kind.heading, *rows])
        files = {"file": ("lista.csv", text.encode())}
        answer = await self.browser.post(f"{self.kind.path}?lang=en", data=self.kind.stated, files=files)
        assert answer.status_code == 303
        return answer.headers["location"]

    async def page(self, path: str) -> str:
        return (await self.browser.get(f"{path}?lang=en")).text


@pytest.fixture(params=KINDS, ids=lambda kind: kind.service)
async def desk(
    request: pytest.FixtureRequest,
    settings: Settings,
    clock: FakeClock,
    migrated: Migrated,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Desk]:
    """A page waits for its small list as long as it takes, so that a busy machine shows the same page."""
    monkeypatch.setattr(list_pages, "AT_ONCE", 60.0)
    kind: Kind = request.param
    await migrated.copy_to(settings.database_of(kind.service), kind.service)
    app = kind.make_app(settings, clock=clock)
    async with (
        app.router.lifespan_context(app),
        signed_in(app, staff(clock, Role.ADMINISTRATOR)) as browser,
        signed_in(app, staff(clock, Role.ADMINISTRATOR)) as other,
    ):
        yield Desk(kind, browser, other)


async def test_columns_that_nobody_knows_are_chosen_by_hand(desk: Desk) -> None:
    path = await desk.brought(desk.kind.good, heading="Yksi;Kaksi;Kolme")
    led_to = await desk.browser.get(path)
    asked = await desk.page(f"{path}/columns")
    first, second, third = desk.kind.columns

    missing = await desk.browser.post(f"{path}/columns?lang=en", data={second: "1", third: "999999999"})
    twice = await desk.browser.post(f"{path}/columns?lang=en", data={first: "0", second: "0"})
    await desk.browser.post(f"{path}/columns", data={first: "0", second: "1", third: "2"})
    report = await desk.page(path)
    await desk.browser.post(path)
    done = await desk.page(path)

    assert led_to.headers["location"] == f"{path}/columns"
    assert f"Yksi ({desk.kind.good.split(';')[0]})" in asked
    assert (missing.status_code, twice.status_code) == (422, 422)
    assert f'href="#f-{first}"' in missing.text
    assert "Choose the column that holds this." in missing.text
    assert f'href="#f-{second}"' in twice.text
    assert "The column Yksi is chosen twice." in twice.text
    assert '<h1 id="title">What would change</h1>' in report
    assert '<h1 id="title">Imported</h1>' in done
    assert "<dt>New</dt><dd>1</dd>" in done


async def test_bad_rows_hold_up_the_import_until_somebody_says_anyway(desk: Desk) -> None:
    path = await desk.brought(desk.kind.good, desk.kind.bad)

    refused = await desk.browser.post(f"{path}?lang=en")
    taken = await desk.browser.post(path, data={"anyway": "yes"})
    done = await desk.page(path)

    assert refused.status_code == 422
    assert 'href="#f-anyway-yes"' in refused.text
    assert "Turku is not a municipality of the region." in refused.text
    assert taken.headers["location"] == path
    assert "<dt>New</dt><dd>1</dd>" in done
    assert "<dt>Cannot be taken</dt><dd>1</dd>" in done


async def test_bad_rows_are_handed_out_as_written_and_as_no_formula(desk: Desk) -> None:
    path = await desk.brought(desk.kind.good, desk.kind.bad)

    answer = await desk.browser.get(f"{path}/problems.csv?lang=en")

    heading, row = answer.text.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}").splitlines()
    assert answer.headers["content-disposition"] == 'attachment; filename="virheet.csv"'
    assert heading == f"{desk.kind.heading};Row in the file;What is wrong"
    assert row.startswith(f"'{desk.kind.bad};3;")
    assert "Turku is not a municipality of the region." in row


async def test_a_list_belongs_to_whoever_brought_it(desk: Desk) -> None:
    path = await desk.brought(desk.kind.good)

    seen = [await desk.other.get(f"{path}{more}?lang=en") for more in ("", "/columns", "/live", "/problems.csv")]
    started = await desk.other.post(path)

    assert {answer.status_code for answer in (*seen, started)} == {404}
    assert all("is not kept any more" in answer.text for answer in seen)


async def test_without_a_file_nothing_is_taken_and_what_was_typed_stays(desk: Desk) -> None:
    answer = await desk.browser.post(f"{desk.kind.path}?lang=en", data={**desk.kind.stated, "sheet": "Jäsenet"})

    assert answer.status_code == 422
    assert 'href="#f-file"' in answer.text
    assert "Choose a file that is not empty." in answer.text
    assert 'value="Jäsenet"' in answer.text
