"""Model of guidance: what may be written, who may release it, and what each reader then gets."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID, uuid5

from services.notify.delivery.model import Counts
from services.notify.subscribers.model import EVERYWHERE, Audience, Matching, Problem, Reach
from shared.events.notify import GuidancePublished
from shared.i18n import N_, Locale
from shared.realm import Realm

HEADLINE_LIMIT = 160
TEXT_LIMIT = 4000
PHONE_SHOWS = 80
"""Characters of a subject that a phone shows in its list of messages."""

VALID_HOURS = (3, 6, 12, 24, 48, 72, 168)
CONFIRM_LIVE = frozenset({"TOSI", "SKARPT", "LIVE"})
CONFIRM_EXERCISE = frozenset({"HARJOITUS", "ÖVNING", "EXERCISE"})


class State(StrEnum):
    """Where guidance stands on its way to the public."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    PUBLISHED = "published"


class Kind(StrEnum):
    """What a revision does to the guidance before it."""

    ALERT = "alert"
    UPDATE = "update"
    CANCEL = "cancel"


class Refusal(StrEnum):
    """Why a release was refused."""

    OWN_TEXT = "own_text"
    NOT_SUBMITTED = "not_submitted"
    CHANGED = "changed"
    REACHES_NOBODY = "reaches_nobody"
    WRONG_WORD = "wrong_word"


REFUSALS = {
    Refusal.OWN_TEXT: N_("You cannot approve your own text. Ask another person."),
    Refusal.NOT_SUBMITTED: N_("This text is not waiting for approval."),
    Refusal.CHANGED: N_("The text has changed since you opened the page. Read it again."),
    Refusal.REACHES_NOBODY: N_("This would reach nobody: no subscriber matches its groups and municipalities."),
    Refusal.WRONG_WORD: N_("The word is not right. Nothing was sent."),
}


@dataclass(frozen=True)
class Text:
    """Guidance in one language: a headline and a text in Markdown."""

    headline: str
    text: str


@dataclass(frozen=True)
class Shown:
    """What a reader of `wanted` gets, in which language it really is."""

    wanted: Locale
    locale: Locale
    text: Text

    @property
    def fallback(self) -> bool:
        """True if it is not in the reader's language."""
        return self.locale is not self.wanted


@dataclass(frozen=True)
class Draft:
    """What an editor writes, before anybody approved it. No area means the whole region."""

    texts: Mapping[Locale, Text]
    matching: Matching
    valid_hours: int
    situation_id: UUID | None = None

    def shown(self, wanted: Locale) -> Shown:
        """The text for a reader: her language, or Finnish."""
        locale = wanted if wanted in self.texts else Locale.FI
        return Shown(wanted, locale, self.texts[locale])

    def missing(self) -> list[Locale]:
        """The languages whose readers get Finnish."""
        return [locale for locale in Locale if locale not in self.texts]


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


@dataclass(frozen=True)
class Approval:
    """A release: who approved it when, until when it holds, and what the other services are told."""

    approved_by: UUID
    approved_at: datetime
    expires_at: datetime
    event: GuidancePublished


@dataclass(frozen=True)
class Revision:
    """A revision as it is kept. `edition` grows with every change of its draft."""

    realm: Realm
    guidance_id: UUID
    number: int
    kind: Kind
    state: State
    draft: Draft
    edition: int
    written_by: UUID
    writers: frozenset[UUID]
    created_at: datetime
    submitted_at: datetime | None = None
    approved_by: UUID | None = None
    approved_at: datetime | None = None
    expires_at: datetime | None = None

    @property
    def letter_id(self) -> UUID:
        """The letter of this revision: always the same, so that it can be planned only once."""
        return uuid5(self.guidance_id, str(self.number))

    def current(self, now: datetime) -> bool:
        """True while it is in force."""
        return self.state is State.PUBLISHED and self.expires_at is not None and self.expires_at > now

    def approve(self, *, by: UUID, word: str, edition: int, reach: Reach, now: datetime) -> Approval | Refusal:
        """Release this revision, or say why not. `edition` is the one that the approver has read."""
        refusal = self._refusal(by=by, word=word, edition=edition, reach=reach)
        if refusal:
            return refusal
        return Approval(
            approved_by=by,
            approved_at=now,
            expires_at=now + timedelta(hours=self.draft.valid_hours),
            event=GuidancePublished(
                happened_at=now,
                realm=self.realm,
                guidance_id=self.guidance_id,
                revision=self.number,
                situation_id=self.draft.situation_id,
            ),
        )

    def _refusal(self, *, by: UUID, word: str, edition: int, reach: Reach) -> Refusal | None:
        words = CONFIRM_LIVE if self.realm.live else CONFIRM_EXERCISE
        rules = (
            (self.state is not State.IN_REVIEW, Refusal.NOT_SUBMITTED),
            (by == self.written_by or by in self.writers, Refusal.OWN_TEXT),
            (edition != self.edition, Refusal.CHANGED),
            (reach.total == 0, Refusal.REACHES_NOBODY),
            (word.strip().upper() not in words, Refusal.WRONG_WORD),
        )
        return next((refusal for broken, refusal in rules if broken), None)


@dataclass(frozen=True)
class Progress:
    """How far a broadcast is. Until it is planned, `counts` may not hold all recipients yet."""

    counts: Counts
    planned: bool
    finished: bool

    @property
    def settled(self) -> int:
        """Recipients with a final state."""
        return self.counts.total - self.counts.open


def short(locale: Locale) -> str:
    """The locale's name in fields and addresses: `selko` for easy Finnish, else its own."""
    return locale.value.rpartition("@")[2]


def read_draft(fields: Fields, *, situations: Collection[UUID]) -> tuple[Draft | None, list[Problem]]:
    """The draft that a form means, or what is wrong with it. `situations` are those that may be named."""
    problems = [problem for locale in Locale for problem in _text_problems(fields, locale)]
    audiences = frozenset(Audience(name) for name in fields.audiences if name in Audience._value2member_map_)
    if not audiences:
        problems.append(Problem("audience", N_("Choose at least one group.")))
    if fields.valid_hours not in map(str, VALID_HOURS):
        problems.append(Problem("valid_hours", N_("Choose how long the guidance is in force.")))
    situation = next((known for known in situations if str(known) == fields.situation), None)
    if fields.situation and situation is None:
        problems.append(Problem("situation", N_("This situation is no longer open. Choose again.")))
    if problems:
        return None, problems
    areas = fields.areas & EVERYWHERE
    matching = Matching(audiences, frozenset() if areas == EVERYWHERE else areas)
    return Draft(_texts(fields), matching, int(fields.valid_hours), situation), []


def _texts(fields: Fields) -> dict[Locale, Text]:
    """The languages that were written."""
    return {
        locale: Text(_line(fields.headlines[locale]), _lines(fields.texts[locale]))
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
