"""API: the live picture as server-sent events. One rendering and one encoding serve everybody who looks."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from services.status.situation.store import SituationStore
from shared.clock import Clock
from shared.events.status import ReadinessChanged
from shared.i18n import Locale
from shared.identity import Sessions, Staff, Within, names_within
from shared.log import logger

log = logger(__name__)

Render = Callable[[UUID, Locale, Within], Awaitable[str]]
"""Makes the fragment of a situation in a language, for those who may see so much."""

PAUSE = 0.2
"""Seconds between two frames of one picture: the first goes at once, then the latest of what came meanwhile."""
BEAT_EVERY = 20.0
RENEWED_AFTER = timedelta(minutes=5)
"""So long one stream lasts before the browser must open the next, with a session that still holds."""
VIEWERS = 10_000

BEAT = b"event: beat\ndata:\n\n"
OPENING = b"retry: 1000\n\n"
LAST: Message = {"type": "http.response.body", "body": b"", "more_body": False}


def frame(fragment: str) -> bytes:
    """The fragment as one server-sent event."""
    lines = fragment.replace("\r", "").split("\n")
    return "".join(f"data: {line}\n" for line in lines).encode() + b"\n"


@dataclass
class Channel:
    """One situation in one language for those who see alike: its latest frame, and those who wait for the next."""

    situation_id: UUID
    locale: Locale
    within: Within = None
    number: int = 0
    frame: bytes = b""
    beats: int = 0
    viewers: int = 0
    beat_due: bool = False
    wanted: asyncio.Event = field(default_factory=asyncio.Event)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    keeper: asyncio.Task[None] | None = None

    def show(self, latest: bytes) -> None:
        """Give everybody the latest frame; where nothing is new, at most a sign of life."""
        if latest != self.frame:
            self.frame = latest
            self.number += 1
        elif self.beat_due:
            self.beats += 1
        self.beat_due = False
        self.tell()

    def tell(self) -> None:
        """Let everybody look."""
        told, self.news = self.news, asyncio.Event()
        told.set()


class FullError(Exception):
    """As many as this process serves are looking already."""


class Hub:
    """Keeps the open pictures of this process fresh.

    A picture is rendered when somebody says that figures changed, and every BEAT_EVERY seconds in any case, so that
    a lost word delays and never deceives. A sign of life is only sent after the figures were looked at again.
    """

    def __init__(self, render: Render, *, clock: Clock, limit: int = VIEWERS) -> None:
        self._render = render
        self._clock = clock
        self._limit = limit
        self._channels: dict[tuple[UUID, Locale, Within], Channel] = {}
        self._open = True

    @property
    def viewers(self) -> int:
        """How many are looking."""
        return sum(channel.viewers for channel in self._channels.values())

    def look_again(self) -> None:
        """Something was written in this process: it may be in any of the pictures."""
        for channel in self._channels.values():
            channel.wanted.set()

    async def on_readiness_changed(self, event: ReadinessChanged) -> None:
        """Another process, or this one, says that a situation's figures changed."""
        for (situation_id, _locale, _within), channel in self._channels.items():
            if situation_id == event.situation_id:
                channel.wanted.set()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Beat while the block runs; then end every stream."""
        beating = asyncio.create_task(self._beat(), name="picture beat")
        try:
            yield
        finally:
            self._open = False
            for channel in self._channels.values():
                channel.tell()
            beating.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await beating

    async def feed(
        self, situation_id: UUID, locale: Locale, send: Send, *, ends_at: datetime, within: Within = None
    ) -> None:
        """Send one viewer the frame of now and then each next one until `ends_at`; whoever is slow misses some.

        Raises FullError before anything is sent.
        """
        if self.viewers >= self._limit:
            raise FullError
        channel = self._entered(situation_id, locale, within)
        try:
            await send({"type": "http.response.start", "status": 200, "headers": STREAM_HEADERS})
            await send(_body(OPENING))
            number, beats = 0, channel.beats
            while self._open and self._clock.now() < ends_at:
                news = channel.news
                if channel.number != number:
                    number, beats = channel.number, channel.beats
                    await send(_body(channel.frame))
                elif channel.beats != beats:
                    beats = channel.beats
                    await send(_body(BEAT))
                else:
                    await news.wait()
            await send(LAST)
        finally:
            self._left(channel)

    def _entered(self, situation_id: UUID, locale: Locale, within: Within) -> Channel:
        key = (situation_id, locale, within)
        channel = self._channels.get(key)
        if channel is None:
            channel = self._channels[key] = Channel(situation_id, locale, within)
            channel.keeper = asyncio.create_task(self._keep(channel), name="picture keeper")
        channel.viewers += 1
        channel.wanted.set()
        return channel

    def _left(self, channel: Channel) -> None:
        channel.viewers -= 1
        if channel.viewers == 0:
            del self._channels[channel.situation_id, channel.locale, channel.within]
            if channel.keeper is not None:
                channel.keeper.cancel()

    async def _keep(self, channel: Channel) -> None:
        while True:
            await channel.wanted.wait()
            channel.wanted.clear()
            try:
                fragment = await self._render(channel.situation_id, channel.locale, channel.within)
            except Exception:
                log.exception("picture not rendered; viewers get no sign of life until it is")
            else:
                channel.show(frame(fragment))
            await self._clock.sleep(PAUSE)

    async def _beat(self) -> None:
        while True:
            await self._clock.sleep(BEAT_EVERY)
            for channel in self._channels.values():
                channel.beat_due = True
                channel.wanted.set()


STREAM_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


class LiveEndpoint:
    """`/situations/{situation_id}/live`: raw ASGI, for staff who are signed in."""

    required_roles: tuple[str, ...] = ()

    def __init__(self, hub: Hub, *, situations: SituationStore, sessions: Sessions, clock: Clock) -> None:
        self._hub = hub
        self._situations = situations
        self._sessions = sessions
        self._clock = clock

    def route(self) -> Route:
        """The route at which it is served."""
        return Route("/situations/{situation_id:uuid}/live", self, methods=["GET"])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        staff = await self._sessions.who(request)
        if staff is None:
            await PlainTextResponse("Sign in again.", 401)(scope, receive, send)
            return
        situation_id, locale = request.path_params["situation_id"], request.state.locale
        if await self._situations.get(situation_id) is None:
            await PlainTextResponse("No such situation.", 404)(scope, receive, send)
            return
        if request.state.bodiless:
            await send({"type": "http.response.start", "status": 200, "headers": STREAM_HEADERS})
            await send(LAST)
            return
        await self._stream(scope, receive, send, staff=staff, situation_id=situation_id, locale=locale)

    async def _stream(
        self, scope: Scope, receive: Receive, send: Send, *, staff: Staff, situation_id: UUID, locale: Locale
    ) -> None:
        ends_at = min(staff.valid_until, self._clock.now() + RENEWED_AFTER)
        within = names_within(staff)
        feeding = asyncio.create_task(self._hub.feed(situation_id, locale, send, ends_at=ends_at, within=within))
        leaving = asyncio.create_task(_gone(receive))
        try:
            await asyncio.wait({feeding, leaving}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            # The server stops and waits for nobody: ending in order is all that it wants, and keeps its log quiet.
            await _ended(feeding, leaving)
            await send(LAST)
            return
        await _ended(feeding, leaving)
        if feeding.done() and not feeding.cancelled() and isinstance(feeding.exception(), FullError):
            await PlainTextResponse("Too many are looking.", 503, {"retry-after": "30"})(scope, receive, send)


async def _ended(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _gone(receive: Receive) -> None:
    """Return when the viewer has left."""
    while (await receive())["type"] != "http.disconnect":
        continue


def _body(part: bytes) -> Message:
    return {"type": "http.response.body", "body": part, "more_body": True}
