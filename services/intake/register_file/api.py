"""API of register files: how far a file is, as a stream of server-sent events."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from shared.clock import Clock
from shared.i18n import N_, Locale
from shared.identity import Role, Staff, requires
from shared.progress import progress_frames, streamed
from shared.uploads import Kept, Uploads
from shared.web import TroubleError, pages_of

Administrator = Annotated[Staff, Depends(requires(Role.ADMINISTRATOR))]


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
        frames = progress_frames(
            look, render, ended=lambda kept: not kept.at_work, clock=clock, ends_at=staff.valid_until
        )
        return streamed(frames)

    return router
