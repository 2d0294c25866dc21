"""The copy of the public pages: a plain web server serves it when everything of ours is stopped."""

import asyncio
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urldefrag, urljoin

import feedparser
import httpx
import pytest
from fastapi import FastAPI

from services.notify.app import make_app
from services.notify.feeds.jobs import Copying
from services.notify.feeds.store import Copies
from services.notify.guidance.model import Text
from services.notify.guidance.store import GuidanceStore
from services.notify.subscribers.store import SubscriberStore
from shared.house import House
from shared.i18n import Locale
from shared.plumbing import Plumbing
from shared.realm import Realm
from shared.settings import Settings
from tests.fakes import FakeClock
from tests.notify.guidance.drafts import ALL_LANGUAGES, FORSSA, HATTULA, draft, in_exercise, published, resident

LINK = re.compile(r'(?:href|src)="([^"]+)"')
LONG = "*ä* " * 900


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that it overrides
        """Say nothing."""


@contextmanager
def plain_server(folder: Path) -> Iterator[str]:
    """Any web server, over the folder."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "copy"


@pytest.fixture
def copies(app: FastAPI) -> Copies:
    found: Copies = app.state.copies
    return found


def walked(http: httpx.Client, start: str) -> dict[str, str]:
    """Every page that relative links lead to from the first, by address."""
    found: dict[str, str] = {}
    waiting = [start]
    while waiting:
        address = waiting.pop()
        if address in found:
            continue
        answer = http.get(address)
        assert answer.status_code == 200, address
        found[address] = answer.text
        if "html" in answer.headers["content-type"]:
            links = [link for link in LINK.findall(answer.text) if not link.startswith(("http", "#"))]
            waiting += [urldefrag(urljoin(address, link)).url for link in links]
    return found


@pytest.mark.slow
def test_the_copy_is_served_when_all_services_are_stopped(settings: Settings, clock: FakeClock, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    asyncio.run(write_and_stop(settings, clock, folder))

    with plain_server(folder) as address, httpx.Client() as http:
        found = walked(http, address)
        atom = feedparser.parse(http.get(f"{address}feeds/{FORSSA}/sv/atom.xml").content)
        alerts = feedparser.parse(http.get(f"{address}feeds/all/cap.xml").content)
        alert = http.get(address + alerts.entries[-1].link.partition("8000/")[2])

    pages = {page: text for page, text in found.items() if "<html" in text}
    assert "Sähköt poikki Forssassa" in pages[address]
    assert "Tämä on kopio, joka on tehty 21.11.2026 20.00." in pages[address]
    assert "Hätätilanteessa soita 112." in pages[address]
    assert "Viranomaisten vaaratiedotteet: 112.fi." in pages[address]
    assert "Strömavbrott i Forssa" in pages[f"{address}sv/{FORSSA}.html"]
    assert "Strömavbrott i Forssa" not in pages[f"{address}sv/{HATTULA}.html"]
    assert len([page for page in pages if "/g/" in page]) >= 3
    assert len(pages) >= 4 * 12
    assert max(len(page.encode()) for page in pages.values()) + len(found[f"{address}static/app.css"]) < 30_000
    assert not atom.bozo
    assert [entry.title for entry in atom.entries] == ["Strömavbrott i Forssa"]
    assert alert.status_code == 200


async def write_and_stop(settings: Settings, clock: FakeClock, folder: Path) -> None:
    """A short guidance and three long ones are published, a copy is written, and everything of ours ends."""
    app = make_app(settings, clock=clock)
    house: House = app.state.house
    await house.database.create_tables(Plumbing.metadata, house.tables)
    await resident(app.state.subscribers, "aino@example.org", FORSSA, HATTULA)
    await published(app.state.guidance, draft(ALL_LANGUAGES))
    for number in range(3):
        long = draft({Locale.FI: Text(f"Pitkä {number}", LONG)}, areas=frozenset({HATTULA}))
        await published(app.state.guidance, long)
    copies: Copies = app.state.copies
    await copies.write(folder, await copies.told())
    await house.database.close()


async def test_it_is_written_again_only_when_it_says_something_else(
    copies: Copies, guidance: GuidanceStore, subscribers: SubscriberStore, clock: FakeClock, folder: Path
) -> None:
    await resident(subscribers)
    keeping = Copying(copies, folder)
    front, manifest = folder / "fi" / "index.html", folder / "manifest.json"
    await keeping.keep()
    first = front.stat().st_ino
    clock.move(minutes=5)
    await keeping.keep()
    unchanged = front.stat().st_ino
    style = (folder / "static" / "app.css").stat().st_ino

    await published(guidance)
    await keeping.keep()
    told = front.read_text()
    clock.move(minutes=10)
    await keeping.keep()

    assert unchanged == first
    assert "Sähköt poikki Forssassa" in told
    assert "20.15" in front.read_text()
    assert (folder / "static" / "app.css").stat().st_ino == style
    assert json.loads(manifest.read_text())["made_at"] == "2026-11-21T18:15:00+00:00"
    assert hidden(folder) == []


async def test_what_expired_leaves_the_copy_and_files_of_others_stay(
    copies: Copies, guidance: GuidanceStore, subscribers: SubscriberStore, clock: FakeClock, folder: Path
) -> None:
    await resident(subscribers)
    revision = await published(guidance, draft(valid_hours=3))
    theirs = folder / "robots.txt"
    await copies.write(folder, await copies.told())
    page = folder / "fi" / "g" / f"{revision.guidance_id}.html"
    theirs.write_text("theirs")
    assert page.exists()
    clock.move(hours=3)

    changes = await copies.write(folder, await copies.told())

    assert not page.exists()
    assert f"feeds/alerts/{revision.guidance_id}.1.xml" in changes.remove
    assert theirs.read_text() == "theirs"


async def test_an_exercise_is_in_no_copy(
    app: FastAPI, copies: Copies, subscribers: SubscriberStore, folder: Path
) -> None:
    await resident(subscribers)
    await in_exercise(app, Realm("ex-1"), draft({Locale.FI: Text("Harjoitusohje", "x")}))

    await copies.write(folder, await copies.told())

    assert holding(folder, b"Kunnat") != []
    assert holding(folder, b"Harjoitusohje") == []


def holding(folder: Path, text: bytes) -> list[Path]:
    """The files that hold this text."""
    return [path for path in folder.rglob("*.*") if path.is_file() and text in path.read_bytes()]


def hidden(folder: Path) -> list[Path]:
    """Files that were begun and not put in place."""
    return list(folder.rglob(".*"))
