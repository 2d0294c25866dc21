"""Preview: what readers of each language will see of a text, and what is hard to read in it."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.notify.guidance.draft_form import Fields
from services.notify.guidance.model import PHONE_SHOWS, Draft, Shown, short
from services.notify.markdown.model import html_of, plain_of
from services.notify.plain_language.model import Finding, findings
from services.notify.subscribers.model import Problem
from shared.i18n import Locale

Findings = list[tuple[Locale, list[Finding]]]


@dataclass(frozen=True)
class Preview:
    """One language as its readers will see it."""

    shown: Shown
    html: str
    plain: str
    on_phone: str


def previews(draft: Draft) -> list[Preview]:
    """Every language, as a page, as mail and in a phone's list of messages."""
    return [_preview(draft, locale) for locale in Locale]


def _preview(draft: Draft, locale: Locale) -> Preview:
    shown = draft.shown(locale)
    plain = plain_of(shown.text.text)
    first = f"{shown.text.headline} – {' '.join(plain.split())}"
    return Preview(shown, html_of(shown.text.text), plain, first[:PHONE_SHOWS])


def hard_in(draft: Draft) -> Findings:
    """What is hard to read, by language; languages in which nothing is are left out."""
    return _by_language({locale: (text.headline, text.text) for locale, text in draft.texts.items()})


def hard_in_fields(fields: Fields) -> Findings:
    """The same for what stands in a form, whatever else is wrong with it."""
    written = {
        locale: (fields.headlines.get(locale, "")[:500], fields.texts.get(locale, "")[:10_000]) for locale in Locale
    }
    return _by_language(written)


def forbidden(found: Findings) -> list[Problem]:
    """What must be changed before the text can be kept."""
    return [
        Problem(f"text_{short(locale)}", finding.message)
        for locale, hard in found
        for finding in hard[:1]
        if finding.blocks
    ]


def _by_language(written: Mapping[Locale, tuple[str, str]]) -> Findings:
    found = [(locale, findings(headline, text, locale)) for locale, (headline, text) in written.items()]
    return [(locale, hard) for locale, hard in found if hard]
