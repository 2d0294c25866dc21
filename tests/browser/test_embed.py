"""Another site shows our guidance: by the script as text, in a frame only where that is configured."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser

from services.notify.app import make_app
from services.notify.guidance.model import Text
from shared.house import House
from shared.i18n import Locale
from shared.plumbing import Plumbing
from shared.settings import Settings
from tests.fakes import FakeClock
from tests.notify.guidance.drafts import FORSSA, draft, published, resident

pytestmark = [pytest.mark.browser, pytest.mark.slow]

EVIL = "<img src=x onerror=\"document.title='taken'\">"


def free_port() -> int:
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


@contextmanager
def other_site(folder: Path, port: int) -> Iterator[str]:
    """A site of somebody else at this port."""
    server = ThreadingHTTPServer(("127.0.0.1", port), partial(SimpleHTTPRequestHandler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{port}"
    server.shutdown()
    thread.join()
    server.server_close()


async def prepare(settings: Settings, clock: FakeClock) -> None:
    """Guidance is published whose texts hold markup."""
    app = make_app(settings, clock=clock)
    house: House = app.state.house
    await house.database.create_tables(Plumbing.metadata, house.tables)
    await resident(app.state.subscribers)
    await published(app.state.guidance, draft({Locale.FI: Text(f"Vesi {EVIL}", f"Keitä {EVIL}")}))
    await house.database.close()


@contextmanager
def serving(settings: Settings, clock: FakeClock, port: int) -> Iterator[str]:
    """Our pages at this port, as they were prepared."""
    app = make_app(settings, clock=clock)
    config = uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


def test_a_page_of_another_site_shows_guidance_as_text(
    browser: Browser, settings: Settings, clock: FakeClock, tmp_path: Path
) -> None:
    ours, friend, stranger = free_port(), free_port(), free_port()
    address = f"http://127.0.0.1:{ours}"
    settings = settings.model_copy(update={"public_url": address, "framed_by": f"http://127.0.0.1:{friend}"})
    with ThreadPoolExecutor(1) as thread:  # Playwright keeps an event loop running in this one
        thread.submit(asyncio.run, prepare(settings, clock)).result()
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "script.html").write_text(
        f'<!doctype html><title>Muu sivu</title><div data-valmius="{FORSSA}"></div>'
        f'<script src="{address}/embed.js"></script>',
        encoding="utf-8",
    )
    (folder / "frame.html").write_text(f'<!doctype html><iframe src="{address}/embed?lang=fi"></iframe>')

    with (
        serving(settings, clock, ours),
        other_site(folder, friend) as friendly,
        other_site(folder, stranger) as strange,
    ):
        page = browser.new_page()
        page.goto(f"{friendly}/script.html")
        page.wait_for_selector(".valmius-item")
        headline, images = page.text_content(".valmius-item h3"), page.locator("[data-valmius] img").count()
        title, text = page.title(), page.text_content("[data-valmius]")
        page.goto(f"{friendly}/frame.html")
        framed = page.frame_locator("iframe").locator("h2").text_content()
        page.goto(f"{strange}/frame.html")
        refused = page.frame_locator("iframe").locator("h2").count()
        page.close()

    assert headline == f"Vesi {EVIL}"
    assert (images, title) == (0, "Muu sivu")
    assert "Hätätilanteessa soita 112." in (text or "")
    assert framed == f"Vesi {EVIL}"
    assert refused == 0
