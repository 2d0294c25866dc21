"""The live board: whoever leads sees each change without asking for it, and nobody else sees anything."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from httpx import ASGITransport, AsyncClient
from starlette.responses import Response
from starlette.types import Message

from services.exercise.app import make_app
from services.exercise.director.model import BoardLook
from shared.i18n import Locale
from shared.identity import Role, Staff
from shared.ids import new_id
from shared.live import Hub
from shared.settings import Settings
from tests.exercise.conftest import AINO, Stage
from tests.fakes import FakeClock
from tests.migrated import Migrated
from tests.servers import eventually


class Screen:
    """A browser that has a board open: what it was sent."""

    def __init__(self) -> None:
        self.frames: list[str] = []

    async def send(self, message: Message) -> None:
        self.frames.append(message.get("body", b"").decode())

    async def shows(self, *words: str) -> None:
        """Return when the last frame has these words."""

        async def shown() -> bool:
            return bool(self.frames) and all(word in self.frames[-1] for word in words)

        await eventually(shown)


class BriefClock(FakeClock):
    """Stands still like its parent, but pauses of less than a second pass by themselves."""

    async def sleep(self, seconds: float) -> None:
        await (asyncio.sleep(0.01) if seconds < 1 else super().sleep(seconds))


@asynccontextmanager
async def looking(hub: Hub[BoardLook], look: BoardLook, clock: FakeClock) -> AsyncIterator[Screen]:
    screen = Screen()
    feeding = asyncio.create_task(hub.feed(look, screen.send, ends_at=clock.now().replace(year=2090)))
    try:
        yield screen
    finally:
        feeding.cancel()
        await asyncio.gather(feeding, return_exceptions=True)


async def test_an_open_board_follows_the_clock_the_injects_and_the_end(settings: Settings, migrated: Migrated) -> None:
    await migrated.copy_to(settings.database_of("exercise"), "exercise")
    clock = BriefClock()
    app = make_app(settings, clock=clock)
    exercises, director, hub = app.state.exercises, app.state.director, app.state.hub
    stage = Stage(app.state.house.database, clock, exercises, director)
    exercise = await stage.planned(speed=60)

    async with looking(hub, BoardLook(exercise.id, Locale.EN), clock) as screen:
        await screen.shows("Planned", "Start the exercise", "Inject 1 at 0:00")
        await exercises.start(exercise.id)
        await screen.shows("Running", "Nothing yet.")
        await stage.run(12)
        await screen.shows("0:12", "Inject 2 at 0:10", "Inject 3 at 0:30")
        await exercises.end(exercise.id, aborted=True)
        await screen.shows("was broken off because something real happened")

    assert hub.viewers == 0
    assert not any("example.org" in frame for frame in screen.frames)
    await app.state.house.database.close()


@pytest.mark.parametrize(
    ("role", "path", "expected"),
    [
        (None, "{board}/live", 401),
        (Role.LIAISON, "{board}/live", 403),
        (Role.EXERCISE_LEADER, "/exercises/0199a000-0000-7000-8000-000000000001/live", 404),
        (Role.EXERCISE_LEADER, "{board}/live", 200),
    ],
)
async def test_the_stream_is_for_those_who_lead(
    settings: Settings, migrated: Migrated, clock: FakeClock, role: Role | None, path: str, expected: int
) -> None:
    await migrated.copy_to(settings.database_of("exercise"), "exercise")
    app = make_app(settings, clock=clock)
    exercise = await Stage(app.state.house.database, clock, app.state.exercises, app.state.director).planned()
    cookies = {}
    if role is not None:
        response, until = Response(), clock.now().replace(year=clock.now().year + 1)
        app.state.sessions.sign_in(response, Staff(new_id(), AINO, frozenset({role}), until))
        cookies[app.state.sessions.cookie] = response.headers["set-cookie"].split("=", 1)[1].split(";", 1)[0]

    async with AsyncClient(transport=ASGITransport(app=app), base_url="http://127.0.0.1", cookies=cookies) as browser:
        answer = await browser.head(path.format(board=f"/exercises/{exercise.id}"))

    assert answer.status_code == expected
    assert (answer.headers["content-type"].startswith("text/event-stream")) == (expected == 200)
    await app.state.house.database.close()
