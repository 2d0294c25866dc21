"""Doors: every page is either named here as public, or asks for a role. A new route without a rule fails."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi.routing import APIRoute
from httpx import ASGITransport, AsyncClient
from starlette.routing import BaseRoute, Route

from services.composition import SERVICES, Service
from shared.identity import Role
from shared.settings import Settings

PUBLIC = {
    "/": "the public page",
    "/m/{code}": "the public page of a municipality",
    "/g/{guidance_id}": "one guidance on the public page",
    "/prepare": "models and checklists for everybody",
    "/prepare/{standing_id:uuid}": "one of them",
    "/embed": "the public page in a frame of a configured site",
    "/embed.js": "the script that shows it on other sites",
    "/embed/{place}/{language}.json": "what that script shows",
    "/feeds/alerts/{identifier}.xml": "the public page as an alert, for programs",
    "/feeds/{place}/cap.xml": "the alerts of a place, for programs",
    "/feeds/{place}/{language}/{file}": "the public page of a place as a feed",
    "/c/{token}": "the answer form: its link is the capability",
    "/d/{token}": "a contact's own details: its link is the capability",
    "/c/{token}/history": "what was answered by it: the same",
    "/c/{token}/not-this-time": "the same",
    "/{service}/announced": "exercises that associations can join",
    "/{service}/announced/calendar.ics": "the same, for calendars",
    "/{service}/announced/{exercise_id:uuid}": "one of them, and signing up for it",
    "/{service}/announced/{exercise_id:uuid}/calendar.ics": "its entry for a calendar",
    "/{service}/announced/{exercise_id:uuid}/sent": "what they are told then",
    "/{service}/join/{token}": "one's own sign-up: its link is the capability",
    "/{service}/join/{token}/confirm": "the same",
    "/{service}/join/{token}/leave": "the same",
    "/sign-in": "whoever is not signed in",
    "/sign-in/{token}": "the same; its link is the capability",
    "/sign-out": "ends the session that the request carries, if any",
    "/subscribe": "residents subscribe",
    "/subscribe/sent": "what they are told then",
    "/s/{subscriber_id}/{token}": "a subscriber's own page: its link is the capability",
    "/s/{subscriber_id}/{token}/confirm": "the same",
    "/s/{subscriber_id}/{token}/one-click": "the same, for mail programs",
    "/s/{subscriber_id}/{token}/leave": "the same",
    "/s/{subscriber_id}/{token}/erase": "the same",
    "/shared/{token}": "a partner reads a report: its link is the capability",
    "/shared/{token}/report.{form}": "the same, as a file",
    "/{service}/healthz": "the supervisor",
    "/{service}/readyz": "the supervisor; names no person and no secret",
}
PARAMETER = re.compile(r"\{(\w+)(?::\w+)?\}")
ASKS_BY_ITSELF = {
    "/situations/{situation_id:uuid}/live": "a plain route: reads the session itself",
    "/exercises/{exercise_id:uuid}/live": "the same",
}


@dataclass(frozen=True)
class Door:
    """One path of one service, and the roles that it asks for (None: it asks for none)."""

    service: str
    path: str
    roles: tuple[Role, ...] | None


def doors(settings: Settings, service: Service) -> Iterator[Door]:
    """Every route of a service, also of the routers that it includes."""
    for route in flat(service.make_app(settings).routes):
        path = route.path.replace(f"/{service.name}/", "/{service}/", 1) if isinstance(route, Route) else ""
        if isinstance(route, APIRoute):
            asked = [call.required_roles for call in calls(route.dependant) if hasattr(call, "required_roles")]
            yield Door(service.name, path, asked[0] if asked else None)
        elif isinstance(route, Route):
            yield Door(service.name, path, None)


def calls(dependant: Any) -> Iterator[Any]:
    """What a route depends on, by itself or through others."""
    for dependency in dependant.dependencies:
        yield dependency.call
        yield from calls(dependency)


def flat(routes: list[BaseRoute]) -> Iterator[BaseRoute]:
    for route in routes:
        included = getattr(route, "original_router", None)
        if included is None:
            yield route
        else:
            yield from flat(included.routes)


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_every_door_is_public_by_name_or_asks_for_a_role(settings: Settings, service: Service) -> None:
    found = list(doors(settings, service))

    open_doors = {door.path for door in found if door.roles is None}

    assert len(found) >= 8
    assert open_doors - PUBLIC.keys() - ASKS_BY_ITSELF.keys() == set()


def test_no_rule_is_left_over(settings: Settings) -> None:
    present = {door.path for service in SERVICES for door in doors(settings, service)}

    assert PUBLIC.keys() | ASKS_BY_ITSELF.keys() <= present


def filled(path: str, service: str) -> str:
    """The path with something plausible for each of its parameters."""
    values = {"service": service, "letter_id": "1", "name": "x", "municipality": "834", "number": "1", "form": "csv"}
    unknown = "0199a000-0000-7000-8000-000000000001"
    return PARAMETER.sub(lambda found: values.get(found[1], unknown), path)


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
async def test_whoever_is_not_signed_in_sees_nothing_of_the_staffs(settings: Settings, service: Service) -> None:
    app = service.make_app(settings)
    transport = ASGITransport(app=app)

    async with app.router.lifespan_context(app), AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
        for door in doors(settings, service):
            if door.roles is None:
                continue
            path = filled(door.path, service.name)
            answers = [await http.get(path), await http.post(path)]

            assert {answer.status_code for answer in answers} <= {303, 405}, path
            assert any(answer.headers.get("location", "").startswith("/sign-in") for answer in answers), path
