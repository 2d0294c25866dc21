"""Web frame: pages in the reader's language, and errors that say what happened and what to do."""

from collections.abc import AsyncIterator
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated

import pytest
from fastapi import Depends, FastAPI, Form, Request
from httpx import ASGITransport, AsyncClient
from starlette.responses import Response

from shared.db import Database
from shared.i18n import N_
from shared.identity import Role, Sessions, Staff, requires
from shared.ids import new_id
from shared.plumbing import Plumbing
from shared.settings import Settings
from shared.web import Pages, TroubleError, make_web
from tests.fakes import FakeClock


@pytest.fixture
async def app(settings: Settings, clock: FakeClock) -> AsyncIterator[FastAPI]:
    database = Database(settings.database_of("web"))
    await database.create_tables(Plumbing.metadata)
    sessions = Sessions("s" * 40, database=database, clock=clock, secure=False)
    made = make_web(settings, pages=Pages(settings), sessions=sessions)

    @made.get("/trouble")
    async def trouble() -> Response:
        raise TroubleError(HTTPStatus.CONFLICT, N_("There is nothing at this address."), what_next=N_("Discard"))

    @made.get("/broken")
    async def broken() -> Response:
        raise RuntimeError("a secret of the inside")

    @made.post("/form")
    async def form(number: Annotated[int, Form()]) -> Response:
        return Response(str(number))

    @made.get("/desk", dependencies=[Depends(requires(Role.LIAISON))])
    async def desk(request: Request) -> Response:
        return made.state.pages.page(request, "desk.html", status=200)  # type: ignore[no-any-return]

    yield made
    await database.close()


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[AsyncClient]:
    transport = ASGITransport(app=app, raise_app_exceptions=False)
    async with AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as http:
        yield http


def signed_in(app: FastAPI, client: AsyncClient, clock: FakeClock, *roles: Role) -> None:
    sessions: Sessions = app.state.sessions
    response = Response()
    until = clock.now() + timedelta(hours=1)
    sessions.sign_in(response, Staff(new_id(), new_id(), frozenset(roles), until))
    name, _, value = response.headers["set-cookie"].split(";")[0].partition("=")
    client.cookies.set(name, value.strip('"'))


@pytest.mark.parametrize(
    ("lang", "words"),
    [("fi", "Sivua ei löytynyt"), ("sv", "Sidan hittades inte"), ("en", "The page was not found")],
)
async def test_a_missing_page_says_so_in_the_readers_language(client: AsyncClient, lang: str, words: str) -> None:
    answer = await client.get("/nothing-here", headers={"accept-language": lang})

    assert answer.status_code == 404
    assert words in answer.text
    assert answer.headers["content-language"] == lang


async def test_a_fault_of_ours_shows_nothing_of_the_inside_and_keeps_the_headers(client: AsyncClient) -> None:
    answer = await client.get("/broken", headers={"accept-language": "en"})

    assert answer.status_code == 500
    assert "a secret of the inside" not in answer.text
    assert "The fault is ours" in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


async def test_trouble_is_told_with_what_to_do_next(client: AsyncClient) -> None:
    answer = await client.get("/trouble?lang=fi")

    assert answer.status_code == 409
    assert "Tässä osoitteessa ei ole mitään." in answer.text
    assert "Hylkää" in answer.text


async def test_an_unreadable_form_is_a_page_and_no_json(client: AsyncClient) -> None:
    answer = await client.post("/form", data={"number": "many"}, headers={"accept-language": "en"})

    assert answer.status_code == 422
    assert answer.headers["content-type"].startswith("text/html")
    assert "Nothing was changed" in answer.text


async def test_nobody_is_led_to_sign_in_and_back(client: AsyncClient) -> None:
    answer = await client.get("/desk")

    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=/desk")


async def test_the_wrong_role_is_told_so(app: FastAPI, client: AsyncClient, clock: FakeClock) -> None:
    signed_in(app, client, clock, Role.EDITOR)

    answer = await client.get("/desk?lang=en")

    assert answer.status_code == 403
    assert "Your role does not include this page." in answer.text


async def test_the_desk_remembers_the_language_that_was_chosen(
    app: FastAPI, client: AsyncClient, clock: FakeClock
) -> None:
    signed_in(app, client, clock, Role.LIAISON)

    first = await client.get("/desk?lang=sv")
    second = await client.get("/desk")

    assert "language=sv" in first.headers["set-cookie"]
    assert 'lang="sv"' in second.text


async def test_a_public_page_sets_no_cookie(client: AsyncClient) -> None:
    assert "set-cookie" not in (await client.get("/nothing?lang=sv")).headers


async def test_static_files_are_found_under_an_address_that_changes_with_them(client: AsyncClient) -> None:
    page = (await client.get("/nothing")).text
    address = page.split('rel="stylesheet" href="')[1].split('"')[0]

    answer = await client.get(address)

    assert answer.status_code == 200
    assert "immutable" in answer.headers["cache-control"]


async def test_no_page_describes_the_inside(client: AsyncClient, app: FastAPI) -> None:
    answers = [await client.get(path) for path in ("/docs", "/redoc", "/openapi.json", "/asyncapi", "/asyncapi/try")]

    assert {answer.status_code for answer in answers} == {404}
    assert not [route for route in app.routes if "try" in getattr(route, "path", "")]


def test_settings_of_a_secure_site_say_so(settings: Settings) -> None:
    secure = settings.model_copy(update={"public_url": "https://valmius.example.org"})

    assert secure.secure
    assert not settings.secure
