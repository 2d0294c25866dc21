"""API of guidance: the progress of a broadcast as a stream of server-sent events."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from services.notify.guidance.model import Progress
from services.notify.guidance.store import GuidanceStore
from shared.clock import Clock
from shared.i18n import N_, Locale
from shared.identity import Role, Staff, requires
from shared.progress import progress_frames, streamed
from shared.web import TroubleError, pages_of

Reader = Annotated[Staff, Depends(requires(Role.EDITOR, Role.APPROVER, Role.LIAISON, Role.ADMINISTRATOR))]


def live(guidance: GuidanceStore, *, clock: Clock) -> APIRouter:
    """`/guidance/<id>/live`."""
    router = APIRouter()

    @router.get("/guidance/{guidance_id}/live")
    async def progress(request: Request, staff: Reader, guidance_id: UUID) -> Response:
        """The progress of the sending, whenever it changed; rows are counted only while somebody looks."""
        revision = await guidance.get(await guidance.realm_of(guidance_id), guidance_id)
        if revision is None or await guidance.progress(revision) is None:
            raise TroubleError(HTTPStatus.NOT_FOUND, N_("There is no such guidance."))
        locale: Locale = request.state.locale
        pages = pages_of(request)

        async def look() -> Progress | None:
            return await guidance.progress(revision)

        def render(progress: Progress) -> str:
            return pages.fragment(locale, "_progress.html", progress=progress)

        frames = progress_frames(
            look, render, ended=lambda progress: progress.finished, clock=clock, ends_at=staff.valid_until
        )
        return streamed(frames)

    return router
