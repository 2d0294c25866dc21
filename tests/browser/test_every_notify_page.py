"""Every page that notify has, for the staff and for everybody: accessible on a small phone and on a desk, in light and
in dark, whole at both widths, and complete without JavaScript. The pages come from the tables of roles and doors."""

import io
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from fastapi import FastAPI
from playwright.async_api import Browser, Page, async_playwright

from services.exercise import SERVES as EXERCISE
from services.intake import SERVES as INTAKE
from services.notify.app import make_app
from services.notify.guidance.model import Kind
from services.notify.subscribers.model import Audience, Consent, Wishes
from services.notify.webhook.model import Wanted, channel_of
from services.status import SERVES as STATUS
from shared.i18n import Locale
from shared.identity import Role
from shared.ids import new_id
from tests.browser.conftest import QUIET
from tests.browser.page_check import wrong_on
from tests.browser.test_every_status_page import SEEN
from tests.browser.test_form import settings_in
from tests.connected.test_links_inert_browser import served
from tests.house.role_table import MAY_PASS
from tests.house.test_doors import PUBLIC
from tests.notify.conftest import row_of
from tests.notify.guidance.drafts import ALL_LANGUAGES, draft, published, submitted
from tests.notify.standing.test_standing import published as standing_published
from tests.servers import program
from tests.status.people import LIAISON, session_cookie

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(900), pytest.mark.asyncio(loop_scope="module")]

NO_PAGE = (".csv", ".xml", ".js", ".json", "/live", "{file}", "healthz", "readyz")
OTHERS = (*EXERCISE, *INTAKE, *STATUS, *(f"/{{service}}/{name}" for name in ("healthz", "readyz", "announced", "join")))
LIST = "Sähköposti;Nimi;Kunnat\naino@example.org;Aino;Forssa\nbertta@example.org;Bertta;Turku\n"
BASIS = "jäsenyhdistysten yhteyshenkilöt, vuosikokous 2026"
CECILIA, DORIS = "cecilia@example.org", "doris@example.org"


@dataclass(frozen=True)
class Desk:
    """The running service with something on each page, and a browser."""

    app: FastAPI
    address: str
    values: dict[str, str]
    chromium: Browser

    async def page(self, *, scripts: bool = True) -> Page:
        """The page of somebody who has every role, in Finnish."""
        context = await self.chromium.new_context(locale="fi-FI", java_script_enabled=scripts)
        [(name, value)] = session_cookie(self.app, *Role).items()
        await context.add_cookies([{"name": name, "value": value, "url": self.address}])
        return await context.new_page()

    def filled(self, path: str) -> str:
        """The address of a path of the tables."""
        if path.endswith(("/edit", "/schedule")):
            path = path.replace("{guidance_id}", self.values["{draft}"])
        for name, value in self.values.items():
            path = path.replace(name, value)
        return f"{self.address}{path}"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    """Guidance that is released and waits to be corrected, a draft, two subscribers, and a list with a bad row."""
    app = make_app(settings_in(tmp_path_factory.mktemp("notify")))
    async with served(app) as address, async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=program("chromium"), args=QUIET)
        values = await something_on_each_page(app)
        yield Desk(app, address, values, chromium)
        await chromium.close()


async def something_on_each_page(app: FastAPI) -> dict[str, str]:
    """Put it there; what fills the paths."""
    guidance, links = app.state.guidance, app.state.links
    cecilia = await subscribed(app, CECILIA, confirm=True)
    await subscribed(app, DORIS, confirm=False)
    released = await published(guidance, draft(ALL_LANGUAGES))
    assert await guidance.correct(released, Kind.UPDATE, draft(ALL_LANGUAGES), by=LIAISON, edition=released.edition)
    waiting = await submitted(guidance, draft())
    name = await app.state.subscriber_files.receive(
        io.BytesIO(LIST.encode()),
        file_name="jasenet.csv",
        person_id=LIAISON,
        about={"audience": "members", "basis": BASIS},
    )
    await app.state.subscriber_files.work()
    endpoint_id = new_id()
    await app.state.endpoints.add(endpoint_id, Wanted("Pelastuslaitos", "https://alerts.example.org/in"), by=LIAISON)
    await app.state.channels.ping(channel_of(endpoint_id))
    advice = await standing_published(app.state.standing)
    return {
        "{endpoint_id:uuid}": str(endpoint_id),
        "{standing_id:uuid}": str(advice.standing_id),
        "{guidance_id}": str(released.guidance_id),
        "{draft}": str(waiting.guidance_id),
        "{subscriber_id}": str(cecilia),
        "{token}": links.token(cecilia),
        "{service}": "notify",
        "{code}": "061",
        "{name}": name,
    }


