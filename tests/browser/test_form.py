"""The answer form in Chromium: accessible in every language, whole at 320 px and 200 % text, answered by keyboard
alone, and without JavaScript."""

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest
import pytest_asyncio
from fastapi import FastAPI
from playwright.async_api import Browser, Page, async_playwright
from sqlalchemy import select
from sqlmodel import col
from starlette.responses import Response

from services.intake.app import make_app as make_intake
from services.intake.checkin.store import CheckInRow
from shared.i18n import Locale
from shared.identity import Role, Staff
from shared.ids import new_id
from shared.settings import Nats, Settings
from tests.browser.conftest import QUIET
from tests.browser.page_check import LIGHT, wrong_on
from tests.connected.test_links_inert_browser import served
from tests.faults.evening import ask, database_of
from tests.servers import program

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

TESTS = 6

WIDTHS = (320, 1280)
PHONE = 390
OPEN_ALL = "document.querySelectorAll('details').forEach(one => one.open = true)"
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
FOCUS = """(one => `${one.name || one.tagName}${one.type == "text" ? "" : " " + (one.value || one.textContent).trim()}`)
  (document.activeElement)"""
"""What has the focus: its name, and the value of a choice or the words of what has no name."""


@dataclass(frozen=True)
class Door:
    """A running intake, the address of one answer link, and a browser."""

    app: FastAPI
    address: str
    path: str
    association_id: UUID
    chromium: Browser

    @property
    def link(self) -> str:
        return f"{self.address}{self.path}"

    async def page(self, width: int, *, scripts: bool = True) -> Page:
        """A new person's page."""
        context = await self.chromium.new_context(
            locale="fi-FI", viewport={"width": width, "height": 844}, java_script_enabled=scripts
        )
        return await context.new_page()

    async def rows(self) -> list[CheckInRow]:
        """What was recorded of this association, oldest first."""
        async with database_of(self.app).read() as session:
            mine = select(CheckInRow).where(col(CheckInRow.association_id) == self.association_id)
            return list((await session.execute(mine.order_by(col(CheckInRow.reported_at)))).scalars())

    async def sign_in(self, page: Page) -> None:
        """Have the liaison signed in in this page's browser."""
        reply = Response()
        sessions = self.app.state.sessions
        now = self.app.state.house.clock.now()
        staff = Staff(new_id(), new_id(), frozenset({Role.LIAISON}), now.replace(year=now.year + 1))
        sessions.sign_in(reply, staff)
        value = reply.headers["set-cookie"].partition("=")[2].partition(";")[0]
        await page.context.add_cookies([{"name": sessions.cookie, "value": value.strip('"'), "url": self.address}])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def doors(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Iterator[Door]]:
    """One association for each test, all asked in one round."""
    settings = settings_in(tmp_path_factory.mktemp("form"))
    evening = await ask(settings, TESTS)
    app = make_intake(settings)
    async with served(app) as address, async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=program("chromium"), args=QUIET)
        yield iter([Door(app, address, path, key, chromium) for key, path in evening.links.items()])
        await chromium.close()


@pytest.fixture
def door(doors: Iterator[Door]) -> Door:
    """The next association's."""
    return next(doors)


def settings_in(folder: Path) -> Settings:
    """Settings of an installation of its own, on SQLite, without a bus."""
    return Settings.model_validate(
        {
            "database": f"sqlite+aiosqlite:///{folder}/{{service}}.db",
            "secret": "a secret of at least thirty-two characters",
            "nats": Nats(url="nats://127.0.0.1:1"),
            "log": "text",
            "var": folder,
        }
    )


async def look(page: Page, name: str, *, widths: Sequence[int] = WIDTHS) -> list[str]:
    """What is wrong at these widths with everything unfolded."""
    await page.evaluate(OPEN_ALL)
    return await wrong_on(page, name, widths=widths, colourings=(LIGHT,))


async def press_until(page: Page, focus: str) -> None:
    """Tab on until this has the focus."""
    for _ in range(60):
        if await page.evaluate(FOCUS) == focus:
            return
        await page.keyboard.press("Tab")
    raise AssertionError(f"{focus} was not reached; the focus is on {await page.evaluate(FOCUS)}")


