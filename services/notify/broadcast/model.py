"""Model of a broadcast: the one letter that all recipients of a revision share."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid5

from services.notify.delivery.model import Kind, Lane, Letter
from services.notify.guidance.model import Revision, letter_of_number
from services.notify.markdown.model import html_of, plain_of
from shared import region
from shared.i18n import Locale

TRIALS = 3
"""Addresses to which one person may have one text sent before its release: her own, and no list."""


class Trial(StrEnum):
    """What became of the wish for a test letter."""

    SENT = "sent"
    NO_ADDRESS = "no_address"
    NOT_TAKING_PART = "not_taking_part"
    TOO_MANY = "too_many"
    RELEASED = "released"


class NotReleasedError(Exception):
    """A broadcast names a revision that nobody has approved: it is never sent."""


def letter_of(revision: Revision, *, page: str) -> Letter:
    """The letter of an approved revision, in the languages in which it was written; `page` is its public address, which
    nothing of an exercise has.

    Raises NotReleasedError for a revision without approval.
    """
    if revision.approved_by is None or revision.expires_at is None:
        raise NotReleasedError(str(revision.guidance_id))
    return Letter(
        realm=revision.realm,
        letter_id=revision.letter_id,
        kind=Kind.GUIDANCE,
        lane=Lane.BULK,
        not_after=revision.expires_at,
        shared={**({"page": page} if revision.realm.live else {}), **_shared(revision)},
    )


def trial_of(revision: Revision, *, by: UUID, not_after: datetime) -> Letter:
    """The letter by which somebody sees this very text before its release: it says so, and leads to no page."""
    return Letter(
        realm=revision.realm,
        letter_id=uuid5(revision.guidance_id, f"trial {revision.edition} {by}"),
        kind=Kind.GUIDANCE,
        lane=Lane.URGENT,
        not_after=not_after,
        shared={"trial": "yes", **_shared(revision)},
    )


def _shared(revision: Revision) -> dict[str, str]:
    shared: dict[str, str] = {}
    for locale in Locale:
        shared[f"areas.{locale.value}"] = area_names(revision.draft.matching.areas, locale)
    if revision.corrects:
        shared |= {"change": revision.kind, "first": str(letter_of_number(revision.guidance_id, 1))}
    for locale, text in revision.draft.texts.items():
        shared[f"headline.{locale.value}"] = text.headline
        shared[f"text.{locale.value}"] = plain_of(text.text)
        shared[f"html.{locale.value}"] = html_of(text.text)
        if text.note:
            shared[f"note.{locale.value}"] = text.note
    return shared


def area_names(areas: frozenset[str], locale: Locale) -> str:
    """The municipalities in the reader's language, in their order; empty for the whole region."""
    return ", ".join(place.name(locale.value) for place in region.MUNICIPALITIES if place.code in areas)
