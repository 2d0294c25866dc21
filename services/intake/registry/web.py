"""Registry pages: looking up associations and those who answer for them."""

from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from services.intake.registry.filter_form import CONTACT_STATES, PLANS, filters, page_number
from services.intake.registry.model import ProposalKind, Wanted, network_name
from services.intake.registry.store import PAGE, RegistryStore
from shared import region
from shared.i18n import N_, Locale
from shared.identity import Role, Staff, requires
from shared.web import TroubleError, pages_of

Reader = Annotated[Staff, Depends(requires(Role.LIAISON, Role.CLERK, Role.ADMINISTRATOR))]

PROPOSALS = {
    ProposalKind.LEAVES: N_("does not answer for this association any more."),
    ProposalKind.ADDRESS: N_("asks for another address:"),
}


def pages(store: RegistryStore) -> APIRouter:
    """The registry."""
    router = APIRouter(prefix="/registry")

    @router.get("")
    async def listing(request: Request, staff: Reader) -> Response:
        """The associations that are looked for, by name."""
        locale: Locale = request.state.locale
        wanted, number = Wanted.asked(request.query_params, staff=staff), page_number(request.query_params)
        found = await store.find(wanted, page=number)
        return pages_of(request).page(
            request,
            "registry.html",
            found=found,
            wanted=wanted,
            page=number,
            pages=max(1, -(-found.count // PAGE)),
            href=f"/registry?{urlencode([*wanted.query.items(), ('page', '')])}{{page}}",
            filters=filters(locale, await store.networks()),
            names=region.names(locale),
            proposals=await store.proposed(staff),
            may_edit=staff.may(Role.CLERK, Role.ADMINISTRATOR),
            may_export=staff.may(Role.CLERK, Role.ADMINISTRATOR),
            query=urlencode(wanted.query),
            may_import=staff.may(Role.ADMINISTRATOR),
        )

    @router.get("/proposals")
    async def proposals(request: Request, staff: Reader) -> Response:
        """What contacts have proposed, oldest first."""
        number = page_number(request.query_params)
        found, count = await store.proposals(staff=staff, page=number)
        return pages_of(request).page(
            request,
            "proposals.html",
            found=found,
            count=count,
            page=number,
            pages=max(1, -(-count // PAGE)),
            kinds=PROPOSALS,
            names=region.names(request.state.locale),
        )

    _one(router, store)
    return router


def _one(router: APIRouter, store: RegistryStore) -> None:
    """A single association."""

    @router.get("/{association_id}")
    async def one(request: Request, staff: Reader, association_id: str) -> Response:
        """An association and its contacts."""
        record = await store.record(_uuid(association_id), staff=staff)
        if record is None:
            raise TroubleError(HTTPStatus.NOT_FOUND, N_("There is no such association in the registry."))
        locale: Locale = request.state.locale
        networks = {network.code: network_name(network.names, locale) for network in await store.networks()}
        into = record.association.merged_into
        return pages_of(request).page(
            request,
            "association.html",
            record=record,
            association=record.association,
            contacts=record.contacts,
            contact_names={contact.id: contact.name for contact in record.contacts},
            merged_into=await store.get(into) if into else None,
            network_names=[networks.get(code, code) for code in record.networks],
            names=region.names(locale),
            languages_by_code={one.value: one.own_name for one in Locale},
            contact_states=CONTACT_STATES,
            plans=PLANS,
            proposal_kinds=PROPOSALS,
            may_edit=staff.may(Role.CLERK, Role.ADMINISTRATOR),
        )


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise TroubleError(HTTPStatus.NOT_FOUND, N_("There is no such association in the registry.")) from None
