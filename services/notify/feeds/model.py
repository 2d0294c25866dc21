"""Model of the public page: what stands on it in full, and what as a headline only, so that it stays small."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from services.notify.cap.model import SENDER_NAME, Release, ends_at, guidance_url, identifier_of, sent_at, told
from services.notify.feeds.addresses import WHOLE_REGION, Addresses
from services.notify.guidance.model import Revision, Shown
from services.notify.markdown.model import html_of
from services.notify.situations.store import Situation
from shared import region
from shared.i18n import N_, Locale, texts

FULL_TEXT_BYTES = 5000
"""Texts that stand on one page in full: with the frame and the styles it stays within 30 kB."""

NOT_OFFICIAL = N_("A notice of the association council. Official warnings: 112.fi.")
NEVER = datetime(2020, 1, 1, tzinfo=UTC)
"""When a feed was changed that never held anything: its formats want a time."""

PAGE = 10
SITUATIONS = 10


@dataclass(frozen=True)
class Item:
    """Guidance in the reader's language, or in Finnish. Without `html` it is told by its headline and a link."""

    revision: Revision
    shown: Shown
    html: str


@dataclass(frozen=True)
class PublicPage:
    """What everybody may read now. `updated` is the time of the newest thing on it, None when there is nothing."""

    items: tuple[Item, ...]
    situations: tuple[Situation, ...]
    more_situations: int
    updated: datetime | None
    number: int
    pages: int


def concerns(places: frozenset[str], municipality: str | None) -> bool:
    """True for what is of the whole region (no places), and for what names the municipality, if one is asked for."""
    return municipality is None or not places or municipality in places


def known_place(code: str) -> bool:
    """True for a municipality's code and for the whole region."""
    return code == WHOLE_REGION or any(place.code == code for place in region.MUNICIPALITIES)


def public_page(
    revisions: Sequence[Revision],
    situations: Sequence[Situation],
    *,
    locale: Locale,
    municipality: str | None = None,
    number: int = 1,
) -> PublicPage:
    """The page for one municipality or for all; `number` counts from 1 and is taken into what there is."""
    near = [revision for revision in revisions if concerns(revision.draft.matching.areas, municipality)]
    known = [situation for situation in situations if concerns(situation.municipalities, municipality)]
    pages = max(1, -(-len(near) // PAGE))
    number = min(max(number, 1), pages)
    times = [revision.approved_at for revision in near if revision.approved_at]
    return PublicPage(
        items=_items(near[(number - 1) * PAGE : number * PAGE], locale),
        situations=tuple(known[:SITUATIONS]),
        more_situations=max(0, len(known) - SITUATIONS),
        updated=max([*times, *(situation.told_at for situation in known)], default=None),
        number=number,
        pages=pages,
    )


def item(revision: Revision, locale: Locale) -> Item:
    """One piece of guidance in full."""
    shown = revision.draft.shown(locale)
    return Item(revision, shown, html_of(shown.text.text))


def _items(revisions: Sequence[Revision], locale: Locale) -> tuple[Item, ...]:
    items = []
    left = FULL_TEXT_BYTES
    for revision in revisions:
        whole = item(revision, locale)
        left -= len(whole.html.encode())
        items.append(whole if left >= 0 else Item(revision, whole.shown, ""))
    return tuple(items)


@dataclass(frozen=True)
class FeedItem:
    """A release as all feeds carry it, in the reader's language or in Finnish; `lang` says which."""

    urn: str
    number: int
    kind: str
    url: str
    alert_url: str
    lang: str
    headline: str
    html: str
    plain: str
    published: datetime
    updated: datetime
    expires: datetime
    places: tuple[region.Municipality, ...]
    audiences: tuple[str, ...]


@dataclass(frozen=True)
class Announced:
    """Something with a date that everybody may know of beforehand, an exercise for example; calendars show it.

    Its `uid` never changes; `changes` counts how often the rest did. `titles` and `texts` have Finnish at least; no
    area means the whole region.
    """

    uid: UUID
    changes: int
    changed_at: datetime
    starts: datetime
    ends: datetime
    titles: Mapping[Locale, str]
    texts: Mapping[Locale, str]
    url: str
    areas: frozenset[str] = frozenset()
    cancelled: bool = False


@dataclass(frozen=True)
class Channel:
    """What is in force in one place (a municipality's code or WHOLE_REGION), newest first, for one language."""

    addresses: Addresses
    place: str
    locale: Locale
    items: tuple[FeedItem, ...]
    announced: tuple[Announced, ...] = ()

    @property
    def title(self) -> str:
        """What readers see in their list of feeds."""
        place = region.find_municipality(self.place)
        _ = texts(self.locale)
        if place is None:
            return _("Current guidance")
        return _("Current guidance: %(place)s") % {"place": place.name(self.locale)}

    @property
    def note(self) -> str:
        """Whose word it is, and where authorities warn."""
        return texts(self.locale)(NOT_OFFICIAL)

    @property
    def author(self) -> str:
        """Who says it."""
        return texts(self.locale)(SENDER_NAME)

    @property
    def front(self) -> str:
        """The page that shows the same to people."""
        return self.addresses.front(self.place, self.locale)

    @property
    def updated(self) -> datetime:
        """When the newest of it was released."""
        times = [*(item.updated for item in self.items), *(one.changed_at for one in self.announced)]
        return max(times, default=NEVER)

    def address(self, file: str) -> str:
        """Where this feed stands."""
        return self.addresses.feed(self.place, self.locale, file)


def channel(
    releases: Sequence[Release],
    *,
    place: str,
    locale: Locale,
    addresses: Addresses,
    announced: Sequence[Announced] = (),
) -> Channel:
    """The feed of one place in one language; what is announced is for calendars alone."""
    municipality = None if place == WHOLE_REGION else place
    near = [known for known in releases if concerns(known.revision.draft.matching.areas, municipality)]
    items = tuple(feed_item(known, locale, addresses) for known in near)
    return Channel(
        addresses, place, locale, items, tuple(one for one in announced if concerns(one.areas, municipality))
    )


def feed_item(release: Release, locale: Locale, addresses: Addresses) -> FeedItem:
    """One release as feeds carry it."""
    revision = release.revision
    words = told(revision, locale)
    areas = revision.draft.matching.areas
    first = release.earlier[0].sent_at if release.earlier else sent_at(revision)
    return FeedItem(
        urn=revision.guidance_id.urn,
        number=revision.number,
        kind=revision.kind,
        url=guidance_url(addresses.public_url, revision, locale),
        alert_url=addresses.alert(identifier_of(revision)),
        lang=words.locale.lang,
        headline=words.headline,
        html=words.html,
        plain=words.plain,
        published=first,
        updated=sent_at(revision),
        expires=ends_at(revision),
        places=tuple(place for place in region.MUNICIPALITIES if not areas or place.code in areas),
        audiences=tuple(sorted(revision.draft.matching.audiences)),
    )
