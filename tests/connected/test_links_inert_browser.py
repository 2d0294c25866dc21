"""Links are inert in a real browser too: a scanner that lets scripts run, stays and leaves, changes nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.async_api import async_playwright

from services.intake.app import make_app as make_intake
from shared.settings import Settings
from tests.faults.dump import dump
from tests.faults.evening import ask, database_of
from tests.postgres import free_port
from tests.servers import eventually, program

pytestmark = [pytest.mark.connected, pytest.mark.browser, pytest.mark.slow]


@asynccontextmanager
async def served(app: FastAPI, *, port: int | None = None) -> AsyncIterator[str]:
    """The service at a real port; its address."""
    port = port or free_port()
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


async def test_a_browser_that_opens_the_link_stays_and_leaves_changes_nothing(settings: Settings) -> None:
    evening = await ask(settings, 1)
    [path] = evening.links.values()
    intake = make_intake(settings)

    async with served(intake) as address, async_playwright() as playwright:
        before = await dump(database_of(intake))
        chromium = await playwright.chromium.launch(executable_path=program("chromium"), args=["--no-sandbox"])
        page = await chromium.new_page()
        for state in ("load", "networkidle"):
            reply = await page.goto(f"{address}{path}", wait_until=state)
            assert reply is not None
            assert reply.status == 200
        chosen = await page.locator("input[type=radio]:checked").count()
        await page.keyboard.press("Tab")
        await page.mouse.wheel(0, 2000)
        await page.reload(wait_until="networkidle")
        await page.goto("about:blank")
        await page.go_back(wait_until="load")
        await page.close(run_before_unload=True)
        await chromium.close()

        assert chosen == 0
        assert await dump(database_of(intake)) == before
