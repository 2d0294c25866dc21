"""Servers that give one frame to many open pages: status as it is, and the least that asyncio can do.

`GET /next` brings out a new frame, the same bytes in both: a real picture and, last in it, the frame's number.
"""

import asyncio
import sys
from datetime import timedelta
from pathlib import Path
from typing import cast
from uuid import UUID

import uvicorn
import uvloop
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.checkin_server import settings_in
from services.status.app import make_app
from services.status.picture.api import Hub, LiveEndpoint
from services.status.picture.model import RECENT, picture_of
from services.status.picture.picture_html import picture_html
from services.status.picture.store import PictureStore
from services.status.situation.model import ALL_MUNICIPALITIES, Names, Opened, Situation, SituationDraft, open_situation
from shared.house import House
from shared.i18n import Locale
from shared.identity import Role, Staff, Within
from shared.ids import new_id
from shared.live import frame
from shared.log import configure
from shared.migrate import migrate
from shared.realm import LIVE

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"


class Picture:
    """One picture, again and again with another number."""

    def __init__(self, html: str) -> None:
        self._html = html
        self._number = 0

    async def render(self, _situation_id: UUID, _locale: Locale, _within: Within) -> str:
        """The picture, as status would write it."""
        return f"{self._html}\n#{self._number}"

    def bytes(self) -> bytes:
        """The picture as one server-sent event."""
        return frame(f"{self._html}\n#{self._number}")

    def turn(self) -> None:
        """Go on to the next number."""
        self._number += 1


async def status(folder: Path) -> FastAPI:
    """Status with an open situation. The address of its live picture, and a cookie for it, go to a file."""
    app = make_app(settings_in(folder))
    house: House = app.state.house
    await migrate(house.database, house.migrations)
    opened = open_situation(
        SituationDraft(Names("Myrsky", "Storm", "Storm"), "storm", ALL_MUNICIPALITIES, 12),
        situation_id=new_id(),
        realm=LIVE,
        opened_by=new_id(),
        now=house.clock.now(),
    )
    if not isinstance(opened, Opened):
        raise TypeError(str(opened))
    await app.state.situations.open(opened)
    picture = Picture(await _html(house, opened.situation))
    hub = Hub(picture.render, clock=house.clock)

    async def turn(_request: Request) -> Response:
        picture.turn()
        hub.look_again()
        return Response()

    live = LiveEndpoint(hub, situations=app.state.situations, sessions=house.sessions, clock=house.clock)
    app.router.routes[:0] = [live.route(), Route("/next", turn)]
    (folder / "viewer").write_text(f"/situations/{opened.situation.id}/live\n{_cookie(house)}", encoding="ascii")
    (folder / "picture").write_text(await picture.render(new_id(), Locale.FI, None), encoding="utf-8")
    return app


async def _html(house: House, situation: Situation) -> str:
    now = house.clock.now()
    glance = await PictureStore(house.database).glance(situation, since=now - RECENT)
    return picture_html(house.pages, Locale.FI, picture_of(situation, glance, now))


def _cookie(house: House) -> str:
    response = Response()
    until = house.clock.now() + timedelta(hours=1)
    house.sessions.sign_in(response, Staff(new_id(), new_id(), frozenset({Role.VIEWER}), until))
    return response.headers["set-cookie"].partition(";")[0]


class Bare(asyncio.Protocol):
    """Writes the frame to everybody who has come."""

    def __init__(self, picture: Picture, viewers: list[asyncio.Transport]) -> None:
        self._picture = picture
        self._viewers = viewers

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody has come."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """She wants to look, or to have the next frame brought out."""
        if not data.startswith(b"GET /next "):
            self._viewers.append(self._transport)
            self._transport.write(STREAM + self._picture.bytes())
            return
        self._transport.write(OK)
        self._picture.turn()
        latest = self._picture.bytes()
        for viewer in self._viewers:
            viewer.write(latest)


async def bare(picture: Picture, port: int) -> None:
    """Serve until somebody ends it."""
    viewers: list[asyncio.Transport] = []
    server = await asyncio.get_running_loop().create_server(
        lambda: Bare(picture, viewers), "127.0.0.1", port, backlog=2_000
    )
    async with server:
        await server.serve_forever()


def main() -> None:
    """`status|bare FOLDER PORT`; bare shows the picture that status has left in the folder."""
    who, folder, port = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    configure("text")
    if who == "bare":
        html = (folder / "picture").read_text(encoding="utf-8").rpartition("\n#")[0]
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(bare(Picture(html), port))
        return
    uvicorn.run(
        asyncio.run(status(folder)),
        host="127.0.0.1",
        port=port,
        loop="uvloop",
        http="httptools",
        log_config=None,
        access_log=False,
        server_header=False,
        backlog=2_000,
    )


if __name__ == "__main__":
    main()
