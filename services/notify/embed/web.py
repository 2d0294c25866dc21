"""Pages for other sites: a frame for those that are configured, and a script with its JSON for all."""

import json
from functools import cache
from http import HTTPStatus

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.notify.embed.model import Embedded
from services.notify.feeds.addresses import LOCALES, WHOLE_REGION, Addresses
from services.notify.feeds.model import channel, known_place
from services.notify.feeds.store import Releases
from shared.caching import cached
from shared.clock import Clock
from shared.guard import HEADERS
from shared.i18n import N_, Locale
from shared.web import HERE, TroubleError, pages_of


def pages(releases: Releases, *, public_url: str, framed_by: tuple[str, ...], clock: Clock) -> APIRouter:
    """`/embed`, `/embed.js` and `/embed/<place>/<language>.json`; `framed_by` are the origins that may frame."""
    router = APIRouter()
    policy = HEADERS["content-security-policy"]
    if framed_by:
        policy = policy.replace("frame-ancestors 'none'", f"frame-ancestors {' '.join(framed_by)}")

    async def embedded(place: str, locale: Locale | None) -> Embedded:
        if locale is None or not known_place(place):
            raise TroubleError(HTTPStatus.NOT_FOUND, N_("There is no such feed."))
        told = await releases.current(clock.now())
        return Embedded(channel(told, place=place, locale=locale, addresses=Addresses(public_url)))

    @router.get("/embed")
    async def frame(request: Request, place: str = WHOLE_REGION) -> Response:
        """What is in force, for a frame on another site."""
        shown = await embedded(place, request.state.locale)
        response = pages_of(request).page(request, "embed.html", embedded=shown)
        answer = cached(request, response, vary="Accept-Language, Cookie")
        answer.headers["content-security-policy"] = policy
        return answer

    @router.get("/embed.js")
    async def script(request: Request) -> Response:
        """The script that other sites load."""
        answer = cached(request, Response(script_text(), media_type="text/javascript"))
        answer.headers["cross-origin-resource-policy"] = "cross-origin"
        return answer

    @router.get("/embed/{place}/{language}.json")
    async def values(request: Request, place: str, language: str) -> Response:
        """The same for the script, which any site may ask: it holds nothing that is not public."""
        shown = await embedded(place, LOCALES.get(language))
        body = json.dumps(shown.values(), ensure_ascii=False).encode()
        answer = cached(request, Response(body, media_type="application/json"))
        answer.headers["access-control-allow-origin"] = "*"
        return answer

    return router


@cache
def script_text() -> bytes:
    """The script as it is sent."""
    return (HERE / "static" / "embed.js").read_bytes()
