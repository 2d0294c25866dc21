"""Networks pages: groups of associations, named in three languages, and who belongs to them."""

from collections.abc import Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from services.intake.networks.model import LANGUAGES, Group, in_order, may_be_below
from services.intake.networks.store import NetworkStore
from services.intake.registry.filter_form import filters, page_number
from services.intake.registry.model import Wanted, network_name
from services.intake.registry.store import PAGE, Network, RegistryStore
from shared import region
from shared.form_errors import errors_in
from shared.i18n import N_, Locale, texts
from shared.identity import Role, Staff, requires
from shared.web import TroubleError, pages_of

Administrator = Annotated[Staff, Depends(requires(Role.ADMINISTRATOR))]


def pages(registry: RegistryStore, store: NetworkStore) -> APIRouter:
    """The networks of the register."""
    router = APIRouter(prefix="/registry/networks")

    @router.get("")
    async def listing(request: Request, _staff: Administrator) -> Response:
        """All networks, each below the one that it is a part of, and a form for a new one."""
        return await _list_page(request, registry, store, Group({}), flaws={})

    @router.post("")
    async def add(request: Request, staff: Administrator) -> Response:
        """Make a network."""
        group = await _sent(request)
        if group.flaws:
            return await _list_page(request, registry, store, group, flaws=group.flaws)
        code = await store.add(group, by=staff.person_id)
        return RedirectResponse(f"/registry/networks/{code}", status_code=303)

    @router.get("/{code}")
    async def one(request: Request, staff: Administrator, code: str) -> Response:
        """A network's names and its members."""
        present = _network(await registry.networks(), code)
        return await _network_page(request, registry, staff, present=present, group=_group_of(present))

    @router.post("/{code}")
    async def save(request: Request, staff: Administrator, code: str) -> Response:
        """Save names, parent and whether it is retired."""
        group, present = await _sent(request), _network(await registry.networks(), code)
        if group.flaws:
            return await _network_page(request, registry, staff, present=present, group=group)
        await store.save(code, group, by=staff.person_id)
        return RedirectResponse(f"/registry/networks/{code}", status_code=303)

    _members(router, registry, store)

    return router


def _members(router: APIRouter, registry: RegistryStore, store: NetworkStore) -> None:
    """Who belongs to a network."""

    @router.get("/{code}/add")
    async def choose(request: Request, staff: Administrator, code: str) -> Response:
        """Find associations that shall belong to the network."""
        locale: Locale = request.state.locale
        networks = await registry.networks()
        network, number = _network(networks, code), page_number(request.query_params)
        wanted = replace(Wanted.asked(request.query_params, staff=staff), retired="")
        found = await registry.find(wanted, page=number)
        query = urlencode([*wanted.query.items(), ("page", "")])
        return pages_of(request).page(
            request,
            "network_add.html",
            network=network,
            name=network_name(network.names, locale),
            members=await store.members(code, [one.id for one in found.associations]),
            found=found,
            wanted=wanted,
            page=number,
            pages=max(1, -(-found.count // PAGE)),
            href=f"/registry/networks/{code}/add?{query}{{page}}",
            filters=filters(locale, networks),
            names=region.names(locale),
        )

    @router.post("/{code}/add")
    async def add_members(request: Request, staff: Administrator, code: str) -> Response:
        """Add the chosen ones, or all that were shown."""
        _network(await registry.networks(), code)
        async with request.form() as form:
            ids = _ids(form, "shown" if "all" in form else "association")
        await store.add_members(code, ids, staff=staff)
        return RedirectResponse(f"/registry/networks/{code}", status_code=303)

    @router.post("/{code}/remove")
    async def remove_members(request: Request, staff: Administrator, code: str) -> Response:
        """Take the chosen ones out of the network."""
        _network(await registry.networks(), code)
        async with request.form() as form:
            ids = _ids(form, "association")
        await store.remove_members(code, ids, staff=staff)
        return RedirectResponse(f"/registry/networks/{code}", status_code=303)


async def _list_page(
    request: Request, registry: RegistryStore, store: NetworkStore, group: Group, *, flaws: dict[str, str]
) -> Response:
    locale: Locale = request.state.locale
    networks = await registry.networks()
    names = {one.code: network_name(one.names, locale) for one in networks}
    order = in_order({one.code: one.parent for one in networks}, names)
    by_code = {one.code: one for one in networks}
    return _page(
        request,
        "networks.html",
        group,
        flaws,
        rows=[(by_code[code], names[code], depth) for code, depth in order],
        counts=await store.counts(),
        parents=_parent_options(networks, set(by_code), locale),
    )


async def _network_page(
    request: Request, registry: RegistryStore, staff: Staff, *, present: Network, group: Group
) -> Response:
    locale: Locale = request.state.locale
    networks, number = await registry.networks(), page_number(request.query_params)
    wanted = Wanted(network=present.code, retired="all", within=staff.municipalities, of=staff.networks)
    found = await registry.find(wanted, page=number)
    free = may_be_below(present.code, {one.code: one.parent for one in networks})
    return _page(
        request,
        "network.html",
        group,
        group.flaws if request.method == "POST" else {},
        network=present,
        name=network_name(present.names, locale),
        parents=_parent_options(networks, free, locale),
        found=found,
        page=number,
        pages=max(1, -(-found.count // PAGE)),
        names=region.names(locale),
    )


def _network(networks: Sequence[Network], code: str) -> Network:
    found = next((one for one in networks if one.code == code), None)
    if found is None:
        raise TroubleError(HTTPStatus.NOT_FOUND, N_("There is no such network in the registry."))
    return found


def _group_of(network: Network) -> Group:
    return Group(dict(network.names), network.parent or "", network.retired)


async def _sent(request: Request) -> Group:
    async with request.form() as form:
        written = {one.value: " ".join(str(form.get(f"name_{one}", "")).split()).replace("\0", "") for one in LANGUAGES}
        names = {language: name for language, name in written.items() if name}
        return Group(names, str(form.get("parent", ""))[:60].replace("\0", ""), "retired" in form)


def _ids(form: FormData, name: str) -> list[UUID]:
    """The ids that were sent, at most a page of them; what is none is passed over."""
    found = []
    for text in form.getlist(name)[:PAGE]:
        try:
            found.append(UUID(str(text)))
        except ValueError:
            continue
    return found


def _parent_options(networks: Sequence[Network], free: set[str], locale: Locale) -> list[tuple[str, str]]:
    options = [(one.code, network_name(one.names, locale)) for one in networks if one.code in free]
    return [("", texts(locale)(N_("No other"))), *sorted(options, key=lambda option: option[1].casefold())]


def _page(request: Request, template: str, group: Group, flaws: dict[str, str], **values: Any) -> Response:
    return pages_of(request).page(
        request,
        template,
        status=HTTPStatus.UNPROCESSABLE_ENTITY if flaws else HTTPStatus.OK,
        group=group,
        flaws=flaws,
        told=errors_in(flaws.items(), request.state.locale),
        **values,
    )
