"""API of the feeds: current guidance as Atom, JSON Feed and CAP, for programs, without cookies, kept by any cache."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.notify.cap.model import Issuer, alert_of, identified, sent_at
from services.notify.feeds.addresses import ALERTS, ATOM, CALENDAR, JSON, LOCALES, Addresses
from services.notify.feeds.atom_xml import MEDIA_TYPE as ATOM_TYPE
from services.notify.feeds.atom_xml import alerts_xml, atom_xml
from services.notify.feeds.calendar_ics import MEDIA_TYPE as CALENDAR_TYPE
from services.notify.feeds.calendar_ics import calendar_ics
from services.notify.feeds.cap_xml import MEDIA_TYPE as CAP_TYPE
from services.notify.feeds.cap_xml import cap_xml
from services.notify.feeds.json_feed import MEDIA_TYPE as JSON_TYPE
from services.notify.feeds.json_feed import json_feed
from services.notify.feeds.model import NEVER, Channel, channel, known_place
from services.notify.feeds.store import Releases
from shared.caching import cached
from shared.clock import Clock
from shared.i18n import N_, Locale
from shared.web import TroubleError


@dataclass(frozen=True)
class Form:
    """How a feed is written, and what programs call it."""

    write: Callable[[Channel], bytes]
    media_type: str


FORMS = {
    ATOM: Form(atom_xml, ATOM_TYPE),
    JSON: Form(json_feed, JSON_TYPE),
    CALENDAR: Form(calendar_ics, CALENDAR_TYPE),
}
ALERT_LIST = Form(alerts_xml, ATOM_TYPE)


def feeds(releases: Releases, *, issuer: Issuer, clock: Clock) -> APIRouter:
    """`/feeds/<place>/<language>/...`, `/feeds/<place>/cap.xml` and `/feeds/alerts/<identifier>.xml`."""
    router = APIRouter(prefix="/feeds")
    addresses = Addresses(issuer.public_url)

    async def answer(request: Request, place: str, locale: Locale | None, form: Form | None) -> Response:
        if locale is None or form is None or not known_place(place):
            raise TroubleError(HTTPStatus.NOT_FOUND, N_("There is no such feed."))
        now = clock.now()
        known = channel(
            await releases.current(now),
            place=place,
            locale=locale,
            addresses=addresses,
            announced=await releases.announced(now) if form is FORMS[CALENDAR] else (),
        )
        modified = known.updated if known.updated > NEVER else None
        return _cached(request, form.write(known), form.media_type, modified=modified)

    @router.get("/alerts/{identifier}.xml")
    async def alert(request: Request, identifier: str) -> Response:
        """One alert, also when another has taken its place: that one refers to it."""
        found = identified(identifier)
        release = await releases.one(*found) if found else None
        if release is None:
            raise TroubleError(HTTPStatus.NOT_FOUND, N_("There is no such guidance."))
        document = cap_xml(alert_of(release, issuer))
        return _cached(request, document, CAP_TYPE, modified=sent_at(release.revision))

    @router.get("/{place}/" + ALERTS)
    async def alerts(request: Request, place: str) -> Response:
        """The alerts in force in one place."""
        return await answer(request, place, Locale.FI, ALERT_LIST)

    @router.get("/{place}/{language}/{file}")
    async def feed(request: Request, place: str, language: str, file: str) -> Response:
        """What is in force in one place, in one language."""
        return await answer(request, place, LOCALES.get(language), FORMS.get(file))

    return router


def _cached(request: Request, body: bytes, media_type: str, *, modified: datetime | None) -> Response:
    return cached(request, Response(body, media_type=media_type), modified=modified)
