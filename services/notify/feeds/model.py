"""Model of the public page: what stands on it in full, and what as a headline only, so that it stays small."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.notify.guidance.model import Revision, Shown
from services.notify.markdown.model import html_of
from services.notify.situations.store import Situation
from shared.i18n import Locale

FULL_TEXT_BYTES = 5000
"""Texts that stand on one page in full: with the frame and the styles it stays within 30 kB."""

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
