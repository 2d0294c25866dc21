"""Merger pages: two entries become one; an association is retired, or taken into use again. Always in two steps."""

from dataclasses import replace
from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from services.intake.merger.model import Verdict, united
from services.intake.merger.store import MergerStore, whole_of
from services.intake.registry.filter_form import filters, page_number
from services.intake.registry.model import Wanted
from services.intake.registry.store import PAGE, Record, RegistryStore
from shared import region
from shared.i18n import N_
from shared.identity import Role, Staff, requires
from shared.web import TroubleError, pages_of

Editor = Annotated[Staff, Depends(requires(Role.CLERK, Role.ADMINISTRATOR))]


def pages(registry: RegistryStore, store: MergerStore) -> APIRouter:
    """Merging and retiring."""
    router = APIRouter(prefix="/registry/{association_id:uuid}")

    @router.get("/merge")
    async def choose(request: Request, staff: Editor, association_id: UUID) -> Response:
        """Find the other one; first those of the same municipality."""
        record = await _record(registry, association_id, staff)
        asked = request.query_params or {"municipality": record.association.municipality}
        wanted, number = replace(Wanted.asked(asked, staff=staff), retired=""), page_number(request.query_params)
        found = await registry.find(wanted, page=number)
        query = urlencode([*wanted.query.items(), ("page", "")])
        return pages_of(request).page(
            request,
            "merge_choose.html",
            record=record,
            found=found,
            wanted=wanted,
            page=number,
            pages=max(1, -(-found.count // PAGE)),
            href=f"/registry/{association_id}/merge?{query}{{page}}",
            filters=filters(request.state.locale, await registry.networks()),
            names=region.names(request.state.locale),
        )

    @router.get("/merge/{other_id:uuid}")
    async def compare(request: Request, staff: Editor, association_id: UUID, other_id: UUID) -> Response:
        """The two side by side, and what merging will do."""
        pair = await _record(registry, association_id, staff), await _record(registry, other_id, staff)
        return _pair_page(request, pair)

    @router.post("/merge/{other_id:uuid}")
    async def merge(request: Request, staff: Editor, association_id: UUID, other_id: UUID) -> Response:
        """Merge them."""
        pair = await _record(registry, association_id, staff), await _record(registry, other_id, staff)
        ids = {str(one.association.id): one.association.id for one in pair}
        async with request.form() as form:
            kept = ids.get(str(form.get("keep", "")))
            versions = {own: _number(form, f"version-{own}") for own in ids.values()}
        if kept is None:
            return _pair_page(request, pair, error=N_("Choose which of the two remains. Nothing has been merged yet."))
        other = next(own for own in ids.values() if own != kept) if len(ids) == 2 else kept
        _stop_at(await store.merge(kept, other, versions=versions, by=staff.person_id))
        return RedirectResponse(f"/registry/{kept}", status_code=303)

    _retiring(router, registry, store)
    return router


def _retiring(router: APIRouter, registry: RegistryStore, store: MergerStore) -> None:
    """Out of use, and into use again."""

    @router.get("/retire")
    async def ask(request: Request, staff: Editor, association_id: UUID) -> Response:
        """What retiring, or taking into use again, will do."""
        record = await _record(registry, association_id, staff)
        return pages_of(request).page(request, "retire.html", record=record)

    @router.post("/retire")
    async def retire(request: Request, staff: Editor, association_id: UUID) -> Response:
        """Retire the association, or take it into use again."""
        await _record(registry, association_id, staff)
        async with request.form() as form:
            retired, version = form.get("retired") == "yes", _number(form, "version")
        _stop_at(await store.set_retired(association_id, retired=retired, version=version, by=staff.person_id))
        return RedirectResponse(f"/registry/{association_id}", status_code=303)


async def _record(registry: RegistryStore, association_id: UUID, staff: Staff) -> Record:
    record = await registry.record(association_id, staff=staff)
    if record is None:
        raise TroubleError(HTTPStatus.NOT_FOUND, N_("There is no such association in the registry."))
    return record


def _pair_page(request: Request, pair: tuple[Record, Record], error: str = "") -> Response:
    one, other = pair
    if one.association.id == other.association.id or one.association.retired or other.association.retired:
        raise TroubleError(HTTPStatus.CONFLICT, N_("Only two different associations that are in use can be merged."))
    return pages_of(request).page(
        request,
        "merge.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK,
        pair=pair,
        contacts=len(united(whole_of(one), whole_of(other)).whole.contacts),
        names=region.names(request.state.locale),
        error=error,
    )


def _number(form: FormData, name: str) -> int:
    text = str(form.get(name, ""))
    return int(text) if text.isdecimal() and len(text) < 10 else 0


def _stop_at(verdict: Verdict) -> None:
    if verdict in {Verdict.DONE, Verdict.SAME}:
        return
    raise TroubleError(
        HTTPStatus.CONFLICT,
        N_("Somebody else changed this meanwhile. Nothing of yours was saved yet."),
        what_next=N_("Go back, open the association again and look at it before you go on."),
    )
