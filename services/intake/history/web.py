"""History pages: what an association answered, for whoever holds its link, and for the staff."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from services.intake.checkin.model import CHANNEL_LABELS, STATUS_LABELS, Invited, in_words
from services.intake.history.model import Past, way
from services.intake.history.store import PAGE, History, HistoryStore, Owner
from services.intake.registry.model import Plan
from shared.clock import Clock
from shared.i18n import N_, Locale, locale_or, texts
from shared.identity import Role, Staff, requires
from shared.realm import LIVE, Realm
from shared.web import TroubleError, pages_of

Reader = Annotated[Staff, Depends(requires(Role.LIAISON, Role.CLERK, Role.ADMINISTRATOR))]
FindInvited = Callable[[str], Awaitable[Invited | None]]


def pages(store: HistoryStore, find_invited: FindInvited, *, clock: Clock) -> APIRouter:
    """The answers behind a link, and those of any association; `find_invited` tells where a link leads."""
    router = APIRouter()

    @router.get("/c/{token}/history")
    async def for_contact(request: Request, token: str) -> Response:
        """What the association answered in the round of this link, without the names of those who answered."""
        invited = await find_invited(token)
        if invited is None or not invited.takes_answers(clock.now()):
            return pages_of(request).page(request, "link_gone.html", status=HTTPStatus.NOT_FOUND)
        query = f"?lang={request.state.locale}" if "lang" in request.query_params else ""
        if not query:
            request.state.locale = locale_or(invited.language)
        found = await store.of_round(invited.association_id, invited.asked.round_id, realm=invited.asked.realm)
        return pages_of(request).page(
            request,
            "history.html",
            realm=invited.asked.realm,
            association=invited.association_name,
            answers=[_for_contact(request, one, found=found, reader=invited.contact_id) for one in found.answers],
            count=found.count,
            back=f"/c/{token}{query}",
        )

    @router.get("/registry/{association_id}/answers")
    async def for_staff(request: Request, staff: Reader, association_id: str) -> Response:
        """All that the association answered, with the names of those who did."""
        owner = await _owner(store, association_id)
        if owner is None or not staff.sees(owner.municipality, owner.networks):
            raise TroubleError(HTTPStatus.NOT_FOUND, N_("There is no such association in the registry."))
        realm, number = _asked(request, owner)
        found = await store.of_association(owner.association_id, realm=realm, page=number)
        return pages_of(request).page(
            request,
            "answers.html",
            realm=realm,
            owner=owner,
            answers=[_for_staff(request, one, found=found, owner=owner) for one in found.answers],
            count=found.count,
            page=number,
            pages=max(1, -(-found.count // PAGE)),
            href=f"/registry/{owner.association_id}/answers?realm={realm}&page={{page}}",
            elsewhere=sorted({LIVE, *owner.realms} - {realm}),
        )

    return router


async def _owner(store: HistoryStore, association_id: str) -> Owner | None:
    try:
        return await store.owner(UUID(association_id))
    except ValueError:
        return None


def _asked(request: Request, owner: Owner) -> tuple[Realm, int]:
    """The realm and the page that the address asks for."""
    realm, page = request.query_params.get("realm", ""), request.query_params.get("page", "")
    number = max(1, int(page)) if page.isdecimal() and len(page) < 7 else 1
    return (Realm(realm) if realm in owner.realms else LIVE), number


def _for_contact(request: Request, past: Past, *, found: History, reader: UUID | None) -> dict[str, Any]:
    _ = texts(request.state.locale)
    return {
        **_told(request, past, found=found),
        "way": _(way(past.checkin, reader)),
        "entered": _("entered by the council's office") if past.checkin.entered_by else "",
    }


def _for_staff(request: Request, past: Past, *, found: History, owner: Owner) -> dict[str, Any]:
    locale: Locale = request.state.locale
    _ = texts(locale)
    entered = _("entered by %(name)s") % {"name": past.clerk or _("the council's office")}
    return {
        **_told(request, past, found=found),
        "way": _(CHANNEL_LABELS[past.checkin.channel]),
        "entered": ", ".join(filter(None, (past.contact, entered if past.checkin.entered_by else ""))),
        "situation": past.names.get(locale.lang) or past.names.get(Locale.FI.value, ""),
        "doubted": past.checkin.said.plan is False and owner.plan in {Plan.DRAFT, Plan.MADE},
    }


def _told(request: Request, past: Past, *, found: History) -> dict[str, Any]:
    """What the template shows of one answer, to whomever."""
    locale: Locale = request.state.locale
    said = past.checkin.said
    return {
        "at": past.checkin.reported_at,
        "status": said.status.value,
        "answer": texts(locale)(STATUS_LABELS[said.status]),
        "until": said.until,
        "offers": in_words(said.offers, locale),
        "needs": in_words(said.needs, locale),
        "plan": said.plan,
        "note": said.note,
        "contradicts": past.checkin.checkin_id in found.contradicting,
    }
