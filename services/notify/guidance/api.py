"""API of guidance: the progress of a broadcast as a stream of server-sent events."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import datetime
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response, StreamingResponse

from services.notify.guidance.model import Progress
from services.notify.guidance.store import GuidanceStore
from shared.clock import Clock
from shared.i18n import N_, Locale
from shared.identity import Role, Staff, requires
from shared.realm import LIVE
from shared.web import TroubleError, pages_of

Reader = Annotated[Staff, Depends(requires(Role.EDITOR, Role.APPROVER, Role.LIAISON, Role.ADMINISTRATOR))]

LOOK_EVERY = 0.5
BEAT_AFTER = 20.0
BEAT = b"event: beat\ndata:\n\n"


def live(guidance: GuidanceStore, *, clock: Clock) -> APIRouter:
    """`/guidance/<id>/live`."""
    router = APIRouter()

    @router.get("/guidance/{guidance_id}/live")
    async def progress(request: Request, staff: Reader, guidance_id: UUID) -> Response:
        """The progress of the sending, whenever it changed; rows are counted only while somebody looks."""
        revision = await guidance.get(LIVE, guidance_id)
        if revision is None or await guidance.progress(revision) is None:
            raise TroubleError(HTTPStatus.NOT_FOUND, N_("There is no such guidance."))
        locale: Locale = request.state.locale
        pages = pages_of(request)

        async def look() -> Progress | None:
            return await guidance.progress(revision)

        def render(progress: Progress) -> str:
            return pages.fragment(locale, "_progress.html", progress=progress)

        return StreamingResponse(
            frames(look, render, clock=clock, ends_at=staff.valid_until),
            media_type="text/event-stream",
            headers={"x-accel-buffering": "no"},
        )

    return router


async def frames(
    look: Callable[[], Awaitable[Progress | None]],
    render: Callable[[Progress], str],
    *,
    clock: Clock,
    ends_at: datetime,
) -> AsyncGenerator[bytes, None]:
    """A frame at once and after each change, a beat where nothing changes, until `ends_at`.

    What is finished is not counted again, but the line stays open: a browser would ask anew where it ends.
    """
    last, quiet = None, 0.0
    while clock.now() < ends_at:
        if last is None or not last.finished:
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
