"""Guard: what every request meets before any page."""

from collections.abc import AsyncIterator

import pytest
from httpx import ASGITransport, AsyncClient
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from shared.guard import BODY_LIMIT, BodyTooLargeError, Guard, from_other_site
from shared.i18n import Locale, preferred


async def echo(request: Request) -> PlainTextResponse:
    try:
        body = await request.body()
    except BodyTooLargeError:
        return PlainTextResponse("too large", 413)
    return PlainTextResponse(f"{request.state.locale}:{len(body)}")


@pytest.fixture
async def client() -> AsyncIterator[AsyncClient]:
    app = Guard(
        Starlette(routes=[Route("/page", echo, methods=["GET", "POST"]), Route("/s/one-click", echo, methods=["POST"])])
    )
    async with AsyncClient(transport=ASGITransport(app=app), base_url="http://valmius.example.org") as http:
        yield http


async def test_head_is_answered_like_get_without_a_body(client: AsyncClient) -> None:
    answer = await client.head("/page")

    assert (answer.status_code, answer.content) == (200, b"")


async def test_nothing_is_kept_framed_or_told_to_others(client: AsyncClient) -> None:
    headers = (await client.get("/page")).headers

    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]


@pytest.mark.parametrize(
    "headers", [{"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}, {"origin": "https://evil.example"}]
)
async def test_a_post_from_another_site_is_refused(client: AsyncClient, headers: dict[str, str]) -> None:
    assert (await client.post("/page", headers=headers)).status_code == 403


@pytest.mark.parametrize("headers", [{}, {"sec-fetch-site": "same-origin"}, {"origin": "http://valmius.example.org"}])
async def test_a_post_from_our_own_page_passes(client: AsyncClient, headers: dict[str, str]) -> None:
    assert (await client.post("/page", headers=headers)).status_code == 200


async def test_one_click_unsubscribe_is_open_to_mail_programs_anywhere(client: AsyncClient) -> None:
    assert (await client.post("/s/one-click", headers={"sec-fetch-site": "cross-site"})).status_code == 200


async def test_a_body_over_the_limit_is_refused_whether_it_says_its_length_or_not(client: AsyncClient) -> None:
    async def in_pieces() -> AsyncIterator[bytes]:
        for _ in range(BODY_LIMIT // 1000 + 1):
            yield b"x" * 1000

    assert (await client.post("/page", content=b"x" * (BODY_LIMIT + 1))).status_code == 413
    assert (await client.post("/page", content=in_pieces())).status_code == 413


@pytest.mark.parametrize(
    ("query", "headers", "locale"),
    [
        ("?lang=sv", {"accept-language": "fi"}, "sv"),
        ("?lang=fi%40selko", {}, "fi@selko"),
        ("", {"cookie": "language=en", "accept-language": "sv"}, "en"),
        ("", {"accept-language": "de, sv;q=0.8, en;q=0.4"}, "sv"),
        ("", {"accept-language": "de"}, "fi"),
        ("?lang=xx", {}, "fi"),
    ],
)
async def test_the_language_is_the_readers(
    client: AsyncClient, query: str, headers: dict[str, str], locale: str
) -> None:
    assert (await client.get(f"/page{query}", headers=headers)).text == f"{locale}:0"


BEARER = {"authorization": "Bearer x", "sec-fetch-site": "cross-site"}


@pytest.mark.parametrize(
    ("path", "headers", "refused"),
    [
        ("/api/v1/rounds", BEARER, False),
        ("/api/v1/rounds", {**BEARER, "cookie": "valmius=x"}, True),
        ("/api/v1/rounds", {**BEARER, "authorization": "Basic x"}, True),
        ("/api/v1/rounds", {"sec-fetch-site": "cross-site"}, True),
        ("/page", BEARER, True),
        ("/apiary", BEARER, True),
    ],
)
def test_another_site_may_ask_the_api_with_a_key_and_without_cookies(
    path: str, headers: dict[str, str], refused: bool
) -> None:
    assert from_other_site("POST", path, Headers(headers)) is refused


@given(st.text(max_size=200))
def test_any_accept_language_gives_a_language(header: str) -> None:
    assert preferred(header) in Locale


@given(st.sampled_from(["GET", "HEAD"]), st.text(max_size=20))
def test_looking_is_never_refused(method: str, site: str) -> None:
    headers = Headers({"sec-fetch-site": site.encode("ascii", "ignore").decode()})

    assert not from_other_site(method, "/page", headers)