async def test_every_page_of_an_answer_is_accessible(door: Door) -> None:
    page = await door.page(PHONE)
    await page.goto(door.link)
    found = await look(page, "form", widths=(*WIDTHS, PHONE))
    await page.check("[name=need][value=transport]")
    await page.fill("[name=need-transport]", "kaksi")
    await page.click("button.big")
    found += await look(page, "wrong")
    await page.fill("[name=need-transport]", "2")
    await page.check("[name=status][value=limited]")
    await page.click("button.big")
    found += await look(page, "thanks")
    await page.goto(door.link)
    found += await look(page, "again")
    await page.click("text=Näytä kaikki vastaukset")
    found += await look(page, "history")
    await door.sign_in(page)
    await page.goto(f"{door.address}/registry/{door.association_id}/answers")
    found += await look(page, "answers")

    assert found == []


async def test_the_form_is_accessible_in_other_languages_and_at_twice_the_size(door: Door) -> None:
    page = await door.page(320)
    found = []
    for locale in (Locale.SELKO, Locale.SV, Locale.EN):
        await page.goto(f"{door.link}?lang={locale}")
        await page.evaluate(OPEN_ALL)
        await page.check("[name=offer][value=language-help]")
        found += await wrong_on(page, locale, widths=(320,), colourings=(LIGHT,))
        await page.evaluate("document.documentElement.style.fontSize = '200%'")
        found += [f"{locale}: sideways"] if await page.evaluate(SIDEWAYS) > 0 else []

    assert found == []


async def test_an_answer_with_an_offer_and_a_need_by_keyboard_alone(door: Door) -> None:
    page = await door.page(PHONE)
    await page.goto(door.link)

    await press_until(page, "status normal")
    await page.keyboard.press("ArrowDown")
    await press_until(page, "SUMMARY Mitä apua tarvitsette?")
    await page.keyboard.press("Enter")
    await press_until(page, "need transport")
    await page.keyboard.press("Space")
    await press_until(page, "need-transport")
    await page.keyboard.type("2")
    await press_until(page, "SUMMARY Mitä voitte tarjota muille?")
    await page.keyboard.press("Enter")
    await press_until(page, "offer premises")
    await page.keyboard.press("Space")
    await press_until(page, "BUTTON Lähetä vastaus")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("text=Kiitos, vastauksenne on tallennettu.")

    [row] = await door.rows()
    assert row.status == "limited"
    assert row.needs == [{"capability": "transport", "amount": 2}]
    assert row.offers == [{"capability": "premises", "amount": None}]


async def test_without_scripts_an_answer_is_changed_and_its_offer_stays(door: Door) -> None:
    page = await door.page(320, scripts=False)
    await page.goto(door.link)
    assert not await page.locator("[name=offer-premises]").is_visible()
    await page.click("text=Mitä voitte tarjota muille?")
    await page.check("[name=offer][value=premises]")
    await page.fill("[name=offer-premises]", "3")
    await page.click("text=Toimimme normaalisti")
    await page.click("button.big")
    await page.click("text=Muuta vastausta")
    await page.click("text=Toimimme rajoitetusti")
    await page.click("button.big")
    await page.wait_for_selector("text=Tarjolla muille: tilat (3)")

    assert [row.status for row in await door.rows()] == ["normal", "limited"]
    assert [row.offers for row in await door.rows()] == [[{"capability": "premises", "amount": 3}]] * 2


async def test_an_error_takes_the_focus_and_leads_to_its_field(door: Door) -> None:
    page = await door.page(PHONE, scripts=False)
    await page.goto(door.link)
    await page.click("text=Toimimme normaalisti")
    await page.click("text=Mitä apua tarvitsette?")
    await page.check("[name=need][value=search]")
    await page.fill("[name=need-search]", "monta")
    await page.click("button.big")

    assert await page.locator(":focus").get_attribute("id") == "error"
    await page.click("#error a")
    assert await page.locator("[name=need-search]").is_visible()
    assert page.url.endswith("#f-need-search")


async def test_not_this_time_is_one_press_and_can_be_taken_back(door: Door) -> None:
    page = await door.page(PHONE, scripts=False)
    await page.goto(f"{door.link}?lang=en")

    await page.click("text=Not this time")
    await page.wait_for_selector("text=Your association has said: not this time.")
    await page.click("text=We operate normally")
    await page.click("button.big")
    await page.wait_for_selector("text=Thank you")

    assert [row.status for row in await door.rows()] == ["normal"]
