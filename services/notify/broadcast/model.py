"""Model of a broadcast: the one letter that all recipients of a revision share."""

from services.notify.delivery.model import Kind, Lane, Letter
from services.notify.guidance.model import Revision, letter_of_number
from services.notify.markdown.model import html_of, plain_of
from shared import region
from shared.i18n import Locale


class NotReleasedError(Exception):
    """A broadcast names a revision that nobody has approved: it is never sent."""


def letter_of(revision: Revision, *, page: str) -> Letter:
    """The letter of an approved revision, in the languages in which it was written; `page` is its public address.

    Raises NotReleasedError for a revision without approval.
    """
    if revision.approved_by is None or revision.expires_at is None:
        raise NotReleasedError(str(revision.guidance_id))
    shared = {"page": page}
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
    return Letter(
        realm=revision.realm,
        letter_id=revision.letter_id,
        kind=Kind.GUIDANCE,
        lane=Lane.BULK,
        not_after=revision.expires_at,
        shared=shared,
    )


def area_names(areas: frozenset[str], locale: Locale) -> str:
    """The municipalities in the reader's language, in their order; empty for the whole region."""
    return ", ".join(place.name(locale.value) for place in region.MUNICIPALITIES if place.code in areas)
