"""Access pages: sign-in by a link in a letter, bound to the asking browser; sign-out."""

import re
from http import HTTPStatus

from fastapi import APIRouter, Request
from limits import RateLimitItemPerHour
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.responses import RedirectResponse, Response

from services.intake.access.model import LINK_VALID, email_key, local_path
from services.intake.access.store import AccessStore
from shared.i18n import N_
from shared.identity import Sessions, Staff
from shared.ids import digest, new_token
from shared.web import pages_of

PER_ADDRESS = RateLimitItemPerHour(5)
PER_CLIENT = RateLimitItemPerHour(30)
EMAIL_LIMIT = 254
COOKIE_MARGIN = 300
"""Seconds for which the browser remembers that it asked, beyond the link's own time."""

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


def pages(store: AccessStore, sessions: Sessions, *, secure: bool) -> APIRouter:
    """Sign-in and sign-out."""
    router = APIRouter()
    limits = Limits()
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
        if limits.allow(email, client=request.client.host if request.client else "-"):
            await store.ask_link(email, browser=browser, next_path=local_path(next_path))
        response = pages_of(request).page(request, "sign_in_sent.html")
        cookie.give(response, browser)
        return response

    _add_entering(router, store, sessions, cookie)
    _add_leaving(router, store, sessions)
    return router


def _add_entering(router: APIRouter, store: AccessStore, sessions: Sessions, cookie: "BrowserCookie") -> None:
    @router.get("/sign-in/{token}")
    async def confirm(request: Request, token: str) -> Response:  # noqa: ARG001 - the path's name for it
        """One button: mail scanners open every link, so opening must not use it."""
        return pages_of(request).page(request, "sign_in_confirm.html")

    @router.post("/sign-in/{token}")
    async def enter(request: Request, token: str) -> Response:
        """Use the link. A refusal has no reason, so that nobody learns from it."""
        signed_in = await store.sign_in(token, browser=cookie.read(request))
        if signed_in is None:
            return pages_of(request).page(request, "sign_in_refused.html", status=HTTPStatus.FORBIDDEN)
        response = RedirectResponse(signed_in.next_path, status_code=303)
        staff = Staff(
            session_id=signed_in.session_id,
            person_id=signed_in.person_id,
            roles=signed_in.roles,
            valid_until=signed_in.valid_until,
            municipalities=signed_in.municipalities,
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


class Limits:
    """How often a link may be asked for. Kept in memory, so it is per process; addresses only as their digest."""

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def allow(self, email: str, *, client: str) -> bool:
        """True, and counted, while both the address and the client are under their limits."""
        by_client = self._limiter.hit(PER_CLIENT, "client", client)
        return by_client and self._limiter.hit(PER_ADDRESS, "address", digest(email_key(email)).hex())


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
