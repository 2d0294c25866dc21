"""Progress as it happens: the stream of a broadcast, for whoever may read it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI
from httpx import AsyncClient

from services.notify.guidance.store import GuidanceStore
from services.notify.subscribers.store import SubscriberStore
from shared.identity import Role
from tests.fakes import FakeClock
from tests.notify.conftest import signed_in, staff
from tests.notify.guidance.drafts import draft, published, resident, submitted
from tests.servers import eventually


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
