"""The map, the wall screen and the calls for attention in Chromium: accessible, and live without losing one's place."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
import pytest_asyncio
from playwright.async_api import async_playwright
from sqlalchemy import update

from services.status.app import make_app
from services.status.attention.model import Rule, RuleDraft, Subject, set_rule
from services.status.attention.store import RULE
from services.status.readiness.store import ReadinessStore
from services.status.situation.model import Round
from shared.clock import SystemClock
from shared.events.intake import OperatingStatus
from shared.identity import Role
from shared.ids import new_id
from shared.realm import LIVE
from tests.browser.conftest import QUIET
from tests.browser.page_check import wrong_on
from tests.browser.test_form import settings_in
from tests.browser.test_report import Site
from tests.connected.test_links_inert_browser import served
from tests.servers import program
from tests.status.outlines import row_of_squares
from tests.status.people import FORSSA, LIAISON, TAMMELA, association, checkin, round_of, session_cookie, storm

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="module")]


@dataclass(frozen=True)
class Storm:
    """A storm on a map, with a rule whose figure is too low; one association has answered."""

    site: Site
    readiness: ReadinessStore
    round: Round

    async def answers(self, name: str, status: OperatingStatus) -> None:
        """The association answers now."""
        now = SystemClock().now()
        told = checkin(name, self.round, status)
        await self.readiness.hear(told.model_copy(update={"happened_at": now, "reported_at": now}))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def evening(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Storm]:
    """The service in the storm, and a liaison's browser."""
    clock = SystemClock()
    app = make_app(settings_in(tmp_path_factory.mktemp("map")), clock=clock)
    async with served(app) as address, async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=program("chromium"), args=QUIET)
        state, opened = app.state, storm(now=clock.now() - timedelta(hours=1))
        situation = opened.situation
        for name, place in (("Aino", TAMMELA), ("Bertta", FORSSA), ("Cecilia", FORSSA)):
            await state.readiness.know(association(name, place, capabilities=("first-aid",)))
        await state.situations.open(opened)
        round_ = await state.rounds.open(situation, round_of(situation, now=clock.now()))
        await state.geography.replace(row_of_squares())
        draft = RuleDraft(Subject.CAPABILITY, "forssa", "first-aid", 3, None)
        rule = set_rule(
            draft, realm=LIVE, situation_id=situation.id, rule_id=new_id(), by=LIAISON, now=situation.opened_at
        )
        assert isinstance(rule, Rule)
        await state.attention.set_rule(rule)
        async with state.house.database.write() as session:
            opened_at = {"value": 0, "low_since": situation.opened_at, "opened_at": situation.opened_at}
            await session.execute(update(RULE).values(**opened_at))
        site = Site(address, f"{address}/situations/{situation.id}", session_cookie(app, Role.LIAISON), chromium)
        await (there := Storm(site, state.readiness, round_)).answers("Aino", OperatingStatus.SUSPENDED)
        yield there
        await chromium.close()


async def test_picture_wall_and_rules_are_accessible(evening: Storm) -> None:
    page = await evening.site.page()
    found = []
    for name in ("", "?view=wall", "/attention"):
        await page.goto(f"{evening.site.reports}{name}")
        await page.wait_for_selector("text=Forssan seutu, ensiapu")
        found += await wrong_on(page, name or "picture")

    assert found == []


async def test_the_map_changes_while_one_looks_and_keeps_the_focus(evening: Storm) -> None:
    page = await evening.site.page()
    await page.goto(evening.site.reports)
    await page.focus(f"#map-{TAMMELA}")
    box = await page.locator(f"#map-{TAMMELA} use").bounding_box()
    before = [await page.get_attribute(f"#map-{code} use", "fill") for code in (TAMMELA, FORSSA)]

    await evening.answers("Bertta", OperatingStatus.LIMITED)

    await page.wait_for_selector(f'#map-{FORSSA} use[fill="url(#map-limited)"]')
    assert before == ["url(#map-suspended)", "url(#map-silent)"]
    assert await page.evaluate("document.activeElement.id") == f"map-{TAMMELA}"
    assert box is not None
    assert box["width"] > 10
