"""Joining an exercise, walked in Chromium: announced by its leader, signed up for without a script, started, and ended
from the page on which a real situation is opened. Every page on the way is accessible on a phone and on a desk."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from fastapi import FastAPI
from playwright.async_api import Browser, Page, async_playwright
from sqlalchemy import select
from sqlmodel import col

from services.exercise.app import make_app
from services.status.app import make_app as make_status
from shared.clock import SystemClock
from shared.events.exercise import ExerciseStarted
from shared.events.notify import UrgentLetterRequested
from shared.identity import Role
from shared.ids import new_id
from shared.plumbing import OutboxRow
from shared.realm import Realm
from tests.browser.conftest import QUIET
from tests.browser.page_check import wrong_on
from tests.browser.test_form import settings_in
from tests.connected.test_links_inert_browser import served
from tests.servers import program
from tests.status.people import session_cookie

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(900)]


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program("chromium"), args=QUIET)
        yield browser
        await browser.close()


async def page_of(browser: Browser, app: FastAPI, address: str, *roles: Role) -> Page:
    context = await browser.new_context(locale="fi-FI")
    [(name, value)] = session_cookie(app, *roles).items()
    await context.add_cookies([{"name": name, "value": value, "url": address}])
    return await context.new_page()


async def link_of(app: FastAPI) -> str:
    """The path in the newest letter that was asked for."""
    newest = select(col(OutboxRow.body)).where(col(OutboxRow.stream) == "LETTERS").order_by(col(OutboxRow.id).desc())
    async with app.state.house.database.read() as session:
        body = (await session.execute(newest.limit(1))).scalar_one()
    link = UrgentLetterRequested.model_validate_json(body).personal["link"]
    return f"/exercise/{link.partition('/exercise/')[2]}"


async def test_an_association_joins_and_leaves_on_accessible_pages(tmp_path: Path) -> None:
    app = make_app(settings_in(tmp_path))
    async with served(app) as address, chromium() as browser:
        leader = await page_of(browser, app, address, Role.EXERCISE_LEADER)
        public = await (await browser.new_context(locale="fi-FI")).new_page()
        await public.goto(f"{address}/exercise/announced")
        found = await wrong_on(public, "no exercise")

        await leader.goto(f"{address}/exercises/new")
        await leader.check("[name=scenario][value=winter-storm]")
        await leader.click("main form button")
        await leader.click("main a[href$='/announcement']")
        await leader.check("[name=announced]")
        await leader.click("main form button")
        await leader.wait_for_selector("#error")
        found += await wrong_on(leader, "an announcement with a flaw")
        await leader.fill("[name=day]", f"{SystemClock().now().year + 1}-02-11")
        await leader.fill("[name=at]", "10:00")
        await leader.click("main form button")
        await leader.wait_for_selector(".notice-success")
        found += await wrong_on(leader, "an announcement that is public")

        found += await sign_up(public, app, address)
        await leader.goto(leader.url.replace("/announcement", "/participants").partition("?")[0])
        found += await wrong_on(leader, "who takes part")
        listed = await leader.inner_text("main table")

        await public.click("form[action$='/leave'] button")
        await public.wait_for_selector(".notice-success")
        found += await wrong_on(public, "one who has left")

    assert found == []
    assert "Hattulan Martat" in listed


async def sign_up(public: Page, app: FastAPI, address: str) -> list[str]:
    """Sign up with a flaw, then without, and confirm by the link of the letter."""
    await public.goto(f"{address}/exercise/announced")
    found = await wrong_on(public, "the list")
    await public.click("main article a")
    found += await wrong_on(public, "an announced exercise")
    await public.fill("[name=email]", "bertta")
    await public.click("main form button")
    await public.wait_for_selector("#error")
    found += await wrong_on(public, "a sign-up with a flaw")
    await public.fill("[name=email]", "bertta@example.org")
    await public.fill("[name=association]", "Hattulan Martat")
    await public.click("main form button")
    await public.wait_for_url("**/sent*")
    found += await wrong_on(public, "a sign-up that was sent")
    await public.goto(address + await link_of(app))
    found += await wrong_on(public, "a sign-up to be confirmed")
    await public.click("form[action$='/confirm'] button")
    await public.wait_for_selector(".notice-success")
    return found + await wrong_on(public, "a sign-up")


async def test_where_a_real_situation_is_opened_the_running_exercise_has_its_button(tmp_path: Path) -> None:
    app, exercise_id = make_status(settings_in(tmp_path)), new_id()
    begun = ExerciseStarted(
        happened_at=SystemClock().now(),
        realm=Realm(f"ex-{exercise_id.hex}"),
        exercise_id=exercise_id,
        titles={"fi": "HARJOITUS: Talvimyrsky ja laaja sähkökatko"},
        municipalities=("834",),
    )
    async with served(app) as address, chromium() as browser:
        await app.state.running.begun(begun)
        liaison = await page_of(browser, app, address, Role.LIAISON)
        found, actions = [], []
        for path in ("/situations", "/situations/new"):
            await liaison.goto(f"{address}{path}")
            found += await wrong_on(liaison, path)
            form = liaison.locator("form", has_text="Päätä käynnissä oleva harjoitus")
            actions.append(await form.get_attribute("action"))

    assert found == []
    assert actions == [f"/exercises/{exercise_id}/real-situation"] * 2
