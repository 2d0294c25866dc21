"""Live: parts of pages that keep themselves fresh, as server-sent events.

One rendering and one encoding serve everybody who looks at the same.
"""

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from shared.clock import Clock
from shared.identity import Role, Sessions, Staff
from shared.log import logger

log = logger(__name__)

Key = TypeVar("Key", bound=Hashable)
"""What is looked at: everything on which the rendering depends, such as which situation and which language."""

PAUSE = 0.2
"""Seconds between two frames of one key: the first goes at once, then the latest of what came meanwhile."""
BEAT_EVERY = 20.0
RENEWED_AFTER = timedelta(minutes=5)
"""So long one stream lasts before the browser must open the next, with a session that still holds."""
VIEWERS = 10_000

BEAT = b"event: beat\ndata:\n\n"
OPENING = b"retry: 1000\n\n"
LAST: Message = {"type": "http.response.body", "body": b"", "more_body": False}
STREAM_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


def frame(fragment: str) -> bytes:
    """The fragment as one server-sent event."""
    lines = fragment.replace("\r", "").split("\n")
    return "".join(f"data: {line}\n" for line in lines).encode() + b"\n"


@dataclass
class Channel(Generic[Key]):
    """One key: its latest frame, and those who wait for the next."""

    key: Key
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


class Hub(Generic[Key]):
    """Keeps the open pages of this process fresh.

    A key is rendered when somebody says that its figures changed, and every BEAT_EVERY seconds in any case, so that
    a lost word delays and never deceives. A sign of life is only sent after the figures were looked at again.
    """

    def __init__(self, render: Callable[[Key], Awaitable[str]], *, clock: Clock, limit: int = VIEWERS) -> None:
        self._render = render
        self._clock = clock
        self._limit = limit
        self._channels: dict[Key, Channel[Key]] = {}
        self._open = True

    @property
    def viewers(self) -> int:
        """How many are looking."""
        return sum(channel.viewers for channel in self._channels.values())

    def look_again(self, concerns: Callable[[Key], bool] = lambda _key: True) -> None:
        """Something was written: it may be in any of the keys that it concerns."""
        for key, channel in self._channels.items():
            if concerns(key):
                channel.wanted.set()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Beat while the block runs; then end every stream."""
        beating = asyncio.create_task(self._beat(), name="live beat")
        try:
            yield
        finally:
            self._open = False
            for channel in self._channels.values():
                channel.tell()
            beating.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await beating

    async def feed(self, key: Key, send: Send, *, ends_at: datetime) -> None:
        """Send one viewer the frame of now and then each next one until `ends_at`; whoever is slow misses some.

        Raises FullError before anything is sent.
        """
        if self.viewers >= self._limit:
            raise FullError
        channel = self._entered(key)
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

    def _entered(self, key: Key) -> Channel[Key]:
        channel = self._channels.get(key)
        if channel is None:
            channel = self._channels[key] = Channel(key)
            channel.keeper = asyncio.create_task(self._keep(channel), name="live keeper")
        channel.viewers += 1
        channel.wanted.set()
        return channel

    def _left(self, channel: Channel[Key]) -> None:
        channel.viewers -= 1
        if channel.viewers == 0:
            del self._channels[channel.key]
            if channel.keeper is not None:
                channel.keeper.cancel()

    async def _keep(self, channel: Channel[Key]) -> None:
        while True:
            await channel.wanted.wait()
            channel.wanted.clear()
            try:
                fragment = await self._render(channel.key)
            except Exception:
                log.exception("a live page was not rendered; viewers get no sign of life until it is")
            else:
                channel.show(frame(fragment))
            await self._clock.sleep(PAUSE)

    async def _beat(self) -> None:
        while True:
            await self._clock.sleep(BEAT_EVERY)
            for channel in self._channels.values():
                channel.beat_due = True
                channel.wanted.set()


class LiveEndpoint(ABC, Generic[Key]):
    """Raw ASGI: what a hub keeps fresh, for staff who are signed in and hold one of `roles` (none named: all staff)."""

    roles: tuple[Role, ...] = ()

    def __init__(self, hub: Hub[Key], *, sessions: Sessions, clock: Clock) -> None:
        self._hub = hub
        self._sessions = sessions
        self._clock = clock

    @abstractmethod
    async def key(self, request: Request, staff: Staff) -> Key | None:
        """What this person asks for, or None if there is no such thing."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        staff = await self._sessions.who(request)
        if staff is None:
            await PlainTextResponse("Sign in again.", 401)(scope, receive, send)
            return
        if self.roles and not staff.may(*self.roles):
            await PlainTextResponse("Not for your role.", 403)(scope, receive, send)
            return
        key = await self.key(request, staff)
        if key is None:
            await PlainTextResponse("There is no such thing.", 404)(scope, receive, send)
            return
        if request.state.bodiless:
            await send({"type": "http.response.start", "status": 200, "headers": STREAM_HEADERS})
            await send(LAST)
            return
        await self._stream(key, staff, scope, receive, send)

    async def _stream(self, key: Key, staff: Staff, scope: Scope, receive: Receive, send: Send) -> None:
        """Send frames until the viewer leaves, the session ends, or RENEWED_AFTER has gone by."""
        ends_at = min(staff.valid_until, self._clock.now() + RENEWED_AFTER)
        feeding = asyncio.create_task(self._hub.feed(key, send, ends_at=ends_at))
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
