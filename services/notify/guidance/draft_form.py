"""Draft form: what an editor typed, with everything that may be wrong in it, and the draft that it means."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from services.notify.guidance.model import VALID_HOURS, Draft, Kind, Revision, Text, short
from services.notify.subscribers.model import EVERYWHERE, Audience, Matching, Problem
from shared.i18n import N_, Locale

HEADLINE_LIMIT = 160
TEXT_LIMIT = 4000
NOTE_LIMIT = 300


@dataclass(frozen=True)
class Fields:
    """A draft as it comes from a form: anything may be wrong in it, and all of it is given back."""

    headlines: Mapping[Locale, str]
    texts: Mapping[Locale, str]
    audiences: frozenset[str]
    areas: frozenset[str]
    valid_hours: str
    situation: str
    edition: int = 0
    notes: Mapping[Locale, str] = field(default_factory=dict)
    kind: str = Kind.ALERT


def fields_of(revision: Revision) -> Fields:
    """The form that would make this revision's draft."""
    draft = revision.draft
    return Fields(
        headlines={locale: text.headline for locale, text in draft.texts.items()},
        texts={locale: text.text for locale, text in draft.texts.items()},
        notes={locale: text.note for locale, text in draft.texts.items()},
        audiences=draft.matching.audiences,
        areas=draft.matching.areas,
        valid_hours=str(draft.valid_hours),
        situation=str(draft.situation_id or ""),
        edition=revision.edition,
        kind=revision.kind,
    )


def fields_of_texts(texts: Mapping[Locale, Text], *, areas: frozenset[str], kind: str, edition: int) -> Fields:
    """The form that would make these texts, where nothing else is asked."""
    return Fields(
        headlines={locale: text.headline for locale, text in texts.items()},
        texts={locale: text.text for locale, text in texts.items()},
        audiences=frozenset(),
        areas=areas,
        valid_hours="",
        situation="",
        edition=edition,
        kind=kind,
    )


def read_draft(fields: Fields, *, situations: Collection[UUID]) -> tuple[Draft | None, list[Problem]]:
    """The draft that a form means, or what is wrong with it. `situations` are those that may be named."""
    problems = [problem for locale in Locale for problem in _text_problems(fields, locale)]
    audiences = frozenset(Audience(name) for name in fields.audiences if name in Audience._value2member_map_)
    if not audiences:
        problems.append(Problem("audience", N_("Choose at least one group.")))
    problems += _hours_problems(fields)
    situation = next((known for known in situations if str(known) == fields.situation), None)
    if fields.situation and situation is None:
        problems.append(Problem("situation", N_("This situation is no longer open. Choose again.")))
    if problems:
        return None, problems
    areas = fields.areas & EVERYWHERE
    matching = Matching(audiences, frozenset() if areas == EVERYWHERE else areas)
    return Draft(_texts(fields), matching, int(fields.valid_hours), situation), []


def read_correction(fields: Fields, *, of: Revision) -> tuple[tuple[Kind, Draft] | None, list[Problem]]:
    """The correction of a revision that a form means, or what is wrong with it.

    Groups, places and situation stay as they are, and a withdrawal needs nothing but its reason.
    """
    kind = Kind(fields.kind) if fields.kind in {Kind.UPDATE, Kind.CANCEL} else None
    problems = [] if kind else [Problem("kind", N_("Choose what to do."))]
    if not _line(fields.notes.get(Locale.FI, "")):
        problems.append(Problem("note_fi", N_("Write what changed, or why it is withdrawn.")))
    problems += [
        Problem(f"note_{short(locale)}", N_("The note may have at most 300 characters."))
        for locale in Locale
        if len(_line(fields.notes.get(locale, ""))) > NOTE_LIMIT
    ]
    if kind is Kind.UPDATE:
        problems += [problem for locale in Locale for problem in _text_problems(fields, locale)]
        problems += _hours_problems(fields)
    if problems or kind is None:
        return None, problems
    notes = {locale: Text("", "", _line(fields.notes.get(locale, ""))) for locale in Locale}
    texts, hours = (_texts(fields), int(fields.valid_hours)) if kind is Kind.UPDATE else (notes, of.draft.valid_hours)
    return (kind, of.corrected(kind, Draft(texts, of.draft.matching, hours))), []


def _hours_problems(fields: Fields) -> list[Problem]:
    if fields.valid_hours in map(str, VALID_HOURS):
        return []
    return [Problem("valid_hours", N_("Choose how long the guidance is in force."))]


def _texts(fields: Fields) -> dict[Locale, Text]:
    """The languages that were written."""
    return {
        locale: Text(_line(fields.headlines[locale]), _lines(fields.texts[locale]), _line(fields.notes.get(locale, "")))
        for locale in Locale
        if _line(fields.headlines.get(locale, ""))
    }


def _text_problems(fields: Fields, locale: Locale) -> list[Problem]:
    headline, text = _line(fields.headlines.get(locale, "")), _lines(fields.texts.get(locale, ""))
    if locale is not Locale.FI and not headline and not text:
        return []
    rules = (
        (not headline, "headline", N_("Write a headline.")),
        (len(headline) > HEADLINE_LIMIT, "headline", N_("The headline may have at most 160 characters.")),
        (not text, "text", N_("Write the text.")),
        (len(text) > TEXT_LIMIT, "text", N_("The text may have at most 4000 characters.")),
    )
    return [Problem(f"{field}_{short(locale)}", message) for broken, field, message in rules if broken]


def _line(text: str) -> str:
    """One line without control characters: it becomes the subject of a letter."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _lines(text: str) -> str:
    """The text with plain line ends and without control characters."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", "    ")
    return "".join(c for c in plain if c == "\n" or c.isprintable()).strip()
