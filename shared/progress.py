"""Progress: how far some work is, told to a page as server-sent events for as long as it is open."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import datetime
from typing import TypeVar

from starlette.responses import StreamingResponse

from shared.clock import Clock

LOOK_EVERY = 0.5
BEAT_AFTER = 20.0
BEAT = b"event: beat\ndata:\n\n"
T = TypeVar("T")


def streamed(frames: AsyncGenerator[bytes, None]) -> StreamingResponse:
    """The frames as a response that no proxy keeps back."""
    return StreamingResponse(frames, media_type="text/event-stream", headers={"x-accel-buffering": "no"})


async def progress_frames(
    look: Callable[[], Awaitable[T | None]],
    render: Callable[[T], str],
    *,
    ended: Callable[[T], bool],
    clock: Clock,
    ends_at: datetime,
) -> AsyncGenerator[bytes, None]:
    """A frame at once and after each change, a beat where nothing changes, until `ends_at`.

    What has ended is not looked at again, but the line stays open: a browser would ask anew where it closes.
    """
    last, quiet = None, 0.0
    while clock.now() < ends_at:
        if last is None or not ended(last):
            present = await look()
            if present is not None and present != last:
                last, quiet = present, 0.0
                yield frame(render(present))
        if quiet >= BEAT_AFTER:
            quiet = 0.0
            yield BEAT
        await clock.sleep(LOOK_EVERY)
        quiet += LOOK_EVERY


def frame(html: str) -> bytes:
    """One server-sent event that carries a fragment of HTML."""
    return "".join(f"data: {line}\n" for line in html.splitlines()).encode() + b"\n"
