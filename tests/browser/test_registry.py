"""The registry desk in Chromium: accessible on a small phone and on a desk, and complete by keyboard alone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
import uvicorn
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from playwright.async_api import Page, async_playwright

from services.intake.access.model import PersonEntry
from services.intake.app import make_app
from services.intake.editing.store import Supplement
from services.intake.networks.model import Group
from services.intake.registry.model import Ability, Plan
from shared.identity import Role
from shared.settings import Settings
from tests.browser.conftest import QUIET
from tests.browser.page_check import LIGHT, wrong_on
from tests.fakes import FakeClock
from tests.intake.confirmation.test_web import run
from tests.intake.desk import record_of
from tests.intake.house import ADDRESS, AINO, BERTTA, CECILIA, Intake
from tests.postgres import free_port
from tests.servers import eventually, program

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]


@asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[str]:
    """The service at a real port; its address."""
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, access_log=False))
    serving = asyncio.create_task(server.serve())

    async def began() -> bool:
        return server.started or serving.done()

    await eventually(began)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await serving


@asynccontextmanager
async def desk(settings: Settings) -> AsyncIterator[tuple[Intake, Page, str]]:
    """A small register, an administrator's page on it, and its address."""
    app = make_app(settings, clock=(clock := FakeClock()))
    transport = ASGITransport(app=app)
    async with served(app) as address, AsyncClient(transport=transport, base_url=ADDRESS) as http:
        intake = Intake(app, clock, http)
        await intake.take_in(AINO, BERTTA, CECILIA)
        await app.state.networks.add(Group({"fi": "SILTA"}), by=None, code="silta")
        cars = Supplement(register_number="1001", networks=("silta",), abilities=(Ability("transport", 4, "autoja"),))
        await app.state.editing.supplement([cars, Supplement(register_number="1002", plan=Plan.DRAFT)])
        await intake.add_contact((await intake.ids())[0], 2, "dora@example.org")
        entry = PersonEntry("Ylva", "ylva@example.org", frozenset({Role.ADMINISTRATOR}))
        await app.state.access.add_person(entry)
        link = await app.state.access.operator_link("ylva@example.org", timedelta(minutes=5))
        async with async_playwright() as playwright:
            chromium = await playwright.chromium.launch(executable_path=program("chromium"), args=QUIET)
            context = await chromium.new_context(locale="fi-FI", viewport={"width": 1280, "height": 900})
            page = await context.new_page()
            await page.goto(link.replace(ADDRESS, address))
            await page.request.post(page.url, max_redirects=0)
            yield intake, page, address
            await chromium.close()


async def looked(page: Page, url: str) -> list[str]:
    """What is wrong on the page at this address."""
    reply = await page.goto(url)
    assert reply is not None
    assert reply.status == 200, url
    return await wrong_on(page, url, colourings=(LIGHT,))


async def test_every_page_of_the_desk_is_accessible(settings: Settings) -> None:
    async with desk(settings) as (intake, page, address):
        aino, bertta, _cecilia = await intake.ids()
        contact = (await record_of(intake, aino)).contacts[0]
        await page.request.post(f"{address}/registry/confirmation", max_redirects=0)
        await run(intake)
        details = await intake.link()
        paths = [
            *(
                "/registry?network=silta",
                f"/registry/{aino}",
                f"/registry/{aino}/edit",
                f"/registry/{aino}/merge/{bertta}",
            ),
            *(f"/registry/{aino}/contacts/{contact.id}", "/registry/networks", "/registry/networks/silta"),
            *("/registry/confirmation", "/who-can?capability=transport", details),
        ]

        found = [violation for path in paths for violation in await looked(page, f"{address}{path}")]

    assert found == []


async def test_an_association_is_edited_by_keyboard_alone(settings: Settings) -> None:
    async with desk(settings) as (intake, page, address):
        _aino, bertta, _cecilia = await intake.ids()
        await page.goto(f"{address}/registry/{bertta}")
        await tab_to(page, "Muokkaa")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/edit")
        await tab_to(page, "name")
        await page.keyboard.press("ControlOrMeta+a")
        await page.keyboard.type("Forssa Byalag rf")
        await tab_to(page, "able search")
        await page.keyboard.press("Space")
        await page.keyboard.press("Tab")
        await page.keyboard.type("12")
        await tab_to(page, "Tallenna")
        await page.keyboard.press("Enter")
        await page.wait_for_url(f"**/registry/{bertta}")
        record = await record_of(intake, bertta)

    assert record.association.name == "Forssa Byalag rf"
    assert record.abilities == [Ability("search", 12)]


async def tab_to(page: Page, wanted: str) -> None:
    """Press Tab until what is wanted has the focus: by its name and value, or by its text."""
    focused = "(e => [e.name, e.type === 'checkbox' ? e.value : '', e.innerText].filter(Boolean).join(' '))"
    for _ in range(120):
        await page.keyboard.press("Tab")
        if await page.evaluate(f"{focused}(document.activeElement)") == wanted:
            return
    raise AssertionError(f"the keyboard never comes to {wanted}")
