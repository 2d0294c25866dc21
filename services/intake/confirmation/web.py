"""Confirmation pages: a contact looks at its own details behind a link; an administrator has contacts asked.

Opening the link changes nothing, however often; only sending does.
"""

from dataclasses import replace
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from services.intake.confirmation.model import HALF_A_YEAR, Reason
from services.intake.confirmation.store import ConfirmationStore, Details
from services.intake.contacts.store import card_of
from services.intake.registry.model import Card, ProposalKind, is_email
from shared.form_errors import errors_in
from shared.i18n import N_, Locale, locale_or
from shared.identity import Role, Staff, requires
from shared.web import pages_of

Administrator = Annotated[Staff, Depends(requires(Role.ADMINISTRATOR))]

REASONS = {
    Reason.ROUND_OPEN: N_("A round is open: nobody is asked about details until it ends."),
    Reason.OUT_OF_HOURS: N_("Letters go out on weekdays from 9 to 17."),
}


def pages(store: ConfirmationStore, *, automatic: bool) -> APIRouter:
    """Confirming details, and having it asked."""
    router = APIRouter()

    @router.get("/d/{token}")
    async def look(request: Request, token: str) -> Response:
        """The contact's details as they are known."""
        details = await store.details(token)
        return _details_page(request, details, card_of(details.contact)) if details else _gone(request)

    @router.post("/d/{token}")
    async def answer(request: Request, token: str) -> Response:
        """Confirm, correct, or propose; then the same page, which says what is recorded."""
        details = await store.details(token)
        if details is None:
            return _gone(request)
        async with request.form() as form:
            sent = {name: " ".join(str(value).split()).replace("\0", "") for name, value in form.items()}
        card, flaws = _read(details, sent)
        if flaws:
            return _details_page(request, details, card, flaws, address=sent.get("address", ""))
        await _do(store, token, sent, card)
        return RedirectResponse(request.url.path, status_code=303)

    @router.get("/registry/confirmation")
    async def campaigns(request: Request, _staff: Administrator) -> Response:
        """Who is due, and how it went."""
        return pages_of(request).page(
            request,
            "confirmation.html",
            due=await store.due(),
            campaigns=await store.campaigns(),
            reason=REASONS.get(await store.waits_for(), ""),
            automatic=automatic,
            days=HALF_A_YEAR.days,
        )

    @router.post("/registry/confirmation")
    async def start(_request: Request, staff: Administrator) -> Response:
        """Have all who are due asked."""
        await store.start(by=staff.person_id)
        return RedirectResponse("/registry/confirmation", status_code=303)

    return router


def _read(details: Details, sent: dict[str, str]) -> tuple[Card, dict[str, str]]:
    """The details as the contact wants them, and what must be mended before anything is recorded."""
    present = card_of(details.contact)
    if sent.get("do") == "correct":
        card = Card(
            name=sent.get("name", ""),
            email=present.email,
            phone=sent.get("phone", ""),
            best_time=sent.get("best_time", ""),
            language=sent.get("language", ""),
        )
        return card, card.flaws
    if sent.get("do") == "address":
        address = sent.get("address", "")
        if not is_email(address) or replace(present, email=address).flaws.get("email"):
            return present, {"address": N_("Write your email address, for example name@example.org.")}
    if sent.get("do") not in {"right", "address", "leave"}:
        return present, {"right": N_("Choose what to do. Nothing has been sent yet.")}
    return present, {}


async def _do(store: ConfirmationStore, token: str, sent: dict[str, str], card: Card) -> None:
    match sent.get("do"):
        case "right":
            await store.confirm(token)
        case "correct":
            await store.correct(token, card)
        case "address":
            await store.propose(token, ProposalKind.ADDRESS, sent.get("address", ""))
        case "leave":
            await store.propose(token, ProposalKind.LEAVES)


def _details_page(
    request: Request, details: Details, card: Card, flaws: dict[str, str] | None = None, *, address: str = ""
) -> Response:
    if "lang" not in request.query_params:
        request.state.locale = locale_or(details.contact.language)
    return pages_of(request).page(
        request,
        "details.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if flaws else HTTPStatus.OK,
        details=details,
        card=card,
        address=address,
        flaws=flaws or {},
        told=errors_in((flaws or {}).items(), request.state.locale),
        answered=details.confirmation.answered_at,
        leaves=any(one.kind == ProposalKind.LEAVES.value for one in details.proposals),
        addresses=[one.address for one in details.proposals if one.address],
        languages_offered=[(one.value, one.own_name) for one in Locale],
    )


def _gone(request: Request) -> Response:
    """The one page for unknown and old links: it must not tell them apart."""
    return pages_of(request).page(request, "details_gone.html", status=HTTPStatus.NOT_FOUND)
