"""Progress as it happens: a frame for each change, a beat where nothing changes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import uvicorn
from fastapi import FastAPI
from httpx import AsyncClient

from services.notify.delivery.model import Counts
from services.notify.guidance.api import BEAT, BEAT_AFTER, frame, frames
from services.notify.guidance.model import Progress
from services.notify.guidance.store import GuidanceStore
from services.notify.subscribers.store import SubscriberStore
from shared.identity import Role
from tests.fakes import FakeClock
from tests.notify.conftest import signed_in, staff
from tests.notify.guidance.drafts import draft, published, resident, submitted
from tests.servers import eventually

HOUR = timedelta(hours=1)


class Looks:
    """What a viewer would see at each look, and how often it was looked."""

    def __init__(self) -> None:
        self.present = Progress(Counts(waiting=2), planned=True, finished=False)
        self.times = 0

    async def look(self) -> Progress:
        self.times += 1
        return self.present


def sent(progress: Progress) -> str:
    return f"<p>\nsent {progress.counts.sent}</p>"


async def after(clock: FakeClock, seconds: float) -> None:
    """Move the clock on, with the stream at rest before and afterwards."""
    await rest()
    clock.move(seconds=seconds)
    await rest()


async def rest() -> None:
    """Let everything run that can."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_a_viewer_gets_a_frame_at_once_and_one_for_each_change(clock: FakeClock) -> None:
    looks = Looks()
    stream = frames(looks.look, sent, clock=clock, ends_at=clock.now() + HOUR)

    first = await anext(stream)
    waiting = asyncio.ensure_future(anext(stream))
    await after(clock, 0.5)
    looks.present = Progress(Counts(waiting=1, sent=1), planned=True, finished=False)
    await after(clock, 0.5)

    assert first == b"data: <p>\ndata: sent 0</p>\n\n"
    assert await waiting == b"data: <p>\ndata: sent 1</p>\n\n"
    assert looks.times == 3
    await stream.aclose()


async def test_what_is_finished_is_not_counted_again_but_the_line_stays_open(clock: FakeClock) -> None:
    looks = Looks()
    looks.present = Progress(Counts(sent=2), planned=True, finished=True)
    stream = frames(looks.look, sent, clock=clock, ends_at=clock.now() + HOUR)

    await anext(stream)
    waiting = asyncio.ensure_future(anext(stream))
    for _ in range(round(BEAT_AFTER / 0.5) + 1):
        await after(clock, 0.5)

    assert await waiting == BEAT
    assert looks.times == 1
    await stream.aclose()


async def test_the_stream_ends_with_the_session(clock: FakeClock) -> None:
    stream = frames(Looks().look, sent, clock=clock, ends_at=clock.now() + HOUR)

    await anext(stream)
    rest_of_it = asyncio.ensure_future(anext(stream, None))
    await after(clock, HOUR.total_seconds())

    assert await rest_of_it is None


def test_a_fragment_of_many_lines_is_one_frame() -> None:
    assert frame("a\nb") == b"data: a\ndata: b\n\n"


async def test_the_stream_of_a_real_server_carries_the_fragment_of_the_page(
    app: FastAPI, clock: FakeClock, guidance: GuidanceStore, subscribers: SubscriberStore
) -> None:
    await resident(subscribers)
    revision = await published(guidance, draft())
    cookies = signed_in(app, staff(clock, Role.LIAISON)).headers["cookie"]

    path = f"/guidance/{revision.guidance_id}/live?lang=sv"
    async with (
        served(app) as url,
        AsyncClient(base_url=url, headers={"cookie": cookies}) as viewer,
        viewer.stream("GET", path) as stream,
    ):
        lines = stream.aiter_lines()
        first = await anext(lines)
        said = [line async for line in until_blank(lines)]

    assert stream.headers["content-type"].startswith("text/event-stream")
    assert first.startswith("data: ")
    assert any("Mottagarna förtecknas ännu." in line for line in said)


async def test_what_is_not_released_has_no_progress(app: FastAPI, clock: FakeClock, guidance: GuidanceStore) -> None:
    revision = await submitted(guidance, draft())
    reader = signed_in(app, staff(clock, Role.LIAISON))

    assert (await reader.get(f"/guidance/{revision.guidance_id}/live")).status_code == 404


@asynccontextmanager
async def served(app: FastAPI) -> AsyncIterator[str]:
    """The application behind a real server on a free port; its address."""
    config = uvicorn.Config(app, port=0, lifespan="off", ws="none", log_config=None, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    await eventually(lambda: _started(server))
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await task


async def _started(server: uvicorn.Server) -> bool:
    return server.started


async def until_blank(lines: AsyncIterator[str]) -> AsyncIterator[str]:
    async for line in lines:
        if not line:
            return
        yield line
