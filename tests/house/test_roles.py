"""Roles: every door of every service tried by every role, and by keys of every scope, as the one table says."""

from collections.abc import AsyncIterator, Iterator

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from httpx import ASGITransport, AsyncClient
from starlette.responses import Response
from starlette.routing import Mount, Route

from services.composition import SERVICES, Service, service_named
from shared.events.intake import PartnerKeyChanged
from shared.identity import Role, Staff
from shared.ids import new_id
from shared.partner_keys import Scope
from shared.settings import Settings
from tests.fakes import FakeClock
from tests.house.role_table import MAY_ASK, MAY_PASS
from tests.house.test_doors import PUBLIC, filled, flat
from tests.intake.house import Intake
from tests.intake.partner.keys import make_key

PASSED = {200, 201, 303, 404, 409, 413, 422}
"""What a door answers to those whom it lets pass, with nothing sensible sent."""


def staff_doors(service: Service, settings: Settings) -> Iterator[tuple[str, str]]:
    """Method and path of every route that is not public."""
    for route in flat(service.make_app(settings).routes):
        if isinstance(route, APIRoute | Route):
            path = route.path.replace(f"/{service.name}/", "/{service}/", 1)
            if path not in PUBLIC:
                yield from ((method, path) for method in sorted((route.methods or set()) - {"HEAD"}))


def api_doors(settings: Settings, service: Service) -> Iterator[tuple[str, str]]:
    """Method and path of every route of a service's mounted application."""
    for mount in service.make_app(settings).routes:
        if isinstance(mount, Mount) and isinstance(mount.app, FastAPI):
            for route in mount.app.routes:
                assert isinstance(route, Route | APIRoute)
                yield from ((method, mount.path + route.path) for method in sorted((route.methods or set()) - {"HEAD"}))


def cookie_of(app: FastAPI, clock: FakeClock, role: Role) -> dict[str, str]:
    """The session cookie of somebody with this role alone."""
    response, sessions = Response(), app.state.sessions
    until = clock.now().replace(year=clock.now().year + 1)
    sessions.sign_in(response, Staff(new_id(), new_id(), frozenset({role}), until))
    return {sessions.cookie: response.headers["set-cookie"].split("=", 1)[1].split(";", 1)[0]}


def test_every_door_of_the_staff_stands_in_the_table(settings: Settings) -> None:
    present = {f"{method} {path}" for service in SERVICES for method, path in staff_doors(service, settings)}

    assert present == MAY_PASS.keys()


def test_every_door_of_partners_stands_in_the_table(settings: Settings) -> None:
    present = {f"{method} {path}" for service in SERVICES for method, path in api_doors(settings, service)}

    assert present == MAY_ASK.keys()


@pytest.mark.slow
@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
async def test_every_role_passes_where_it_may_and_nowhere_else(
    settings: Settings, clock: FakeClock, service: Service
) -> None:
    app = service.make_app(settings, clock=clock)
    doors = list(staff_doors(service, settings))
    wrong = []

    async with app.router.lifespan_context(app):
        for role in Role:
            transport, cookies = ASGITransport(app=app), cookie_of(app, clock, role)
            async with AsyncClient(transport=transport, base_url="http://127.0.0.1", cookies=cookies) as browser:
                for method, path in doors:
                    answer = await browser.request(method, filled(path, service.name))
                    may = role in MAY_PASS[f"{method} {path}"]
                    if answer.status_code not in (PASSED if may else {403}):
                        wrong.append(f"{role} {method} {path}: {answer.status_code}")
                    if answer.headers.get("location", "").startswith("/sign-in"):
                        wrong.append(f"{role} {method} {path}: led to sign-in")

    assert wrong == []


async def test_a_key_opens_what_its_scope_names_and_nothing_else(intake: Intake, settings: Settings) -> None:
    keys = {scope: await make_key(intake, scope) for scope in Scope}
    wrong = []

    for method, path in api_doors(settings, service_named("intake")):
        wrong += [found async for found in tried(intake.browser, keys, method, path)]

    assert wrong == []


async def test_a_key_opens_the_picture_as_intake_told_of_it_and_nothing_else(
    intake: Intake, settings: Settings, clock: FakeClock
) -> None:
    keys = {scope: await make_key(intake, scope) for scope in Scope}
    app = service_named("status").make_app(settings, clock=clock)
    wrong = []

    transport = ASGITransport(app=app)
    async with app.router.lifespan_context(app), AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
        [told] = await intake.said("partner_key_changed")
        await app.state.partners.know(PartnerKeyChanged.model_validate(told))
        for method, path in api_doors(settings, service_named("status")):
            wrong += [found async for found in tried(http, keys, method, path, unknown=401)]

    assert wrong == []


async def tried(
    http: AsyncClient, keys: dict[Scope, dict[str, str]], method: str, path: str, *, unknown: int = 403
) -> AsyncIterator[str]:
    """What is wrong with a door of partners: without a key, and with one of each scope."""
    wanted = MAY_ASK[f"{method} {path}"]
    bare = await http.request(method, filled(path, "-"))
    if (bare.status_code == 401) != bool(wanted):
        yield f"no key {method} {path}: {bare.status_code}"
    for scope, key in keys.items():
        answer = await http.request(method, filled(path, "-"), headers=key)
        if answer.status_code not in (PASSED if wanted in {"", scope} else {unknown}):
            yield f"{scope} {method} {path}: {answer.status_code}"