async def subscribed(app: FastAPI, email: str, *, confirm: bool) -> UUID:
    wishes = Wishes(frozenset({Audience.RESIDENTS}), frozenset({"061", "082"}), Locale.FI)
    await app.state.subscribers.ask(email, wishes, consent=Consent("2026-1", "ab" * 32))
    row = await row_of(app, email)
    assert not confirm or await app.state.subscribers.confirm(row.id)
    return row.id


def pages_of_notify() -> list[str]:
    """The paths of both tables that notify serves as pages."""
    staff = [door.removeprefix("GET ") for door in MAY_PASS if door.startswith("GET ")]
    everybody = [path for path in PUBLIC if path != "/s/{subscriber_id}/{token}/leave"]
    return [path for path in (*staff, *everybody) if not path.startswith(OTHERS) and not path.endswith(NO_PAGE)]


async def test_every_page_is_accessible_at_both_widths_in_light_and_dark(desk: Desk) -> None:
    page = await desk.page()
    found = []
    paths = pages_of_notify()
    for path in paths:
        reply = await page.goto(desk.filled(path))
        assert reply is not None
        assert reply.status == 200, path
        found += await wrong_on(page, path)

    assert {"/", "/subscribers/import/{name}", "/guidance/{guidance_id}", "/s/{subscriber_id}/{token}/erase"} <= {
        *paths
    }
    assert found == []


async def test_every_page_says_the_same_without_javascript(desk: Desk) -> None:
    with_scripts, without = await desk.page(), await desk.page(scripts=False)
    for path in pages_of_notify():
        await with_scripts.goto(desk.filled(path))
        await without.goto(desk.filled(path))
        said: Sequence[str] = await with_scripts.evaluate(SEEN)
        plainly: Sequence[str] = await without.evaluate(SEEN)
        assert set(said) - set(plainly) == set(), path


async def test_a_list_is_imported_and_a_person_erased_step_by_step(desk: Desk, tmp_path: Path) -> None:
    page: Any = await desk.page()
    found: list[str] = []
    file = tmp_path / "jasenet.csv"
    file.write_text(LIST, encoding="utf-8")

    await page.goto(f"{desk.address}/subscribers")
    await page.click("main a[href='/subscribers/import']")
    await page.click("main form button")
    found += await wrong_on(page, "an empty import")
    await page.set_input_files("[name=file]", file)
    await page.check("[name=audience][value=members]")
    await page.fill("[name=basis]", BASIS)
    await page.click("main form button")
    await page.wait_for_selector("#errors")
    found += await wrong_on(page, "a list with a bad row")
    await page.check("[name=anyway]")
    await page.click("main form button")
    await page.wait_for_selector("main form", state="detached")
    found += await wrong_on(page, "an import that is done")

    await page.goto(f"{desk.address}/subscribers/person")
    await page.fill("[name=address]", "aino@example.org")
    await page.click("main form button")
    found += await wrong_on(page, "a person")
    await page.click("button.danger")
    found += await wrong_on(page, "an erasure nobody is sure of")
    await page.check("[name=sure]")
    await page.click("button.danger")
    found += await wrong_on(page, "a person who is erased")

    await page.goto(desk.filled("/s/{subscriber_id}/{token}"))
    await page.click("main a[href$='/erase']")
    await page.click("main form button")
    found += await wrong_on(page, "she who erased herself")

    assert found == []
    assert "Tietonne on poistettu" in await page.inner_text("h1")
    assert not (await desk.app.state.erasure.held("aino@example.org")).known
    assert not (await desk.app.state.erasure.held(CECILIA)).known
