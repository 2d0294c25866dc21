"""The public page: current guidance and situations for everybody, without cookies or script, kept by any cache."""

from http import HTTPStatus
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.notify.feeds.model import concerns, item, public_page
from services.notify.guidance.store import GuidanceStore
from services.notify.situations.store import SituationStore
from services.notify.standing.model import FORMS, near
from services.notify.standing.store import StandingStore
from services.notify.subscribers.model import AUDIENCE_NAMES
from shared import region
from shared.caching import cached
from shared.clock import Clock
from shared.i18n import N_, Locale
from shared.realm import LIVE
from shared.web import TroubleError, pages_of

WITHDRAWN = 5
STANDING = 8
"""Models and checklists that are named on the front page; all stand on a page of their own."""


def pages(guidance: GuidanceStore, standing: StandingStore, *, situations: SituationStore, clock: Clock) -> APIRouter:
    """`/`, `/m/<municipality>` and `/g/<guidance>`."""
    router = APIRouter()

    async def front(request: Request, municipality: region.Municipality | None, number: int) -> Response:
        now = clock.now()
        shown = public_page(
            await guidance.current(now),
            await situations.open_ones(),
            locale=request.state.locale,
            municipality=municipality.code if municipality else None,
            number=number,
        )
        place = municipality.code if municipality else None
        withdrawn = [
            item(gone, request.state.locale)
            for gone in await guidance.withdrawn(now)
            if concerns(gone.draft.matching.areas, place)
        ]
        return _page(
            request,
            "public.html",
            page=shown,
            withdrawn=withdrawn[:WITHDRAWN],
            standing=near(await standing.current(), place),
            most_standing=STANDING,
            municipality=municipality,
            now=now,
        )

    @router.get("/")
    async def whole_region(request: Request, page: str = "") -> Response:
        """What is in force now in the whole region."""
        return await front(request, None, _number(page))

    @router.get("/m/{code}")
    async def in_municipality(request: Request, code: str, page: str = "") -> Response:
        """What is in force now in one municipality."""
        place = region.find_municipality(code)
        if place is None or place.code != code:
            raise TroubleError(HTTPStatus.NOT_FOUND, N_("The region has no such municipality."))
        return await front(request, place, _number(page))

    @router.get("/g/{guidance_id}")
    async def one(request: Request, guidance_id: UUID) -> Response:
        """One piece of published guidance; when it is no longer in force, it says so."""
        revision = await guidance.get(LIVE, guidance_id)
        if revision is None or not revision.state.released:
            raise TroubleError(HTTPStatus.NOT_FOUND, N_("There is no such guidance."))
        current = revision.current(clock.now())
        return _page(request, "public_one.html", item=item(revision, request.state.locale), current=current)

    return router


def _page(request: Request, template: str, **values: Any) -> Response:
    """The page with what a cache needs to know; 304 where the reader has it already."""
    locale: Locale = request.state.locale
    response = pages_of(request).page(
        request,
        template,
        places=[(place.code, place.name(locale)) for place in region.MUNICIPALITIES],
        forms={form.value: name for form, name in FORMS.items()},
        audience_names={audience.value: name for audience, name in AUDIENCE_NAMES.items()},
        **values,
    )
    return cached(request, response, vary="Accept-Language, Cookie")


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else 1
