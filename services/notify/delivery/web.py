"""Pages of delivery: letting a lane go on that paused itself."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import RedirectResponse, Response

from services.notify.delivery.model import Lane
from services.notify.delivery.store import Ledger
from shared.identity import Role, Staff, requires
from shared.log import logger

log = logger(__name__)

Operator = Annotated[Staff, Depends(requires(Role.LIAISON, Role.ADMINISTRATOR))]


def pages(ledger: Ledger) -> APIRouter:
    """`/guidance/sending` and what is below it."""
    router = APIRouter(prefix="/guidance/sending")

    @router.post("/resume")
    async def resume(staff: Operator) -> Response:
        """Let the letters that wait go out; a lane that does not pause just goes on."""
        reason = await ledger.paused(Lane.BULK)
        await ledger.resume(Lane.BULK, by=staff.person_id)
        if reason is not None:
            log.warning("lane goes on", lane=Lane.BULK, paused_because=reason, by=str(staff.person_id))
        return RedirectResponse("/guidance", status_code=303)

    return router
