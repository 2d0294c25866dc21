"""Pages of a broadcast before it begins: its letter, sent to one address as a test."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from services.notify.broadcast.model import TRIALS, Trial
from services.notify.broadcast.store import BroadcastStore
from services.notify.guidance.model import Revision
from services.notify.guidance.store import GuidanceStore
from shared.i18n import N_, Locale, locale_or
from shared.identity import Role, Staff, requires
from shared.web import TroubleError, pages_of

Tester = Annotated[Staff, Depends(requires(Role.EDITOR, Role.APPROVER))]

REASONS = {
    Trial.NO_ADDRESS: N_("This is not an email address. Nothing was sent."),
    Trial.NOT_TAKING_PART: N_("Letters of an exercise go only to those who take part in it. Nothing was sent."),
    Trial.TOO_MANY: N_("You have sent this text as a test as often as is allowed. Change it, then try again."),
    Trial.RELEASED: N_("This text is released already. Nothing was sent."),
}


def pages(broadcasts: BroadcastStore, guidance: GuidanceStore) -> APIRouter:
    """`/guidance/<id>/trial`."""
    router = APIRouter(prefix="/guidance/{guidance_id}/trial")

    async def unreleased(guidance_id: UUID) -> Revision:
        revision = await guidance.unreleased(await guidance.realm_of(guidance_id), guidance_id)
        if revision is None:
            raise TroubleError(HTTPStatus.NOT_FOUND, N_("There is no text here that waits to be released."))
        return revision

    @router.get("")
    async def form(request: Request, _staff: Tester, guidance_id: UUID, sent: str = "") -> Response:
        """Where to send it, and in which language."""
        revision = await unreleased(guidance_id)
        return _page(request, revision, sent=bool(sent))

    @router.post("")
    async def send(request: Request, staff: Tester, guidance_id: UUID) -> Response:
        """Send it to this one address."""
        revision = await unreleased(guidance_id)
        typed = await request.form()
        address, locale = str(typed.get("address", "")), locale_or(str(typed.get("language", "")))
        outcome = await broadcasts.send_trial(revision, by=staff.person_id, address=address, locale=locale)
        if outcome is not Trial.SENT:
            return _page(request, revision, address=address, language=locale, error=REASONS[outcome])
        return RedirectResponse(f"/guidance/{guidance_id}/trial?sent=1", status_code=303)

    return router


def _page(
    request: Request,
    revision: Revision,
    *,
    sent: bool = False,
    address: str = "",
    language: Locale | None = None,
    error: str = "",
) -> Response:
    return pages_of(request).page(
        request,
        "trial.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK,
        realm=revision.realm,
        revision=revision,
        back=f"/guidance/{revision.guidance_id}{'/correction' if revision.corrects else ''}",
        written=[(locale.value, locale.own_name) for locale in Locale],
        language=language or request.state.locale,
        address=address,
        sent=sent,
        most=TRIALS,
        error=error,
    )
