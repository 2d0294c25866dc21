"""Calling and typing back by keyboard alone, every page accessible, and the code on a sheet read by a camera's eye."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import pytest
import zxingcpp
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from playwright.async_api import Browser, Page, async_playwright
from sqlalchemy import select
from sqlmodel import col

from services.intake.access.model import PersonEntry
from services.intake.app import make_app
from services.intake.checkin.store import CheckInRow
from shared.identity import Role
from shared.settings import Settings
from tests.browser.conftest import QUIET
from tests.browser.page_check import wrong_on
from tests.connected.test_links_inert_browser import served
from tests.fakes import FakeClock
from tests.intake.calling.people import ask_all
from tests.intake.house import ADDRESS, Intake
from tests.postgres import free_port
from tests.servers import program

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.connected, pytest.mark.timeout(300)]

SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
PIXELS = """async (png) => {
  const image = new Image();
  image.src = "data:image/png;base64," + png;
  await image.decode();
  const canvas = Object.assign(document.createElement("canvas"), { width: image.width, height: image.height });
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  const { data } = context.getImageData(0, 0, image.width, image.height);
  const grey = Array.from({ length: data.length / 4 }, (_, at) => data[at * 4]);
  return { width: image.width, height: image.height, grey };
}"""


@dataclass(frozen=True)
class Desk:
    """A clerk's browser, signed in at a round that asked everybody."""

    intake: Intake
    browser: Browser
    page: Page
    address: str
    round_id: UUID

    async def go(self, path: str) -> None:
        reply = await self.page.goto(f"{self.address}{path}")
        assert reply is not None
        assert reply.status == 200, path

    async def press(self, *keys: str) -> None:
        await self.page.wait_for_selector(":focus", state="attached")
        for key in keys:
            await self.page.keyboard.press(key)

    async def enter(self) -> None:
        """Press Enter where it leads to another page, once the page has given something the focus."""
        await self.page.wait_for_selector(":focus", state="attached")
        async with self.page.expect_navigation():
            await self.page.keyboard.press("Enter")

    async def rows(self) -> list[tuple[str, str]]:
        async with self.intake.database.read() as session:
            rows = await session.execute(
                select(CheckInRow).order_by(col(CheckInRow.reported_at), col(CheckInRow.channel).desc())
            )
            return [(row.status, row.channel) for row in rows.scalars()]


@asynccontextmanager
async def at_the_desk(settings: Settings, *, scripts: bool = True) -> AsyncIterator[Desk]:
    port = free_port()
    own = settings.model_copy(update={"public_url": f"http://127.0.0.1:{port}"})
    app: FastAPI = make_app(own, clock=FakeClock())
    async with (
        served(app, port=port) as address,
        async_playwright() as playwright,
        AsyncClient(transport=ASGITransport(app=app), base_url=ADDRESS) as client,
    ):
        intake = Intake(app, app.state.house.clock, client)
        opened = await ask_all(intake)
        await app.state.access.add_person(PersonEntry("Liisa", "liisa@example.org", frozenset({Role.CLERK})))
        link = await app.state.access.operator_link("liisa@example.org", timedelta(minutes=5))
        chromium = await playwright.chromium.launch(executable_path=program("chromium"), args=QUIET)
        context = await chromium.new_context(locale="fi-FI", java_script_enabled=scripts)
        page = await context.new_page()
        await page.goto(link)
        await page.click("main button")
        yield Desk(intake, chromium, page, address, opened.round_id)
        await chromium.close()


async def test_calls_are_made_by_keyboard_alone(settings: Settings) -> None:
    async with at_the_desk(settings) as desk:
        await desk.go(f"/calls/rounds/{desk.round_id}")
        await desk.enter()
        first = await desk.page.inner_text("h1")
        await desk.press("3", "1", "2")
        await desk.enter()
        recorded = await desk.page.inner_text("main")
        await desk.enter()
        second = await desk.page.inner_text("h1")

        assert (first, second) == ("Lopen Kyläseura", "Hattulan Martat")
        assert "Toimimme rajoitetusti" in recorded
        assert await desk.rows() == [("limited", "phone")]


async def test_calls_are_made_by_keyboard_without_scripts_too(settings: Settings) -> None:
    async with at_the_desk(settings, scripts=False) as desk:
        await desk.go(f"/calls/rounds/{desk.round_id}")
        await desk.enter()
        await desk.press("Space", "ArrowDown", "ArrowDown")
        await desk.enter()
        await desk.go(f"/paper/{desk.round_id}/082/answers")
        await desk.press("2")
        await desk.enter()
        await desk.press("1")
        await desk.enter()

        assert await desk.rows() == [("suspended", "phone"), ("normal", "paper")]


async def test_rows_are_typed_back_by_keyboard_alone(settings: Settings) -> None:
    async with at_the_desk(settings) as desk:
        await desk.go(f"/paper/{desk.round_id}/082/answers")
        await desk.press("h", "a", "t", "t")
        await desk.enter()
        await desk.press("9", "Enter")
        wrong = desk.page.locator("[data-row] .wrong")
        await wrong.wait_for()
        await desk.press("Backspace", "1", "Enter")
        await wrong.wait_for(state="detached")
        await desk.press("2", "Tab", "k", "Enter")
        await desk.page.locator("[data-row] .badge").nth(1).wait_for()
        await desk.press("3", "Enter")
        await desk.page.locator("[data-row] .badge").nth(2).wait_for()

        assert sorted(await desk.rows()) == [("limited", "paper"), ("normal", "paper"), ("suspended", "paper")]


async def test_the_code_on_a_sheet_leads_to_the_answer_form(settings: Settings) -> None:
    async with at_the_desk(settings) as desk:
        await desk.go(f"/paper/{desk.round_id}/082/sheets")
        await desk.page.click("main form button")
        await desk.page.locator(".qr").first.wait_for()
        name = await desk.page.inner_text(".sheet h2 >> nth=0")
        picture = await desk.page.locator(".qr").first.screenshot()
        phone = await (await desk.browser.new_context()).new_page()
        seen = await phone.evaluate(PIXELS, base64.b64encode(picture).decode())
        grey = memoryview(bytes(seen["grey"])).cast("B", shape=[seen["height"], seen["width"]])
        [code] = zxingcpp.read_barcodes(grey)
        await phone.goto(code.text)
        asked = await phone.inner_text("h1")
        await phone.click("text=Toimimme normaalisti")
        async with phone.expect_navigation():
            await phone.click("button:has-text('Lähetä vastaus')")

        assert code.text.startswith(f"{desk.address}/c/")
        assert asked == name == "Miten Hattulan Martat toimii nyt?"
        assert await desk.rows() == [("normal", "link")]


async def test_every_page_is_accessible_on_phone_and_desk(settings: Settings) -> None:
    async with at_the_desk(settings) as desk:
        await desk.go(f"/paper/{desk.round_id}/082/sheets")
        await desk.page.click("main form button")
        await desk.go(f"/calls/rounds/{desk.round_id}")
        await desk.enter()
        call = desk.page.url.removeprefix(desk.address)
        found = []
        for path in (
            *("/work-list", "/work-list/failed", "/work-list/unreachable", "/calls", call, f"/paper/{desk.round_id}"),
            f"/calls/rounds/{desk.round_id}",
            call.replace("?", "/recorded?"),
            *(f"/paper/{desk.round_id}/082/{page}" for page in ("list", "sheets", "answers?find=2")),
        ):
            await desk.go(path)
            found += await wrong_on(desk.page, path)

        assert found == []
