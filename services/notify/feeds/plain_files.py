"""Format: the public pages and feeds as plain files whose links are relative, for each place and language."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from services.notify.cap.model import Issuer, Release, alert_of, identifier_of
from services.notify.feeds.addresses import ALERTS, ATOM, CALENDAR, JSON, WHOLE_REGION, Addresses, alert_path, feed_path
from services.notify.feeds.atom_xml import alerts_xml, atom_xml
from services.notify.feeds.calendar_ics import calendar_ics
from services.notify.feeds.cap_xml import cap_xml
from services.notify.feeds.json_feed import json_feed
from services.notify.feeds.model import FULL_TEXT_BYTES, Announced, Channel, FeedItem, channel, concerns
from services.notify.guidance.model import short
from services.notify.markdown.model import html_of
from services.notify.situations.store import Situation
from services.notify.standing.model import FORMS, Standing, near
from services.notify.subscribers.model import AUDIENCE_NAMES
from shared import region
from shared.i18n import LanguageLink, Locale, texts
from shared.realm import LIVE
from shared.web import HERE, SITE, Pages

STATIC = ("app.css", "icon.svg")
PLACES = (WHOLE_REGION, *(place.code for place in region.MUNICIPALITIES))


@dataclass(frozen=True)
class Told:
    """All that the public has been told, at the time of the copy."""

    releases: Sequence[Release]
    situations: Sequence[Situation]
    made_at: datetime
    announced: Sequence[Announced] = ()
    standing: Sequence[Standing] = ()

    def differs(self, other: "Told") -> bool:
        """True if not all is the same but the time."""
        return replace(self, made_at=other.made_at) != other


def plain_files(told: Told, *, pages: Pages, issuer: Issuer) -> dict[str, bytes]:
    """Every file of the copy by its path. `index.html` is the Finnish page of the whole region."""
    files = {f"static/{name}": (HERE / "static" / name).read_bytes() for name in STATIC}
    for release in told.releases:
        files[alert_path(identifier_of(release.revision))] = cap_xml(alert_of(release, issuer))
    for locale in Locale:
        for place in PLACES:
            known = channel(
                told.releases,
                place=place,
                locale=locale,
                addresses=Addresses(issuer.public_url),
                announced=told.announced,
            )
            files |= _feeds(known)
            files |= _pages(known, told, pages)
    return files


def _feeds(known: Channel) -> dict[str, bytes]:
    files = {
        feed_path(known.place, known.locale, ATOM): atom_xml(known),
        feed_path(known.place, known.locale, JSON): json_feed(known),
        feed_path(known.place, known.locale, CALENDAR): calendar_ics(known),
    }
    if known.locale is Locale.FI:
        files[feed_path(known.place, known.locale, ALERTS)] = alerts_xml(known)
    return files


def _pages(known: Channel, told: Told, pages: Pages) -> dict[str, bytes]:
    """The page of one place in one language; with that of the whole region also one page for each guidance."""
    municipality = None if known.place == WHOLE_REGION else known.place
    render = partial(_page, pages, known, told)
    values: dict[str, Any] = {
        "channel": known,
        "whole": fitting(known.items),
        "standing": near(told.standing, municipality),
        "situations": [each for each in told.situations if concerns(each.municipalities, municipality)],
    }
    files = {page_path(known.place, known.locale): render(page_path(known.place, known.locale), **values)}
    if municipality is None:
        for item in known.items:
            path = f"{short(known.locale)}/{item_path(item)}"
            alone = {"single": item, "whole": {item.urn}, "situations": [], "standing": []}
            files[path] = render(path, **values | alone)
        for one in told.standing:
            path = f"{short(known.locale)}/prepare/{one.standing_id}.html"
            shown = one.advice.shown(known.locale)
            files[path] = render(path, template="mirror_standing.html", one=one, shown=shown, channel=known)
        if known.locale is Locale.FI:
            files["index.html"] = render("index.html", **values)
    return files


def _page(
    pages: Pages, known: Channel, told: Told, path: str, *, template: str = "mirror.html", **values: Any
) -> bytes:
    root = "../" * path.count("/")
    locale = known.locale
    rest = path.partition("/")[2] or "index.html"
    languages = [
        LanguageLink(each.value, each.own_name, f"{root}{short(each)}/{rest}", each.lang, current=each is locale)
        for each in Locale
    ]
    single = {"single": None} | values
    return pages.fragment(
        locale,
        template,
        site=texts(locale)(SITE),
        realm=LIVE,
        languages=languages,
        static=lambda name: f"{root}static/{name}",
        root=root,
        here=f"{root}{short(locale)}/",
        places=[(place.code, place.name(locale)) for place in region.MUNICIPALITIES],
        audience_names={audience.value: name for audience, name in AUDIENCE_NAMES.items()},
        item_path=item_path,
        html_of=html_of,
        forms={form.value: name for form, name in FORMS.items()},
        named=lambda item: ", ".join(place.name(locale) for place in item.places),
        made_at=told.made_at,
        **single,
    ).encode()


def page_path(place: str, locale: Locale) -> str:
    """Where the page of a place stands."""
    return f"{short(locale)}/{'index' if place == WHOLE_REGION else place}.html"


def item_path(item: FeedItem) -> str:
    """Where the page of one guidance stands, below that of its language."""
    return f"g/{item.urn.rpartition(':')[2]}.html"


def fitting(items: Iterable[FeedItem]) -> set[str]:
    """The items that stand on one page in full; the others are told by their headline and a link."""
    left, whole = FULL_TEXT_BYTES, set()
    for item in items:
        size = len(item.html.encode())
        if size <= left:
            left -= size
            whole.add(item.urn)
    return whole
