"""Registry pages: looking up associations and those who answer for them."""

from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from services.intake.registry.model import ContactState
from services.intake.registry.store import PAGE, RegistryStore, Wanted
from shared import region
from shared.i18n import N_, Locale, texts
from shared.identity import Role, Staff, requires
from shared.web import TroubleError, pages_of

Reader = Annotated[Staff, Depends(requires(Role.LIAISON, Role.CLERK, Role.ADMINISTRATOR))]

CONTACT_STATES = {
    ContactState.UNCONFIRMED: N_("not confirmed yet"),
    ContactState.CONFIRMED: N_("confirmed"),
    ContactState.FAILED: N_("the last letter did not arrive"),
}


def pages(store: RegistryStore) -> APIRouter:
    """The registry."""
    router = APIRouter(prefix="/registry")

    @router.get("")
    async def listing(request: Request, staff: Reader) -> Response:
        """The associations that are looked for, by name."""
        wanted, number = _wanted(request, staff)
        found = await store.find(wanted, page=number)
        query = urlencode({"q": wanted.text, "municipality": wanted.municipality, "sector": wanted.sector})
        return pages_of(request).page(
            request,
            "registry.html",
            found=found,
            wanted=wanted,
            page=number,
            pages=max(1, -(-found.count // PAGE)),
            href=f"/registry?{query}&page={{page}}",
            municipalities=_named(request, region.MUNICIPALITIES, N_("Whole region")),
            sectors=_named(request, region.SECTORS, N_("All sectors")),
            names=_names(request),
            query=query,
            may_export=staff.may(Role.CLERK, Role.ADMINISTRATOR),
            may_import=staff.may(Role.ADMINISTRATOR),
        )

    @router.get("/{association_id}")
    async def one(request: Request, staff: Reader, association_id: str) -> Response:
        """An association and its contacts."""
        found = await store.get(_uuid(association_id))
        if found is None or (staff.municipalities and found[0].municipality not in staff.municipalities):
            raise TroubleError(HTTPStatus.NOT_FOUND, N_("There is no such association in the registry."))
        association, contacts = found
        languages = {locale.value: locale.own_name for locale in Locale}
        return pages_of(request).page(
            request,
            "association.html",
            association=association,
            contacts=contacts,
            names=_names(request),
            languages_by_code=languages,
            contact_states=CONTACT_STATES,
        )

    return router


def _wanted(request: Request, staff: Staff) -> tuple[Wanted, int]:
    """What the address asks for, and the number of the page."""
    asked = request.query_params
    wanted = Wanted(
        text=asked.get("q", "")[:200].replace("\0", ""),
        municipality=asked.get("municipality", "").replace("\0", ""),
        sector=asked.get("sector", "").replace("\0", ""),
        within=staff.municipalities,
    )
    page = asked.get("page", "")
    return wanted, max(1, int(page)) if page.isdecimal() and len(page) < 7 else 1


def _named(request: Request, things: tuple[region.Named, ...], everything: str) -> list[tuple[str, str]]:
    """The options of a select: all, then each by its name in the reader's language."""
    locale: Locale = request.state.locale
    return [("", texts(locale)(everything)), *((thing.code, thing.name(locale)) for thing in things)]


def _names(request: Request) -> dict[str, str]:
    """Names of municipalities and sectors by code, in the reader's language."""
    locale: Locale = request.state.locale
    return {thing.code: thing.name(locale) for thing in (*region.MUNICIPALITIES, *region.SECTORS)}


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise TroubleError(HTTPStatus.NOT_FOUND, N_("There is no such association in the registry.")) from None
