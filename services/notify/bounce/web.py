"""Pages of bounces: what came back of late, and the letters that no program could read."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from services.notify.bounce.model import Found
from services.notify.bounce.store import PAGE, BounceStore
from services.notify.subscribers.store import SubscriberStore
from shared.i18n import N_
from shared.identity import Role, Staff, requires
from shared.log import logger
from shared.web import pages_of

log = logger(__name__)

Administrator = Annotated[Staff, Depends(requires(Role.ADMINISTRATOR))]

KINDS = {
    Found.HARD: N_("Address does not work"),
    Found.SOFT: N_("Mailbox full or server away"),
    Found.POLICY: N_("Refused as a letter"),
    Found.COMPLAINT: N_("Marked as unwanted"),
}
DONE = {
    "discarded": N_("Discarded."),
    "again": N_("It is being read again. If it cannot be read, it comes back to this page in a moment."),
    "quicker": N_("Somebody else has already handled that letter."),
}


def pages(bounces: BounceStore, subscribers: SubscriberStore) -> APIRouter:
    """`/notify/bounces` and what is below it."""
    router = APIRouter(prefix="/notify/bounces")

    @router.get("")
    async def unread(request: Request, _staff: Administrator, said: str = "") -> Response:
        """The letters that wait for a person, oldest first, below the figures of the last thirty days."""
        number = _number(request.query_params.get("page", ""))
        letters, count = await bounces.unread(page=number)
        figures = await bounces.figures()
        return pages_of(request).page(
            request,
            "bounces.html",
            letters=letters,
            count=count,
            figures=[(label, figures.get(found, 0)) for found, label in KINDS.items()],
            suppressed=await subscribers.suppressed_count(),
            said=DONE.get(said, ""),
            page=number,
            pages=max(1, -(-count // PAGE)),
        )

    @router.post("/{bounce_id}/discard")
    async def discard(staff: Administrator, bounce_id: UUID) -> Response:
        """Set it aside."""
        done = await bounces.discard(bounce_id, by=staff.person_id)
        if done:
            log.info("a letter that came back was discarded", bounce=str(bounce_id), by=str(staff.person_id))
        return _back("discarded" if done else "quicker")

    @router.post("/{bounce_id}/again")
    async def again(_staff: Administrator, bounce_id: UUID) -> Response:
        """Have it read once more, for example by a newer version."""
        return _back("again" if await bounces.read_again(bounce_id) else "quicker")

    return router


def _back(said: str) -> Response:
    return RedirectResponse(f"/notify/bounces?said={said}", status_code=303)


def _number(text: str) -> int:
    return max(1, int(text)) if text.isdecimal() and len(text) < 7 else 1
