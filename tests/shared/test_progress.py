"""Progress as it happens: a frame for each change, a beat where nothing changes."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import timedelta

from shared.progress import BEAT, BEAT_AFTER, frame, progress_frames
from tests.fakes import FakeClock

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Work:
    """Something that is being sent."""

    sent: int
    finished: bool = False


class Looks:
    """What a viewer would see at each look, and how often it was looked."""

    def __init__(self) -> None:
        self.present = Work(0)
        self.times = 0

    async def look(self) -> Work:
        self.times += 1
        return self.present


def sent(work: Work) -> str:
    return f"<p>\nsent {work.sent}</p>"


def stream_of(looks: Looks, clock: FakeClock) -> AsyncGenerator[bytes, None]:
    """What is told until an hour has passed."""
    ends_at = clock.now() + HOUR
    return progress_frames(looks.look, sent, ended=lambda work: work.finished, clock=clock, ends_at=ends_at)


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
    stream = stream_of(looks, clock)

    first = await anext(stream)
    waiting = asyncio.ensure_future(anext(stream))
    await after(clock, 0.5)
    looks.present = Work(1)
    await after(clock, 0.5)

    assert first == b"data: <p>\ndata: sent 0</p>\n\n"
    assert await waiting == b"data: <p>\ndata: sent 1</p>\n\n"
    assert looks.times == 3
    await stream.aclose()


async def test_what_is_finished_is_not_counted_again_but_the_line_stays_open(clock: FakeClock) -> None:
    looks = Looks()
    looks.present = Work(2, finished=True)
    stream = stream_of(looks, clock)

    await anext(stream)
    waiting = asyncio.ensure_future(anext(stream))
    for _ in range(round(BEAT_AFTER / 0.5) + 1):
        await after(clock, 0.5)

    assert await waiting == BEAT
    assert looks.times == 1
    await stream.aclose()


async def test_the_stream_ends_with_the_session(clock: FakeClock) -> None:
    stream = stream_of(Looks(), clock)

    await anext(stream)
    rest_of_it = asyncio.ensure_future(anext(stream, None))
    await after(clock, HOUR.total_seconds())

    assert await rest_of_it is None


def test_a_fragment_of_many_lines_is_one_frame() -> None:
    assert frame("a\nb") == b"data: a\ndata: b\n\n"
