"""Suggestions: kept once, replaced by what updates them, decided upon by a liaison and by nobody else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from services.status.app import make_app
from services.status.geography.store import GeographyStore
from services.status.suggestion import fetching
from services.status.suggestion.cap_reader import LARGEST, UnfitFeedError, read_feed
from services.status.suggestion.fetching import Source
from services.status.suggestion.jobs import Suggesting
from services.status.suggestion.store import Kept, SuggestionStore
from shared.db import Database
from shared.identity import Role
from shared.settings import Settings
from tests.fakes import FakeClock
from tests.status.conftest import Stores
from tests.status.people import LIAISON, Desk
from tests.status.warnings import alert, area, atom, info, reference

LATER = "2026-11-21T19:30:00+02:00"
LATEST = "2026-11-21T19:45:00+02:00"


@dataclass(frozen=True)
class Watch:
    """Warnings as they come in, and what is suggested then."""

    store: SuggestionStore
    suggesting: Suggesting

    async def hears(self, *alerts: str) -> list[str]:
        """Take these warnings; the identifiers of all that is suggested then."""
        await self.suggesting.take(read_feed(atom(*alerts)).bulletins)
        return sorted(kept.suggestion.key.identifier for kept in await self.store.shown())

    async def only(self) -> Kept:
        [kept] = await self.store.shown()
        return kept


@pytest.fixture
def watch(stores: Stores, clock: FakeClock) -> Watch:
    return watch_on(stores.database, clock)


def watch_on(database: Database, clock: FakeClock, *sources: str) -> Watch:
    store = SuggestionStore(database, clock=clock)
    return Watch(store, Suggesting(store, GeographyStore(database), sources=sources))


ONE = alert(info(area("Forssa")))
UPDATE = alert(info(area("Forssa")), identifier="two", sent=LATER, message="Update", references=[reference("one")])
WORSE = alert(
    info(area("Forssa"), severity="Extreme"),
    identifier="three",
    sent=LATEST,
    message="Update",
    references=[reference("one"), reference("two", LATER)],
)
CANCEL = alert(info(area("Forssa")), identifier="end", sent=LATER, message="Cancel", references=[reference("one")])
ELSEWHERE = alert(info(area("Uusimaa")), identifier="two", sent=LATER, message="Update", references=[reference("one")])


async def test_a_warning_is_suggested_once_however_often_it_is_read(watch: Watch) -> None:
    assert await watch.hears(ONE, ONE) == ["one"]
    assert await watch.hears(ONE) == ["one"]


async def test_the_same_identifier_of_another_moment_is_another_warning(watch: Watch) -> None:
    assert await watch.hears(ONE, alert(info(area("Forssa")), sent=LATER)) == ["one", "one"]


@pytest.mark.parametrize(("second", "left"), [(UPDATE, ["two"]), (CANCEL, []), (ELSEWHERE, [])])
async def test_what_follows_takes_its_place_in_whichever_order_they_come(
    watch: Watch, second: str, left: list[str]
) -> None:
    assert await watch.hears(second) == left
    assert await watch.hears(ONE) == left
    assert await watch.hears(ONE, second) == left


@pytest.mark.parametrize(("second", "left"), [(UPDATE, ["two"]), (CANCEL, []), (ELSEWHERE, [])])
async def test_what_follows_takes_its_place(watch: Watch, second: str, left: list[str]) -> None:
    assert await watch.hears(ONE) == ["one"]
    assert await watch.hears(ONE, second) == left


async def test_what_is_not_for_us_stays_away_until_it_gets_worse(watch: Watch) -> None:
    await watch.hears(ONE)
    await watch.store.dismiss((await watch.only()).id, by=LIAISON)

    assert await watch.hears(ONE, UPDATE) == []
    assert await watch.hears(ONE, UPDATE, WORSE) == ["three"]


async def test_what_has_passed_is_shown_no_more_and_forgotten(watch: Watch, clock: FakeClock) -> None:
    await watch.hears(ONE)
    kept = await watch.only()
    clock.move(hours=11)
    shown = await watch.store.shown()
    clock.move(hours=31 * 24)
    await watch.store.forget()

    assert shown == []
    assert await watch.store.get(kept.id) is None


async def test_the_most_severe_stands_first(watch: Watch) -> None:
    mild = alert(info(area("Forssa"), severity="Minor"), identifier="mild", sent=LATEST)
    await watch.hears(mild, ONE)

    assert [kept.suggestion.key.identifier for kept in await watch.store.shown()] == ["one", "mild"]


async def test_a_liaison_opens_a_situation_from_a_warning(open_desk: Desk) -> None:
    suggesting: Suggesting = open_desk.app.state.suggesting
    swedish = info(area("Forssa"), language="sv-FI", headline="Orange vindvarning")
    await suggesting.take(read_feed(atom(alert(info(area("Forssa")) + swedish))).bulletins)
    [kept] = await open_desk.app.state.suggestions.shown()
    open_desk.sign_in(Role.LIAISON)

    listed = await open_desk.browser.get("/situations?lang=fi")
    form = await open_desk.browser.get(f"/situations/new?lang=fi&suggestion={kept.id}")
    before = await open_desk.app.state.situations.list_all()
    values = {
        "situation_id": "0199a000-0000-7000-8000-000000000009",
        "suggestion_id": str(kept.id),
        "name_fi": "Myrsky",
        "kind": "storm",
        "freshness_hours": "12",
        "municipalities": "061",
    }
    opened = await open_desk.browser.post("/situations/new", data=values)
    afterwards = await open_desk.browser.get("/situations?lang=fi")

    assert "Oranssi tuulivaroitus: Kanta-Häme" in listed.text
    assert f"/situations/new?suggestion={kept.id}" in listed.text
    assert 'value="Oranssi tuulivaroitus: Kanta-Häme"' in form.text
    assert 'value="Orange vindvarning"' in form.text
    assert '<option value="storm" selected>' in form.text
    assert before == []
    assert opened.status_code == 303
    assert "Oranssi tuulivaroitus" not in afterwards.text


async def test_a_liaison_says_that_it_is_not_for_us(open_desk: Desk) -> None:
    suggesting: Suggesting = open_desk.app.state.suggesting
    await suggesting.take(read_feed(atom(ONE)).bulletins)
    [kept] = await open_desk.app.state.suggestions.shown()
    open_desk.sign_in(Role.LIAISON)

    dismissed = await open_desk.browser.post(f"/situations/suggestions/{kept.id}/dismiss")
    listed = await open_desk.browser.get(dismissed.headers["location"])

    assert "Varoitusta ei enää näytetä." in listed.text
    assert "Oranssi tuulivaroitus" not in listed.text


async def test_a_viewer_is_shown_no_suggestion(open_desk: Desk) -> None:
    await open_desk.app.state.suggesting.take(read_feed(atom(ONE)).bulletins)
    open_desk.sign_in(Role.VIEWER)

    assert "Oranssi tuulivaroitus" not in (await open_desk.browser.get("/situations")).text


@dataclass
class Publisher:
    """A server of feeds: what stands at each path, and what was asked."""

    documents: dict[str, bytes] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/feed"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        path = head.split()[1]
        self.asked.append(path)
        body = self.documents.get(path)
        if body is None:
            writer.write(b"HTTP/1.1 302 Elsewhere\r\nlocation: /feed\r\ncontent-length: 0\r\n\r\n")
        elif f'if-none-match: "{len(body)}"' in head.lower():
            writer.write(b"HTTP/1.1 304 Same\r\n\r\n")
        else:
            writer.write(f'HTTP/1.1 200 Fine\r\netag: "{len(body)}"\r\nconnection: close\r\n\r\n'.encode() + body)
        writer.close()


@asynccontextmanager
async def publishing() -> AsyncIterator[Publisher]:
    publisher = Publisher()
    server = await asyncio.start_server(publisher.serve, "127.0.0.1", 0)
    publisher.port = server.sockets[0].getsockname()[1]
    async with server:
        yield publisher


async def test_feeds_are_read_and_one_that_fails_keeps_no_other_away(stores: Stores, clock: FakeClock) -> None:
    async with publishing() as publisher:
        publisher.documents["/feed"] = atom(ONE)
        watch = watch_on(stores.database, clock, f"http://127.0.0.1:{publisher.port}/gone", publisher.url)

        await watch.suggesting.look()
        await watch.suggesting.look()

    assert (await watch.only()).suggestion.key.identifier == "one"
    assert publisher.asked == ["/gone", "/feed"] * 2


async def test_links_are_followed_once_and_to_the_same_server_alone() -> None:
    async with publishing() as publisher:
        links = [
            "/one.xml",
            f"http://127.0.0.1:{publisher.port}/one.xml",
            "http://127.0.0.1:1/x.xml",
            "file:///etc/passwd",
        ]
        entries = "".join(f'<entry><link type="application/cap+xml" href="{link}"/></entry>' for link in links)
        publisher.documents["/feed"] = f'<feed xmlns="http://www.w3.org/2005/Atom">{entries}</feed>'.encode()
        publisher.documents["/one.xml"] = ONE.encode()
        source = Source(publisher.url)

        first = await source.bulletins()
        again = await source.bulletins()
        source.done()
        unchanged = await source.bulletins()

    assert [len(first), len(again), len(unchanged)] == [1, 1, 0]
    assert publisher.asked == ["/feed", "/one.xml", "/feed", "/one.xml", "/feed"]


async def test_an_endless_feed_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "LARGEST", 1000)
    async with publishing() as publisher:
        publisher.documents["/feed"] = b" " * 2000

        with pytest.raises(UnfitFeedError, match="too large"):
            await Source(publisher.url).bulletins()

    assert LARGEST > 1000


async def test_nothing_is_read_unless_a_feed_is_named(settings: Settings, clock: FakeClock) -> None:
    def jobs(installed: Settings) -> int:
        return len(make_app(installed, clock=clock).state.house.jobs._jobs)

    assert jobs(settings.model_copy(update={"cap_sources": "https://x.example.org/a"})) == jobs(settings) + 1
