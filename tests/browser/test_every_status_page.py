"""Every page that status has for the staff: accessible from a small phone to a screen on the wall, in light, dark and
forced colours, and complete without JavaScript. The pages come from the table of roles."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright

from services.status import SERVES
from services.status.app import make_app
from services.status.attention.model import Rule, RuleDraft, Subject, set_rule
from services.status.readiness.store import ReadinessStore
from services.status.situation.model import Round, Words
from services.status.timeline.model import Update
from shared.clock import Clock, SystemClock
from shared.events.intake import Amount, CheckInReceived, OperatingStatus
from shared.identity import Role
from shared.ids import new_id
from shared.realm import LIVE
from tests.browser.conftest import QUIET
from tests.browser.page_check import DARK, FORCED, LIGHT, wrong_on
from tests.browser.test_form import settings_in
from tests.connected.test_links_inert_browser import served
from tests.house.role_table import MAY_PASS
from tests.servers import program
from tests.status.outlines import row_of_squares
from tests.status.people import (
    FORSSA,
    LIAISON,
    TAMMELA,
    association,
    association_id,
    checkin,
    round_of,
    session_cookie,
    storm,
)
from tests.status.reports import note

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(900), pytest.mark.asyncio(loop_scope="module")]

WIDTHS = (320, 390, 1280, 1920)
NO_PAGE = (".csv", "/live", ".{form}", "openapi.json")
SEEN = """[...document.querySelectorAll("main h1, main h2, main th, main td, main a[href], main label, main button")]
  .filter(one => one.checkVisibility()).map(one => one.textContent.replace(/\\s+/g, " ").trim())"""
"""What a reader can find on the page. Elements that only say how the page is kept fresh are no part of it."""


@dataclass(frozen=True)
class Storm:
    """The running service in a storm, its situation, and a browser."""

    address: str
    situation: str
    cookie: dict[str, str]
    chromium: Browser

    async def page(self, *, scripts: bool = True) -> Page:
        """The liaison's page, in Finnish."""
        context = await self.chromium.new_context(locale="fi-FI", java_script_enabled=scripts)
        [(name, value)] = self.cookie.items()
        await context.add_cookies([{"name": name, "value": value, "url": self.address}])
        return await context.new_page()

    def filled(self, path: str) -> str:
        """The address of a path of the table."""
        values = {
            "{situation_id:uuid}": self.situation,
            "{association_id:uuid}": str(association_id("Yhdistys 0")),
            "{number:int}": "1",
            "{municipality}": TAMMELA,
        }
        for name, value in values.items():
            path = path.replace(name, value)
        return f"{self.address}{path}"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def evening(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Storm]:
    """A storm with a map, answers and two that disagree, a report, an update, and a rule whose figure is low."""
    clock = SystemClock()
    app = make_app(settings_in(tmp_path_factory.mktemp("status")), clock=clock)
    async with served(app) as address, async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=program("chromium"), args=QUIET)
        state, opened = app.state, storm(now=clock.now() - timedelta(hours=1))
        situation = opened.situation
        await state.geography.replace(row_of_squares())
        for number in range(30):
            place = TAMMELA if number % 2 else FORSSA
            able = ("first-aid",) if number % 3 else ("transport", "food-aid")
            await state.readiness.know(association(f"Yhdistys {number}", place, networks=("silta",), capabilities=able))
        await state.situations.open(opened)
        round_ = round_of(situation, now=clock.now() - timedelta(minutes=30))
        await state.rounds.open(situation, round_)
        await answers(state.readiness, round_, clock)
        rule = set_rule(
            RuleDraft(Subject.CAPABILITY, "forssa", "first-aid", 900, None),
            realm=LIVE,
            situation_id=situation.id,
            rule_id=new_id(),
            by=LIAISON,
            now=situation.opened_at,
        )
        assert isinstance(rule, Rule)
        await state.attention.set_rule(rule)
        words = Words(fi="Sähköt palaavat Tammelaan noin kello 22.", sv="Elen kommer tillbaka.")
        assert await state.timeline.add(situation, Update(new_id(), clock.now(), LIAISON, words))
        await state.reports.freeze(situation, note("Sähköt ovat poikki.\nLämmin tila on avoinna."))
        yield Storm(address, str(situation.id), session_cookie(app, Role.LIAISON), chromium)
        await chromium.close()


async def answers(readiness: ReadinessStore, round_: Round, clock: Clock) -> None:
    """Twenty answer, with offers and needs; one of them twice within a minute, and not the same."""
    for number in range(20):
        status = list(OperatingStatus)[number % 3]
        offers = (Amount(capability="first-aid", amount=5),) if number % 2 else ()
        needs = () if number % 2 else (Amount(capability="first-aid", amount=2),)
        told = checkin(f"Yhdistys {number}", round_, status)
        await readiness.hear(_now(told, clock).model_copy(update={"offers": offers, "needs": needs}))
    await readiness.hear(_now(checkin("Yhdistys 0", round_, OperatingStatus.SUSPENDED), clock))


def _now(told: CheckInReceived, clock: Clock) -> CheckInReceived:
    return told.model_copy(update={"happened_at": clock.now(), "reported_at": clock.now()})


def pages_of_status() -> list[str]:
    """The paths of the table that status serves as pages."""
    paths = [door.removeprefix("GET ") for door in MAY_PASS if door.startswith("GET ")]
    return [path for path in paths if path.startswith(SERVES) and not path.endswith(NO_PAGE)]


async def test_every_page_is_accessible_at_every_width_in_every_colouring(evening: Storm) -> None:
    page = await evening.page()
    found = []
    paths = [*pages_of_status(), "/situations/{situation_id:uuid}?view=wall"]
    for path in paths:
        reply = await page.goto(evening.filled(path))
        assert reply is not None
        assert reply.status == 200, path
        found += await wrong_on(page, path, widths=WIDTHS, colourings=(LIGHT, DARK, FORCED))

    assert len(paths) > 14
    assert found == []


async def test_every_page_says_the_same_without_javascript(evening: Storm) -> None:
    with_scripts, without = await evening.page(), await evening.page(scripts=False)
    for path in pages_of_status():
        await with_scripts.goto(evening.filled(path))
        await without.goto(evening.filled(path))
        said: list[str] = await with_scripts.evaluate(SEEN)
        plainly: list[str] = await without.evaluate(SEEN)
        assert set(said) - set(plainly) == set(), path
