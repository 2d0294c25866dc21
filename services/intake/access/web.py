"""Access pages: sign-in by a link in a letter, bound to the asking browser; sign-out; one's own page."""

import re
from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from limits import RateLimitItemPerHour, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.responses import RedirectResponse, Response

from services.intake.access.model import LINK_VALID, browser_family, email_key, local_path
from services.intake.access.store import AccessStore
from shared import region
from shared.i18n import N_, Locale, locale_or, texts
from shared.identity import Sessions, Staff, requires
from shared.ids import digest, new_token
from shared.rate_limit import RateLimit
from shared.web import ROLE_NAMES, TroubleError, pages_of

PER_ADDRESS = RateLimitItemPerHour(5)
PER_CLIENT = RateLimitItemPerHour(30)
TRIES_PER_CLIENT = RateLimitItemPerMinute(60)
EMAIL_LIMIT = 254
COOKIE_MARGIN = 300
"""Seconds for which the browser remembers that it asked, beyond the link's own time."""

AnyStaff = Annotated[Staff, Depends(requires())]

SAID = {"saved": N_("Saved."), "ended": N_("Signed out there.")}

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


def pages(store: AccessStore, sessions: Sessions, *, secure: bool) -> APIRouter:
    """Sign-in and sign-out."""
    router = APIRouter()
    by_client = RateLimit(PER_CLIENT)
    by_address = MovingWindowRateLimiter(MemoryStorage())
    cookie = BrowserCookie(secure=secure)

    @router.get("/sign-in")
    async def ask(request: Request, said: str = "") -> Response:
        """The form for one's address."""
        return pages_of(request).page(
            request, "sign_in.html", email="", next=request.query_params.get("next", ""), error="", said=said
        )

    @router.post("/sign-in")
    async def send(request: Request) -> Response:
        """Send the link, if there is anybody to send it to; the answer does not tell."""
        async with request.form() as form:
            email, next_path = str(form.get("email", "")).strip(), str(form.get("next", ""))
        if "@" not in email or len(email) > EMAIL_LIMIT or not email.isprintable():
            error = N_("Write your email address, for example name@example.org.")
            return pages_of(request).page(
                request, "sign_in.html", status=422, email=email, next=next_path, error=error, said=""
            )
        browser = cookie.read(request) or new_token()
        by_client.count(client_of(request))
        if by_address.hit(PER_ADDRESS, digest(email_key(email)).hex()):  # else the same answer: it must not tell
            await store.ask_link(email, browser=browser, next_path=local_path(next_path))
        response = pages_of(request).page(request, "sign_in_sent.html")
        cookie.give(response, browser)
        return response

    _add_entering(router, store, sessions, cookie)
    _add_leaving(router, store, sessions)
    router.routes.extend(_own(store).routes)
    return router


def _add_entering(router: APIRouter, store: AccessStore, sessions: Sessions, cookie: "BrowserCookie") -> None:
    tries = RateLimit(TRIES_PER_CLIENT)

    @router.get("/sign-in/{token}")
    async def confirm(request: Request, token: str) -> Response:  # noqa: ARG001 - the path's name for it
        """One button: mail scanners open every link, so opening must not use it."""
        return pages_of(request).page(request, "sign_in_confirm.html")

    @router.post("/sign-in/{token}")
    async def enter(request: Request, token: str) -> Response:
        """Use the link. A refusal has no reason, so that nobody learns from it."""
        tries.count(client_of(request))
        family = browser_family(request.headers.get("user-agent", ""))
        signed_in = await store.sign_in(token, browser=cookie.read(request), family=family)
        if signed_in is None:
            request.state.home = "/sign-in"
            return pages_of(request).page(request, "sign_in_refused.html", status=HTTPStatus.FORBIDDEN)
        response = RedirectResponse(signed_in.next_path, status_code=303)
        staff = Staff(
            session_id=signed_in.session_id,
            person_id=signed_in.person_id,
            roles=signed_in.roles,
            valid_until=signed_in.valid_until,
            municipalities=signed_in.municipalities,
            networks=signed_in.networks,
        )
        sessions.sign_in(response, staff)
        cookie.take(response)
        return response


