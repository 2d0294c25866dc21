"""Reports in Chromium: accessible on phone and desk in light and dark, made by keyboard alone, one A4 page on paper."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright

from services.status.app import make_app
from shared.events.intake import OperatingStatus
from shared.i18n import Locale
from shared.identity import Role
from tests.browser.conftest import QUIET
from tests.browser.page_check import wrong_on
from tests.browser.test_form import press_until, settings_in
from tests.connected.test_links_inert_browser import served
from tests.fakes import FakeClock
from tests.servers import program
from tests.status.people import FORSSA, TAMMELA, association, checkin, round_of, session_cookie, storm
from tests.status.reports import EXERCISE, note

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="module")]

SHEET = re.compile(rb"/Type\s*/Page\b")
ABILITIES = (("transport", "first-aid"), ("food-aid", "search"), ())


@dataclass(frozen=True)
class Site:
    """The running service, where an exercise's reports are, the liaison's session, and a browser."""

    address: str
    reports: str
    cookie: dict[str, str]
    chromium: Browser

    async def page(self) -> Page:
        """The liaison's page, in Finnish."""
        context = await self.chromium.new_context(locale="fi-FI")
        [(name, value)] = self.cookie.items()
        await context.add_cookies([{"name": name, "value": value, "url": self.address}])
        return await context.new_page()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """An exercise with two reports, and answers between them."""
    app = make_app(settings_in(tmp_path_factory.mktemp("report")), clock=FakeClock())
    async with served(app) as address, async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=program("chromium"), args=QUIET)
        state, opened = app.state, storm(realm=EXERCISE)
        for number in range(30):
            place = TAMMELA if number % 2 else FORSSA
            able = ABILITIES[number % 3]
            await state.readiness.know(association(f"Yhdistys {number}", place, networks=("silta",), capabilities=able))
        await state.situations.open(opened)
        round_ = round_of(opened.situation)
        await state.rounds.open(opened.situation, round_)
        await state.reports.freeze(opened.situation, note("Ensimmäinen."))
        for number in range(20):
            await state.readiness.hear(checkin(f"Yhdistys {number}", round_, list(OperatingStatus)[number % 3]))
        await state.reports.freeze(opened.situation, note("Sähköt ovat poikki.\nLämmin tila on avoinna."))
        here = f"{address}/situations/{opened.situation.id}/reports"
        yield Site(address, here, session_cookie(app, Role.LIAISON), chromium)
        await chromium.close()


async def test_every_page_of_reports_and_links_is_accessible(site: Site) -> None:
    page = await site.page()
    found = []
    for name in ("", "/new", "/2", "/1/since", "/links"):
        await page.goto(f"{site.reports}{name}")
        found += await wrong_on(page, name or "list")
    await page.fill("[name=purpose]", " ")
    await page.click("section form button")
    found += await wrong_on(page, "links, wrong")
    await page.fill("[name=purpose]", "Pelastuslaitos")
    await page.click("section form button")
    found += await wrong_on(page, "links, made")
    made = re.search(r"/shared/\S+", await page.locator(".capability").inner_text())
    assert made
    await page.context.clear_cookies()
    for path in (made.group(), "/shared/gone"):
        await page.goto(f"{site.address}{path}")
        found += await wrong_on(page, path[:8])

    assert found == []


async def test_a_report_is_made_by_keyboard_alone(site: Site) -> None:
    page = await site.page()
    await page.goto(f"{site.reports}/new")

    await press_until(page, "summary ")
    await page.keyboard.type("Nyt on hiljaista.")
    await press_until(page, "BUTTON Tee lopullinen raportti")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/reports/3?said=frozen")

    assert "Nyt on hiljaista." in await page.locator("article.report").inner_text()


async def test_on_paper_a_usual_report_is_one_page_in_every_language(site: Site) -> None:
    page = await site.page()
    sheets = {}
    for locale in Locale:
        await page.goto(f"{site.reports}/2?lang={locale}")
        sheets[locale] = len(SHEET.findall(await page.pdf(prefer_css_page_size=True)))

    assert sheets == dict.fromkeys(Locale, 1)
