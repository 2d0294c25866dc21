"""Model of CAP alerts: one for each revision of guidance, with one info block for each language it is written in."""

import re
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from html import escape
from uuid import UUID

from services.notify.guidance.model import Draft, Earlier, Kind, Revision
from services.notify.markdown.model import html_of, plain_of
from services.notify.subscribers.model import AUDIENCE_NAMES
from shared import region
from shared.i18n import HELSINKI, N_, Locale, texts

SENDER_NAME = N_("The association council of Kanta-Häme")
PREFIX = N_("EXERCISE:")
FIRST_LINE = N_("EXERCISE – this is not a real situation")
EXERCISE_ONLY = N_("Only for those who take part in the exercise.")
LANGUAGES = {Locale.FI: "fi-FI", Locale.SELKO: "fi-FI-simple", Locale.SV: "sv-FI", Locale.EN: "en-GB"}
"""`simple` is the registered subtag of simplified language; without any tag, CAP means American English."""

HEADLINE = 160
"""Characters within which a headline is shown everywhere (section 3.2.2)."""

MUNICIPALITY = "KUNTA"
"""The name of our geocodes: the code of the national classification of municipalities, three digits."""

EVENT_TERMS = "OET:v1.2"
SHORTEST = timedelta(hours=1)
"""How long an alert holds at least: it may not have expired when it was sent."""

IDENTIFIER = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.([0-9]{1,6})")
UNFIT = re.compile(r"[\s,<&]")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[-+]\d\d:\d\d")


class Status(StrEnum):
    """To whom an alert is real."""

    ACTUAL = "Actual"
    EXERCISE = "Exercise"


class Message(StrEnum):
    """What an alert does to those before it."""

    ALERT = "Alert"
    UPDATE = "Update"
    CANCEL = "Cancel"


class Scope(StrEnum):
    """Who may have it."""

    PUBLIC = "Public"
    RESTRICTED = "Restricted"


@dataclass(frozen=True)
class Subject:
    """What a kind of situation is called in CAP: its category, its name, and its code among the OASIS event terms."""

    category: str
    event: str
    code: str = ""


SUBJECTS = {
    "storm": Subject("Met", N_("Storm"), "OET-187"),
    "power-cut": Subject("Infra", N_("Power cut"), "OET-145"),
    "water": Subject("Infra", N_("Disturbed water supply"), "OET-144"),
    "pandemic": Subject("Health", N_("Pandemic"), "OET-150"),
    "evacuation": Subject("Safety", N_("Evacuation")),
    "cyber": Subject("Infra", N_("Cyber disturbance"), "OET-045"),
    "wildfire": Subject("Fire", N_("Wildfire"), "OET-086"),
}
OTHER = Subject("Safety", N_("Guidance"))


@dataclass(frozen=True)
class Issuer:
    """Who says it: the name of a domain as CAP's sender, where its pages stand, and whom to call."""

    sender: str
    public_url: str
    phone: str


@dataclass(frozen=True)
class Release:
    """A released revision, and the released ones that it takes the place of, oldest first.

    `situation_kind` is that of the situation that it belongs to, if any.
    """

    revision: Revision
    earlier: tuple[Earlier, ...] = ()
    situation_kind: str = ""


@dataclass(frozen=True)
class Told:
    """A release in words: what changed, then the text; what was withdrawn is not said again."""

    locale: Locale
    headline: str
    lead: tuple[str, ...]
    markdown: str

    @property
    def plain(self) -> str:
        """All of it as plain text."""
        return "\n\n".join(filter(None, (*self.lead, plain_of(self.markdown))))

    @property
    def html(self) -> str:
        """All of it as HTML that can do no harm."""
        return "".join(f"<p>{escape(line)}</p>\n" for line in self.lead) + html_of(self.markdown)


@dataclass(frozen=True)
class Area:
    """Where it holds: a name, and the municipalities by their codes."""

    description: str
    municipalities: tuple[str, ...]


