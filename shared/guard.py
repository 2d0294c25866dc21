"""Guard: what every request passes before any page sees it. Pure ASGI, so that streams pass untouched."""

from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from shared.i18n import Locale, locale_or, preferred
from shared.ids import new_id

LANGUAGE_COOKIE = "language"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
ONE_CLICK_END = "/one-click"
"""RFC 8058: mail programs post here from anywhere, without cookies. The only door open to other sites."""

API = "/api/"
"""What programs use, each with a key of its own."""

KIB = 1024
BODY_LIMIT = 64 * KIB
UPLOAD_LIMIT = 30 * KIB * KIB
UPLOADS = ("/registry/import",)

HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
"""What every answer carries, unless its page says otherwise."""

RAW_HEADERS = tuple((name.encode(), value.encode()) for name, value in HEADERS.items())


class BodyTooLargeError(Exception):
    """The request's body is over the limit."""


class Guard:
    """Language, correlation id, security headers, HEAD for every GET, no posts from other sites, bounded bodies."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if from_other_site(scope["method"], scope["path"], headers):
            await PlainTextResponse("Posted from another site: refused.", 403)(scope, receive, send)
            return
        limit = UPLOAD_LIMIT if scope["path"].startswith(UPLOADS) else BODY_LIMIT
        if int(headers.get("content-length") or 0) > limit:
            await PlainTextResponse(f"At most {limit // KIB} KiB may be sent here.", 413)(scope, receive, send)
            return
        inner: Scope = {**scope, "method": "GET" if scope["method"] == "HEAD" else scope["method"]}
        inner["state"] = {
            **scope.get("state", {}),
            "locale": locale_of(scope, headers),
            "bodiless": scope["method"] == "HEAD",
        }
        with bound_contextvars(correlation_id=str(new_id())):
            await self._app(inner, _bounded(receive, limit), _dressed(scope, send))


def from_other_site(method: str, path: str, headers: Headers) -> bool:
    """True for a changing request that another site's page caused (Fetch Metadata; Origin where it is not sent)."""
    if method in SAFE_METHODS or path.endswith(ONE_CLICK_END) or _by_key_alone(path, headers):
        return False
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in {"same-origin", "none"}
    origin = headers.get("origin", "null")
    return origin != "null" and urlsplit(origin).netloc != headers.get("host")


def _by_key_alone(path: str, headers: Headers) -> bool:
    """True for the API asked with a key and without cookies: nobody's browser lends its rights to such a request."""
    return path.startswith(API) and "cookie" not in headers and headers.get("authorization", "").startswith("Bearer ")


def locale_of(scope: Scope, headers: Headers) -> Locale:
    """The language asked for: by `?lang=`, else by the cookie of staff pages, else by the browser."""
    wanted = parse_qs(scope["query_string"].decode("latin-1")).get("lang", [""])[0] if scope["query_string"] else ""
    if wanted:
        return locale_or(wanted)
    said = headers.get("cookie", "")
    if LANGUAGE_COOKIE in said:
        try:
            cookies = SimpleCookie(said)
        except CookieError:
            cookies = SimpleCookie()
        if LANGUAGE_COOKIE in cookies:
            return locale_or(cookies[LANGUAGE_COOKIE].value)
    return preferred(headers.get("accept-language", ""))


def _dressed(scope: Scope, send: Send) -> Send:
    """Send with our headers, and without a body where HEAD was asked."""
    bodiless = scope["method"] == "HEAD"

    async def dressed(message: Message) -> None:
        if message["type"] == "http.response.start":
            own = list(message.get("headers", ()))
            said = {name.lower() for name, _ in own}
            message = {**message, "headers": own + [header for header in RAW_HEADERS if header[0] not in said]}
        elif bodiless and message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return dressed


def _bounded(receive: Receive, limit: int) -> Receive:
    """Receive that stops at the limit, for bodies that do not say their length."""
    taken = 0

    async def bounded() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > limit:
            raise BodyTooLargeError
        return message

    return bounded
