"""Identity: a session is believed while it is signed, young and not ended."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from starlette.requests import Request
from starlette.responses import Response

from shared.db import Database
from shared.identity import NotSignedInError, Role, Sessions, Staff
from shared.ids import new_id
from shared.plumbing import Plumbing
from shared.settings import Settings
from tests.fakes import FakeClock

SECRET = "a secret of at least thirty-two characters"


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    opened = Database(settings.database_of("status"))
    await opened.create_tables(Plumbing.metadata)
    yield opened
    await opened.close()


def sessions(database: Database, clock: FakeClock, *, secret: str = SECRET, secure: bool = False) -> Sessions:
    return Sessions(secret, database=database, clock=clock, secure=secure)


def liisa(clock: FakeClock) -> Staff:
    roles = frozenset({Role.LIAISON})
    return Staff(session_id=new_id(), person_id=new_id(), roles=roles, valid_until=clock.now() + timedelta(hours=12))


def carrying(response: Response) -> Request:
    cookie = response.headers["set-cookie"].split(";")[0]
    return Request({"type": "http", "method": "GET", "path": "/", "headers": [(b"cookie", cookie.encode())]})


async def test_another_service_believes_the_cookie(database: Database, clock: FakeClock) -> None:
    response, staff = Response(), liisa(clock)
    sessions(database, clock).sign_in(response, staff)

    assert await sessions(database, clock).who(carrying(response)) == staff


async def test_a_cookie_signed_with_another_secret_is_nobody(database: Database, clock: FakeClock) -> None:
    response = Response()
    sessions(database, clock, secret="z" * 32).sign_in(response, liisa(clock))

    assert await sessions(database, clock).who(carrying(response)) is None


async def test_a_session_ends_by_its_time(database: Database, clock: FakeClock) -> None:
    response, ours = Response(), sessions(database, clock)
    ours.sign_in(response, liisa(clock))
    clock.move(hours=12)

    assert await ours.who(carrying(response)) is None


async def test_an_ended_session_is_honoured_no_longer_even_by_a_copy(database: Database, clock: FakeClock) -> None:
    response, staff, ours = Response(), liisa(clock), sessions(database, clock)
    ours.sign_in(response, staff)

    await ours.end(staff.session_id, staff.valid_until)
    await ours.end(staff.session_id, staff.valid_until)

    assert await ours.who(carrying(response)) is None


async def test_over_https_the_cookie_is_bound_to_the_host(database: Database, clock: FakeClock) -> None:
    response = Response()
    sessions(database, clock, secure=True).sign_in(response, liisa(clock))

    cookie = response.headers["set-cookie"]
    assert cookie.startswith("__Host-")
    assert all(word in cookie for word in ("HttpOnly", "Secure", "SameSite=lax", "Path=/"))


def test_sign_in_leads_back_to_where_one_wanted_to_go() -> None:
    assert NotSignedInError("/situations?x=1&y=2").sign_in_url == "/sign-in?next=/situations%3Fx%3D1%26y%3D2"
