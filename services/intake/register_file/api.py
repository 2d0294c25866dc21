"""API of register files: how far a file is, as a stream of server-sent events."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response, StreamingResponse

from services.intake.register_file.uploads import Kept, Uploads
from shared.clock import Clock
from shared.i18n import N_, Locale
from shared.identity import Role, Staff, requires
from shared.web import TroubleError, pages_of

Administrator = Annotated[Staff, Depends(requires(Role.ADMINISTRATOR))]

LOOK_EVERY = 0.5
BEAT_AFTER = 20.0
BEAT = b"event: beat\ndata:\n\n"


def live(uploads: Uploads, *, clock: Clock) -> APIRouter:
    """`/registry/import/<name>/live`."""
    router = APIRouter()

    @router.get("/registry/import/{name}/live")
    async def progress(request: Request, staff: Administrator, name: str) -> Response:
        """How far the file is, whenever that changed."""
        locale: Locale = request.state.locale
        pages = pages_of(request)

        async def look() -> Kept | None:
            return await uploads.get(name, person_id=staff.person_id)

        def render(kept: Kept) -> str:
            return pages.fragment(locale, "_import_progress.html", name=name, kept=kept)

        if await look() is None:
            raise TroubleError(HTTPStatus.NOT_FOUND, N_("Choose the file again."))
        return StreamingResponse(
            frames(look, render, clock=clock, ends_at=staff.valid_until),
            media_type="text/event-stream",
            headers={"x-accel-buffering": "no"},
        )

    return router


async def frames(
    look: Callable[[], Awaitable[Kept | None]],
    render: Callable[[Kept], str],
    *,
    clock: Clock,
    ends_at: datetime,
) -> AsyncGenerator[bytes, None]:
    """A frame at once and after each change, a beat where nothing changes, until `ends_at`.

    What is read to its end is not looked at again, but the line stays open: a browser would ask anew where it ends.
    """
    last, quiet = None, 0.0
    while clock.now() < ends_at:
        if last is None or last.at_work:
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
