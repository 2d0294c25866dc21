"""Preview: what readers of each language will see of a text, and what is hard to read in it."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.notify.guidance.draft_form import Fields
from services.notify.guidance.model import PHONE_SHOWS, Draft, Kind, Shown, short
from services.notify.markdown.model import html_of, plain_of
from services.notify.plain_language.model import Finding, findings
from services.notify.subscribers.model import Problem
from shared.i18n import N_, Locale, texts

PREFIX = N_("EXERCISE:")
FIRST_LINE = N_("EXERCISE – this is not a real situation")

Findings = list[tuple[Locale, list[Finding]]]


SUBJECTS = {
    Kind.ALERT: "%(headline)s",
    Kind.UPDATE: N_("Corrected: %(headline)s"),
    Kind.CANCEL: N_("Withdrawn: %(headline)s"),
}


@dataclass(frozen=True)
class Preview:
    """One language as its readers will see it. A withdrawal shows its reason in the place of the text."""

    shown: Shown
    html: str
    subject: str
    plain: str
    on_phone: str


def previews(draft: Draft, kind: Kind = Kind.ALERT, *, live: bool = True) -> list[Preview]:
    """Every language, as a page, as mail and in a phone's list of messages; what is not live, with its marks."""
    return [_preview(draft, locale, kind, live=live) for locale in Locale]


def _preview(draft: Draft, locale: Locale, kind: Kind, *, live: bool) -> Preview:
    shown = draft.shown(locale)
    note = draft.note(locale).text.note
    body = note if kind is Kind.CANCEL else f"{note}\n\n{shown.text.text}".strip()
    subject = texts(locale)(SUBJECTS[kind]) % {"headline": shown.text.headline}
    plain = plain_of(body)
    if not live:
        subject = f"{texts(locale)(PREFIX)} {subject}"
        plain = f"{texts(locale)(FIRST_LINE)}\n\n{plain}"
    return Preview(shown, html_of(body), subject, plain, f"{subject} – {' '.join(plain.split())}"[:PHONE_SHOWS])


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
