"""The tray in Chromium: accessible on phone and desk, and worked through by keyboard alone."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from datetime import timedelta
from typing import Any, TypeVar

import pytest
import uvicorn
from playwright.sync_api import Browser, expect

from services.intake.access.model import PersonEntry
from services.intake.app import make_app
from shared.identity import Role
from shared.realm import Realm
from shared.settings import Nats, Settings
from tests.browser.page_check import wrong_here
from tests.fakes import FakeClock
from tests.intake.house import AINO, BERTTA, CECILIA, Intake
from tests.intake.reply.post import answers, arrive, keys, written
from tests.postgres import free_port
from tests.servers import pause

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]

LONG = """Hei!

Meillä on vähän vaikeaa. Kerhotila on kylmä eikä kaikkia tapaamisia voi pitää, mutta ruoka-apu kulkee.
Soittakaa, niin kerron lisää."""
T = TypeVar("T")


class Desk:
    """Intake in a thread of its own, with letters that wait."""

    def __init__(self, settings: Settings, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}"
        self._app = make_app(settings, clock=FakeClock())
        config = uvicorn.Config(self._app, port=port, log_config=None, access_log=False)
        self._server = uvicorn.Server(config)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        while not self._server.started:
            pause(0.01)

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Have this done where the service runs."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    @property
    def intake(self) -> Intake:
        return Intake(self._app, self._app.state.house.clock, None)  # type: ignore[arg-type]  # no page is asked for here

    async def prepare(self) -> str:
        """Three letters of two realms; a link that signs a clerk in."""
        intake = self.intake
        await intake.take_in(AINO, BERTTA, CECILIA)
        ids = await intake.ids()
        await intake.open_round(ids)
        await intake.open_round(ids[:1], realm=Realm("ex-autumn"))
        for key, words in zip(await keys(intake), (LONG, "Ring mig!", "Miten tähän vastataan?"), strict=True):
            await arrive(intake, written(f"{words}\r\n\r\n> Miten toimitte nyt?"), key=key)
            intake.clock.move(minutes=1)
        entry = PersonEntry("Kerttu", "kerttu@example.org", frozenset({Role.CLERK}))
        await self._app.state.access.add_person(entry)
        return str(await self._app.state.access.operator_link(entry.email, timedelta(days=1)))

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._server.serve())
        self._loop.close()


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder, port = tmp_path_factory.mktemp("replies"), free_port()
    settings = Settings.model_validate(
        {
            "database": f"sqlite+aiosqlite:///{folder}/{{service}}.db",
            "secret": "a secret of at least thirty-two characters",
            "public_url": f"http://127.0.0.1:{port}",
            "nats": Nats(url="nats://127.0.0.1:1"),
        }
    )
    opened = Desk(settings, port)
    yield opened
    opened.stop()


def test_the_tray_is_accessible_and_needs_no_mouse(desk: Desk, browser: Browser) -> None:
    page = browser.new_context(locale="fi-FI", base_url=desk.address).new_page()
    page.goto(desk.do(desk.prepare()))
    page.click("main button")
    found: list[str] = []

    page.goto("/replies")
    found += wrong_here(page, "tray")
    page.locator("main h3 a").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("main h1")).to_contain_text("Hattulan Martat")
    found += wrong_here(page, "letter")
    page.locator("main form button").press("Enter")
    found += wrong_here(page, "letter without a choice")
    page.locator("[name=says]").first.focus()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("Vastaus on kirjattu.")
    expect(page.locator("main h1")).to_contain_text("Forssa Byalag")
    page.goto("/replies?state=interpreted")
    found += wrong_here(page, "interpreted")

    assert found == []
    [(status, channel, entered_by)] = desk.do(answers(desk.intake))
    assert (status, channel, entered_by is not None) == ("limited", "email", True)
    page.context.close()
