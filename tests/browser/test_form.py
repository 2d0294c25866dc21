"""The answer form in Chromium: accessible in every language, whole at 320 px and 200 % text, answered by keyboard
alone, and without JavaScript."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import pytest
from axe_playwright_python.async_playwright import Axe
from fastapi import FastAPI
from playwright.async_api import Browser, Page, async_playwright
from sqlalchemy import select

from services.intake.app import make_app as make_intake
from services.intake.checkin.store import CheckInRow
from shared.i18n import Locale
from shared.identity import Role, Staff
from shared.ids import new_id
from shared.settings import Settings
from tests.browser.conftest import QUIET
from tests.browser.test_walk import RULES
from tests.connected.test_links_inert_browser import served
from tests.faults.evening import ask, database_of
from tests.servers import program

pytestmark = pytest.mark.browser

WIDTHS = (320, 390, 1280)
OPEN_ALL = "document.querySelectorAll('details').forEach(one => one.open = true)"
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
FOCUS = "(one => [one.name || one.tagName, one.type == 'text' ? '' : one.value || ''].join(' ').trim())(document.activeElement)"


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

    async def page(self, **options: object) -> Page:
        """A new person's page."""
        context = await self.chromium.new_context(locale="fi-FI", **options)  # type: ignore[arg-type]
        return await context.new_page()

    async def rows(self) -> list[CheckInRow]:
        async with database_of(self.app).read() as session:
            return list(
                (await session.execute(select(CheckInRow).order_by(CheckInRow.__table__.c.reported_at))).scalars()
            )

    async def sign_in(self, page: Page) -> None:
        """Have the liaison signed in in this page's browser."""
        from starlette.responses import Response

        reply = Response()
        sessions = self.app.state.sessions
        now = self.app.state.house.clock.now()
        staff = Staff(new_id(), new_id(), frozenset({Role.LIAISON}), now.replace(year=now.year + 1))
        sessions.sign_in(reply, staff)
        value = reply.headers["set-cookie"].partition("=")[2].partition(";")[0]
        await page.context.add_cookies([{"name": sessions.cookie, "value": value.strip('"'), "url": self.address}])


@pytest.fixture
async def door(settings: Settings) -> AsyncIterator[Door]:
    """One association asked in a round."""
    evening = await ask(settings, 1)
    [(association_id, path)] = evening.links.items()
    app = make_intake(settings)
    async with served(app) as address, async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=program("chromium"), args=QUIET)
        yield Door(app, address, path, association_id, chromium)
        await chromium.close()
