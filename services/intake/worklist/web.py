"""Work list pages: what waits, tray by tray, and the two lists that have no page of their own."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from services.intake.worklist.model import Tray
from services.intake.worklist.store import SHOWN, WorkListStore
from shared import region
from shared.identity import Role, Staff, requires
from shared.web import pages_of

Clerk = Annotated[Staff, Depends(requires(Role.LIAISON, Role.CLERK, Role.ADMINISTRATOR))]


def pages(store: WorkListStore, trays: Sequence[Tray]) -> APIRouter:
    """The work list of whoever is signed in."""
    router = APIRouter(prefix="/work-list")

    @router.get("")
    async def work_list(request: Request, staff: Clerk) -> Response:
        """All trays, with how much waits in each."""
        sight = staff.sight
        counted = [(tray, await tray.count(sight)) for tray in trays]
        return pages_of(request).page(request, "work_list.html", trays=counted)

    @router.get("/failed")
    async def failed(request: Request, staff: Clerk) -> Response:
        """Addresses to which the last letter did not go."""
        number = _page(request)
        found, count = await store.failed(staff.sight, page=number)
        return pages_of(request).page(
            request, "work_failed.html", found=found, count=count, names=_names(request), page=number, pages=_of(count)
        )

    @router.get("/unreachable")
    async def unreachable(request: Request, staff: Clerk) -> Response:
        """Associations without any address or number."""
        number = _page(request)
        found, count = await store.unreachable(staff.sight, page=number)
        return pages_of(request).page(
            request,
            "work_unreachable.html",
            found=found,
            count=count,
            names=_names(request),
            page=number,
            pages=_of(count),
        )

    return router


def _of(count: int) -> int:
    return max(1, -(-count // SHOWN))


def _page(request: Request) -> int:
    page = request.query_params.get("page", "")
    return max(1, int(page)) if page.isdecimal() and len(page) < 7 else 1


def _names(request: Request) -> dict[str, str]:
    return {place.code: place.name(request.state.locale) for place in region.MUNICIPALITIES}
