"""Every page of those who lead exercises: accessible at both widths, in light and in dark, and led by hand from the
first page to the end of an exercise."""

from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright

from services.exercise.app import make_app
from services.exercise.director.model import InjectState
from services.exercise.exercise.model import State
from shared.identity import Role
from tests.browser.conftest import QUIET
from tests.browser.page_check import wrong_on
from tests.browser.test_form import settings_in
from tests.connected.test_links_inert_browser import served
from tests.servers import program
from tests.status.people import session_cookie

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]


async def test_an_exercise_is_planned_run_and_broken_off_on_accessible_pages(tmp_path: Path) -> None:
    app = make_app(settings_in(tmp_path))
    async with served(app) as address, async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=program("chromium"), args=QUIET)
        context = await chromium.new_context(locale="fi-FI")
        [(name, value)] = session_cookie(app, Role.EXERCISE_LEADER).items()
        await context.add_cookies([{"name": name, "value": value, "url": address}])
        page: Page = await context.new_page()

        await page.goto(f"{address}/exercises")
        found = await wrong_on(page, "no exercise yet")
        await page.click("main a[href='/exercises/new']")
        found += await wrong_on(page, "a new one")
        await page.check("[name=scenario][value=winter-storm]")
        await page.fill("[name=participants]", "aino@example.org\nno address")
        await page.click("main form button")
        await page.wait_for_selector("#error")
        found += await wrong_on(page, "one with a flaw")
        await page.fill("[name=participants]", "aino@example.org")
        await page.click("main form button")
        await page.wait_for_selector("form[action$='/start']")
        found += await wrong_on(page, "one that is planned")
        await page.click("form[action$='/start'] button")
        await page.wait_for_selector("form[action$='/pause']")
        found += await wrong_on(page, "one that runs")
        await page.click("form[action$='/fire'] button >> nth=-1")
        await page.click("form[action$='/pause'] button")
        await page.wait_for_selector("form[action$='/resume']")
        found += await wrong_on(page, "one that pauses")
        await page.click("form[action$='/break-off'] button")
        await page.wait_for_selector("form[action$='/break-off']", state="detached")
        found += await wrong_on(page, "one that was broken off")
        found += await wrong_in_its_report(page, address)
        await page.goto(f"{address}/exercises")
        found += await wrong_on(page, "the list")
        [_, exercise] = await app.state.exercises.list_newest()
        lines = await app.state.director.timeline(exercise)
        await chromium.close()

    assert found == []
    assert exercise.state is State.ABORTED
    assert [line.state for line in lines].count(InjectState.FIRED) >= 1


async def wrong_in_its_report(page: Page, address: str) -> list[str]:
    """What is wrong on the pages of the report to which the board leads, and where two exercises are compared."""
    await page.click("main a[href$='/report']")
    found = await wrong_on(page, "the report")
    await page.click("main a[href$='/observations/new']")
    found += await wrong_on(page, "a new observation")
    await page.check("[name=sort][value=to-improve]")
    await page.fill("[name=text]", "The picture was looked at late.")
    await page.fill("[name=action]", "Look at it every half hour.")
    await page.click("main form button >> text=/tallenna/i")
    await page.wait_for_selector("#error")
    found += await wrong_on(page, "an observation with a flaw")
    await page.fill("[name=owner]", "Secretariat of the council")
    await page.fill("[name=due]", "2030-12-31")
    await page.click("main form button >> text=/tallenna/i")
    await page.click("main a[href*='/actions/'] >> nth=0")
    found += await wrong_on(page, "an action")
    await page.check("[name=verdict][value=done]")
    await page.click("main form button >> text=/tallenna/i")
    await page.wait_for_selector(".after-done")
    await page.click("main a[href*='/observations/'] >> nth=1")
    found += await wrong_on(page, "an observation to be changed")
    await page.goto(f"{address}/exercises/new")
    await page.check("[name=scenario][value=pandemic]")
    await page.click("main form button")
    await page.click("form[action$='/start'] button")
    await page.goto(f"{address}/exercises/reports")
    found += await wrong_on(page, "the reports")
    for number in range(2):
        await page.check(f"[name=exercise] >> nth={number}")
    await page.click("main form button")
    await page.wait_for_selector("#compared")
    return found + await wrong_on(page, "two exercises compared")
