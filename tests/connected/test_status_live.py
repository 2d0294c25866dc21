"""The live picture on a real uvicorn: everybody gets the same frame, and who leaves leaves nothing behind."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from uuid import UUID

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from starlette.types import Message

from services.status.app import make_app
from services.status.picture.api import Hub, Look
from services.status.situation.model import Round
from shared.events.status import ReadinessChanged
from shared.i18n import Locale
from shared.identity import Role, Within
from shared.ids import new_id
from shared.live import BEAT, BEAT_EVERY, Channel, frame
from shared.realm import LIVE
from shared.settings import Settings
from tests.fakes import FakeClock
from tests.servers import eventually
from tests.status.people import association, checkin, round_of, session_cookie, storm


class BriefClock(FakeClock):
    """Stands still like its parent, but pauses of less than a second pass by themselves."""

    async def sleep(self, seconds: float) -> None:
        if seconds < 1:
            await asyncio.sleep(seconds)
        else:
            await super().sleep(seconds)


class Site:
    """The service behind a real server, with an open storm in which two are asked."""

    def __init__(self, app: FastAPI, server: uvicorn.Server, url: str, round_: Round) -> None:
        self.app = app
        self.server = server
        self.url = url
        self.round = round_
        self.hub: Hub = app.state.hub

    @property
    def path(self) -> str:
        return f"/situations/{self.round.situation_id}/live"

    def client(self) -> httpx.AsyncClient:
        cookies = session_cookie(self.app, Role.VIEWER)
        limits = httpx.Limits(max_connections=None)
        return httpx.AsyncClient(base_url=self.url, cookies=cookies, timeout=20, limits=limits)

    async def hear(self, name: str) -> None:
        await self.app.state.readiness.hear(checkin(name, self.round))


@asynccontextmanager
async def site(settings: Settings, clock: FakeClock) -> AsyncIterator[Site]:
    app = make_app(settings, clock=clock)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, timeout_graceful_shutdown=1))
    serving = asyncio.create_task(server.serve())

    async def started() -> bool:
        return server.started

    await eventually(started)
    port = server.servers[0].sockets[0].getsockname()[1]
    for name in ("Aino ry", "Bertta ry"):
        await app.state.readiness.know(association(name))
    opened = storm()
    await app.state.situations.open(opened)
    round_ = await app.state.rounds.open(opened.situation, round_of(opened.situation))
    try:
        yield Site(app, server, f"http://127.0.0.1:{port}", round_)
    finally:
        server.should_exit = True
        await serving


@pytest.fixture
def clock() -> BriefClock:
    return BriefClock()


@pytest.fixture
async def open_site(settings: Settings, clock: BriefClock) -> AsyncIterator[Site]:
    async with site(settings, clock) as one:
        yield one


class Viewer:
    """An open stream, read event by event."""

    def __init__(self, response: httpx.Response) -> None:
        self._lines = response.aiter_lines()

    async def event(self) -> str:
        """The next event as it came, without the blank line at its end."""
        lines: list[str] = []
        async for line in self._lines:
            if line:
                lines.append(line)
            elif lines and not lines[0].startswith("retry:"):
                return "\n".join(lines)
            else:
                lines = []
        return "end"

    async def until(self, words: str) -> str:
        """The next frame that contains these words."""
        while words not in (event := await self.event()):
            assert event != "end"
        return event


@asynccontextmanager
async def viewers(one: Site, number: int, lang: str = "en") -> AsyncIterator[list[Viewer]]:
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(one.client())
        responses = [
            await stack.enter_async_context(client.stream("GET", one.path, params={"lang": lang}))
            for _ in range(number)
        ]
        assert {response.status_code for response in responses} == {200}
        yield [Viewer(response) for response in responses]


async def test_whoever_comes_gets_the_picture_of_now_and_then_every_change(open_site: Site, clock: FakeClock) -> None:
    async with viewers(open_site, 1) as [viewer]:
        first = await viewer.event()
        clock.move(seconds=1)
        await open_site.hear("Aino ry")
        second = await viewer.until("1 of 2 answered")

    assert "0 of 2 answered" in first
    assert "Aino ry" in second
    assert all(line.startswith("data: ") for line in second.split("\n"))


@pytest.mark.slow
async def test_many_viewers_get_the_very_same_frame_and_leave_nothing_behind(open_site: Site, clock: FakeClock) -> None:
    async with viewers(open_site, 60) as many, viewers(open_site, 3, "sv") as others:
        for viewer in (*many, *others):
            await viewer.event()
        clock.move(seconds=1)
        await open_site.hear("Bertta ry")
        frames = {await viewer.until("Bertta ry") for viewer in many}
        swedish = {await viewer.until("Bertta ry") for viewer in others}
        looking = open_site.hub.viewers

    assert len(frames) == len(swedish) == 1
    assert frames != swedish
    assert looking == 63

    async def all_gone() -> bool:
        return open_site.hub.viewers == 0 and not _keepers()

    await eventually(all_gone)


async def test_a_word_from_another_process_makes_the_picture_look_again(open_site: Site, clock: FakeClock) -> None:
    async with viewers(open_site, 1) as [viewer]:
        await viewer.event()
        clock.move(minutes=1)
        await open_site.hub.on_readiness_changed(
            ReadinessChanged(happened_at=clock.now(), realm=LIVE, situation_id=open_site.round.situation_id)
        )

        assert "20:01" in await viewer.until("Figures of")


async def test_an_unchanged_picture_gives_a_sign_of_life(open_site: Site, clock: FakeClock) -> None:
    async with viewers(open_site, 1) as [viewer]:
        await viewer.event()
        clock.move(seconds=BEAT_EVERY)

        assert await viewer.event() == "event: beat\ndata:"


async def test_a_stream_ends_in_time_for_a_session_to_be_looked_at_again(open_site: Site, clock: FakeClock) -> None:
    async with viewers(open_site, 1) as [viewer]:
        await viewer.event()
        clock.move(minutes=6)

        events = [await viewer.event()]
        while events[-1] != "end":
            events.append(await viewer.event())

    assert open_site.hub.viewers == 0


async def test_when_the_app_stops_every_stream_ends_and_nothing_is_logged_of_it(
    settings: Settings, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    async with site(settings, clock) as one:
        client = one.client()
        async with client, client.stream("GET", one.path) as response:
            await Viewer(response).event()
            one.server.should_exit = True

            async def all_gone() -> bool:
                return one.hub.viewers == 0

            await eventually(all_gone)

    assert [record.name for record in caplog.records if "ASGI" in record.getMessage()] == []


async def test_only_staff_may_look_and_only_at_what_there_is(open_site: Site) -> None:
    async with open_site.client() as client:
        unknown = await client.get(f"/situations/{new_id()}/live")
        head = await client.head(open_site.path)
        client.cookies.clear()
        stranger = await client.get(open_site.path)

    assert (unknown.status_code, head.status_code, stranger.status_code) == (404, 200, 401)
    assert head.headers["content-type"].startswith("text/event-stream")
    assert open_site.hub.viewers == 0


async def test_more_viewers_than_the_process_bears_are_sent_away(
    open_site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_site.hub, "_limit", 2)

    async with viewers(open_site, 2) as two, open_site.client() as client:
        refused = await client.get(open_site.path)
        assert "answered" in await two[0].event()

    assert refused.status_code == 503
    assert refused.headers["retry-after"] == "30"


async def test_a_slow_viewer_skips_frames_and_nobody_waits_for_it() -> None:
    clock = FakeClock()
    drawn = 0
    gate = asyncio.Event()
    slow: list[bytes] = []
    quick: list[bytes] = []

    async def render(_situation_id: UUID, _locale: Locale, _within: Within) -> str:
        nonlocal drawn
        drawn += 1
        return f"frame {drawn}"

    async def to_slow(message: Message) -> None:
        slow.append(message.get("body", b""))
        if len(slow) == 3:
            await gate.wait()

    async def to_quick(message: Message) -> None:
        quick.append(message.get("body", b""))

    async def shown(wanted: bytes, frames: list[bytes]) -> None:
        async def is_there() -> bool:
            return any(wanted in part for part in frames)

        await eventually(is_there)

    hub = Hub(render, clock=clock)
    ends_at = clock.now().replace(year=2030)
    look = Look(new_id(), Locale.FI)
    tasks = [asyncio.create_task(hub.feed(look, send, ends_at=ends_at)) for send in (to_slow, to_quick)]
    for number in range(1, 6):
        await shown(f"frame {number}".encode(), quick)
        clock.move(seconds=1)
        hub.look_again()
        await asyncio.sleep(0)
    gate.set()
    await shown(b"frame 6", slow)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

    assert not any(b"frame 3" in part for part in slow)
    assert hub.viewers == 0


async def test_no_sign_of_life_is_given_for_a_picture_that_cannot_be_drawn() -> None:
    clock = FakeClock()

    async def render(_situation_id: UUID, _locale: Locale, _within: Within) -> str:
        raise OSError("the database is away")

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    hub = Hub(render, clock=clock)
    async with hub.running():
        feeding = asyncio.create_task(hub.feed(Look(new_id(), Locale.FI), send, ends_at=clock.now().replace(year=2030)))
        for _ in range(3):
            await asyncio.sleep(0.01)
            clock.move(seconds=BEAT_EVERY)
        assert len(sent) == 2
    await feeding

    assert sent[-1] == {"type": "http.response.body", "body": b"", "more_body": False}


def test_a_frame_carries_every_line_and_no_line_end_of_a_name() -> None:
    assert frame("<p>\nAino\r ry\x85</p>") == "data: <p>\ndata: Aino ry\x85</p>\n\n".encode()


def test_an_unchanged_frame_is_not_sent_again_and_a_beat_only_when_due() -> None:
    channel = Channel(Look(new_id(), Locale.FI))

    channel.show(b"one")
    channel.show(b"one")
    quiet = (channel.number, channel.beats)
    channel.beat_due = True
    channel.show(b"one")

    assert quiet == (1, 0)
    assert (channel.number, channel.beats) == (1, 1)
    assert BEAT.endswith(b"\n\n")


def _keepers() -> list[str]:
    return [task.get_name() for task in asyncio.all_tasks() if re.match("live keeper", task.get_name())]