def _add_leaving(router: APIRouter, store: AccessStore, sessions: Sessions) -> None:
    @router.post("/sign-out")
    async def leave(request: Request) -> Response:
        """End the session here, in every service, and in any copy of the cookie."""
        staff = await sessions.who(request)
        if staff is not None:
            await store.sign_out(staff.session_id, person_id=staff.person_id)
            await sessions.end(staff.session_id, staff.valid_until)
        response = RedirectResponse("/sign-in?said=out", status_code=303)
        sessions.sign_out(response)
        return response


def _own(store: AccessStore) -> APIRouter:
    router = APIRouter(prefix="/me")

    @router.get("")
    async def me(request: Request, staff: AnyStaff, said: str = "") -> Response:
        """Who one is here, and where one is signed in."""
        return await _own_page(request, store, staff, said=said)

    @router.post("/language")
    async def speak(request: Request, staff: AnyStaff) -> Response:
        """Get letters in another language; the pages follow."""
        async with request.form() as form:
            language = locale_or(str(form.get("language", "")), request.state.locale)
        await store.speak(staff.person_id, language.value)
        return RedirectResponse(f"/me?said=saved&{urlencode({'lang': language.value})}", status_code=303)

    @router.post("/sessions/end-others")
    async def end_others(staff: AnyStaff) -> Response:
        """Sign out everywhere else."""
        await store.end_sessions(staff.person_id, by=staff.person_id, but=staff.session_id)
        return RedirectResponse("/me?said=ended", status_code=303)

    @router.post("/sessions/{session_id}/end")
    async def end_one(staff: AnyStaff, session_id: UUID) -> Response:
        """Sign out in one other place. A session of somebody else is not found, whoever guesses its id."""
        await store.end_sessions(staff.person_id, by=staff.person_id, only=session_id)
        return RedirectResponse("/me?said=ended", status_code=303)

    return router


async def _own_page(request: Request, store: AccessStore, staff: Staff, *, said: str) -> Response:
    locale: Locale = request.state.locale
    entry = await store.person(staff.person_id)
    if entry is None:
        raise TroubleError(HTTPStatus.NOT_FOUND, N_("There is no such person here."))
    return pages_of(request).page(
        request,
        "me.html",
        entry=entry,
        roles=[texts(locale)(ROLE_NAMES[role]) for role in sorted(entry.roles)],
        places=[region.municipality(code).name(locale) for code in sorted(entry.municipalities)],
        networks=sorted(entry.networks),
        sessions=await store.sessions_of(staff.person_id),
        here=staff.session_id,
        said=SAID.get(said, ""),
        own_languages=[(one.value, one.own_name) for one in Locale],
    )


def client_of(request: Request) -> str:
    """Whose requests are counted together."""
    return request.client.host if request.client else "-"


class BrowserCookie:
    """What binds a link to the browser that asked for it."""

    def __init__(self, *, secure: bool) -> None:
        self._secure = secure
        self.name = "__Host-valmius-asked" if secure else "valmius-asked"

    def read(self, request: Request) -> str:
        """The browser's own random text; empty if it has none, or one that we did not give."""
        value = request.cookies.get(self.name, "")
        return value if _TOKEN.fullmatch(value) else ""

    def give(self, response: Response, value: str) -> None:
        """Have the browser keep it. One that asks again keeps its own, so that the earlier link still opens."""
        age = int(LINK_VALID.total_seconds()) + COOKIE_MARGIN
        response.set_cookie(self.name, value, max_age=age, path="/", secure=self._secure, httponly=True, samesite="lax")

    def take(self, response: Response) -> None:
        """Have the browser forget it."""
        response.delete_cookie(self.name, path="/", secure=self._secure, httponly=True, samesite="lax")