@dataclass(frozen=True)
class Info:
    """An alert in one language. Urgency, severity and certainty are for authorities to judge: the council does not."""

    language: str
    category: str
    event: str
    event_code: str
    audience: str
    expires: str
    sender_name: str
    headline: str
    description: str
    web: str
    contact: str
    areas: tuple[Area, ...]
    urgency: str = "Unknown"
    severity: str = "Unknown"
    certainty: str = "Unknown"


@dataclass(frozen=True)
class Alert:
    """An alert with its moments as CAP writes them. Each reference is `sender,identifier,sent`."""

    identifier: str
    sender: str
    sent: str
    status: Status
    message: Message
    scope: Scope
    restriction: str
    note: str
    references: tuple[str, ...]
    infos: tuple[Info, ...]


def alert_of(release: Release, issuer: Issuer) -> Alert:
    """The alert of a release. Raises ValueError for a revision that nobody has approved."""
    revision = release.revision
    live = revision.realm.live
    return Alert(
        identifier=identifier_of(revision),
        sender=issuer.sender,
        sent=moment(sent_at(revision)),
        status=Status.ACTUAL if live else Status.EXERCISE,
        message=_message(revision.kind),
        scope=Scope.PUBLIC if live else Scope.RESTRICTED,
        restriction="" if live else texts(Locale.EN)(EXERCISE_ONLY),
        note="" if live else revision.realm.id,
        references=tuple(_reference(before, issuer) for before in release.earlier),
        infos=tuple(
            _info(revision, locale, issuer=issuer, subject=SUBJECTS.get(release.situation_kind, OTHER))
            for locale in Locale
            if locale in revision.draft.texts
        ),
    )


def identifier_of(revision: Revision | Earlier) -> str:
    """What this revision is called wherever alerts go."""
    return f"{revision.guidance_id}.{revision.number}"


def identified(identifier: str) -> tuple[UUID, int] | None:
    """The guidance and the number of a revision that is called so; None for any other text."""
    found = IDENTIFIER.fullmatch(identifier)
    return (UUID(found[1]), int(found[2])) if found else None


def sent_at(revision: Revision) -> datetime:
    """When it was released. Raises ValueError if it was not."""
    if revision.approved_at is None:
        raise ValueError("only what is approved is published")
    return revision.approved_at


def ends_at(revision: Revision) -> datetime:
    """Until when its alert holds: a little longer than its sending, whatever the revision says."""
    earliest = sent_at(revision) + SHORTEST
    return max(revision.expires_at or earliest, earliest)


def moment(value: datetime) -> str:
    """A moment as CAP wants it: whole seconds and an offset in digits, never `Z`."""
    return value.astimezone(HELSINKI).replace(microsecond=0).isoformat()


def flaws(alert: Alert) -> list[str]:
    """What is wrong with an alert beyond what the schema of CAP 1.2 finds (sections 3.2.1 to 3.2.4 of the standard)."""
    languages = Counter(info.language for info in alert.infos)
    judged = {(info.category, info.urgency, info.severity, info.certainty, info.expires) for info in alert.infos}
    moments = [alert.sent, *(info.expires for info in alert.infos)]
    wanted = {
        "the identifier holds a space, a comma, < or &": not UNFIT.search(alert.identifier) and alert.identifier,
        "the sender holds a space, a comma, < or &": not UNFIT.search(alert.sender) and alert.sender,
        "a moment has a fraction, a Z or no offset": all(MOMENT.fullmatch(text) for text in moments),
        "it expires before it is sent": all(_after(info.expires, alert.sent) for info in alert.infos),
        "an update or a cancellation refers to nothing": alert.message is Message.ALERT or alert.references,
        "a reference is not sender,identifier,sent": all(_refers(text) for text in alert.references),
        "an exercise is not named in the note": alert.status is not Status.EXERCISE or alert.note,
        "an exercise is public": alert.status is not Status.EXERCISE or alert.scope is not Scope.PUBLIC,
        "a restriction does not fit the scope": bool(alert.restriction) is (alert.scope is Scope.RESTRICTED),
        "it says nothing": alert.infos,
        "a language is missing or there twice": all(languages) and max(languages.values(), default=1) == 1,
        "its languages judge the event differently": len(judged) <= 1,
        "a headline is longer than 160 characters": all(len(info.headline) <= HEADLINE for info in alert.infos),
        "an area has no name or no municipality": all(
            area.description and area.municipalities for info in alert.infos for area in info.areas
        ),
        "it holds nowhere": all(info.areas for info in alert.infos),
    }
    return [flaw for flaw, kept in wanted.items() if not kept]


def _info(revision: Revision, locale: Locale, *, issuer: Issuer, subject: Subject) -> Info:
    draft, _ = revision.draft, texts(locale)
    words, live = told(revision, locale), revision.realm.live
    wanted = sorted(draft.matching.audiences)
    return Info(
        language=LANGUAGES[locale],
        category=subject.category,
        event=_(subject.event),
        event_code=subject.code,
        audience=", ".join(_(AUDIENCE_NAMES[audience]) for audience in wanted),
        expires=moment(ends_at(revision)),
        sender_name=_(SENDER_NAME),
        headline=shortened(words.headline if live else f"{_(PREFIX)} {words.headline}"),
        description=words.plain if live else f"{_(FIRST_LINE)}\n\n{words.plain}",
        web=guidance_url(issuer.public_url, revision, locale) if live else "",
        contact=issuer.phone,
        areas=_areas(draft, locale),
    )


def shortened(headline: str) -> str:
    """A headline of at most HEADLINE characters, what "withdrawn" before it may have made longer."""
    return headline if len(headline) <= HEADLINE else headline[: HEADLINE - 1] + "…"


def told(revision: Revision, wanted: Locale) -> Told:
    """The revision for a reader of this language; what is not written in it is Finnish."""
    shown = revision.draft.shown(wanted)
    _, text, note = texts(shown.locale), shown.text, revision.draft.note(shown.locale).text.note
    match revision.kind:
        case Kind.CANCEL:
            headline = _("Withdrawn: %(headline)s") % {"headline": text.headline}
            return Told(shown.locale, headline, _lead(_("This guidance is withdrawn."), note), "")
        case Kind.UPDATE:
            lead = _lead(_("This replaces our earlier message."), note)
            return Told(shown.locale, text.headline, lead, text.text)
        case Kind.ALERT:
            return Told(shown.locale, text.headline, (), text.text)


def guidance_url(public_url: str, revision: Revision, locale: Locale) -> str:
    """Where people read this guidance."""
    return f"{public_url}/g/{revision.guidance_id}?lang={locale.value.replace('@', '%40')}"


def _lead(*lines: str) -> tuple[str, ...]:
    return tuple(filter(None, lines))


def _areas(draft: Draft, locale: Locale) -> tuple[Area, ...]:
    places = [place for place in region.MUNICIPALITIES if place.code in draft.matching.areas]
    if not places:
        return (Area(region.REGION.name(locale), tuple(place.code for place in region.MUNICIPALITIES)),)
    return tuple(Area(place.name(locale), (place.code,)) for place in places)


def _message(kind: Kind) -> Message:
    return {Kind.UPDATE: Message.UPDATE, Kind.CANCEL: Message.CANCEL}.get(kind, Message.ALERT)


def _reference(before: Earlier, issuer: Issuer) -> str:
    return f"{issuer.sender},{identifier_of(before)},{moment(before.sent_at)}"


def _refers(text: str) -> bool:
    parts = text.split(",")
    return len(parts) == 3 and not any(map(UNFIT.search, parts)) and bool(MOMENT.fullmatch(parts[2]))


def _after(later: str, earlier: str) -> bool:
    try:
        return datetime.fromisoformat(later) > datetime.fromisoformat(earlier)
    except (ValueError, TypeError):
        return False
