"""Model of guidance: who may release or correct it, how long it holds, and what each reader then gets."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID, uuid5

from services.notify.delivery.model import Counts
from services.notify.subscribers.model import Matching, Reach
from shared.events.notify import GuidancePublished
from shared.i18n import HELSINKI, N_, Locale
from shared.realm import Realm

PHONE_SHOWS = 80
"""Characters of a subject that a phone shows in its list of messages."""

STILL_RIGHT = timedelta(hours=1)
"""So late a planned release may come after a standstill. A text that is older is read again before it goes out."""

VALID_HOURS = (3, 6, 12, 24, 48, 72, 168)
CANCEL_SHOWN = timedelta(hours=24)
"""So long the public page says that guidance was withdrawn, and why."""

CONFIRM_LIVE = frozenset({"TOSI", "SKARPT", "LIVE"})
CONFIRM_EXERCISE = frozenset({"HARJOITUS", "ÖVNING", "EXERCISE"})
CONFIRM_ALONE_LIVE = frozenset({"TOSI YKSIN", "SKARPT ENSAM", "LIVE ALONE"})
CONFIRM_ALONE_EXERCISE = frozenset({"HARJOITUS YKSIN", "ÖVNING ENSAM", "EXERCISE ALONE"})
SHORTEST_REASON = 10
"""Characters in which somebody can say why nobody else could be asked."""


class State(StrEnum):
    """Where a revision stands. `approved`: its release is planned; `updated`: a newer one has taken its place."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    APPROVED = "approved"
    PUBLISHED = "published"
    UPDATED = "updated"
    CANCELLED = "cancelled"
    EXPIRED = "expired"

    @property
    def released(self) -> bool:
        """True once it went out."""
        return self not in {State.DRAFT, State.IN_REVIEW, State.APPROVED}

    @property
    def correctable(self) -> bool:
        """True for what the public has or had last: it can be put right. What was withdrawn is written anew."""
        return self in {State.PUBLISHED, State.EXPIRED}


class Kind(StrEnum):
    """What a revision does to the guidance before it."""

    ALERT = "alert"
    UPDATE = "update"
    CANCEL = "cancel"


class PlanState(StrEnum):
    """What became of a planned release."""

    WAITING = "waiting"
    RELEASED = "released"
    RELEASED_NOW = "released_now"
    TAKEN_BACK = "taken_back"
    TOO_LATE = "too_late"
    SITUATION_OVER = "situation_over"
    REACHES_NOBODY = "reaches_nobody"
    OVERTAKEN = "overtaken"
    EXERCISE_OVER = "exercise_over"


class Refusal(StrEnum):
    """Why a release was refused."""

    OWN_TEXT = "own_text"
    NOT_SUBMITTED = "not_submitted"
    CHANGED = "changed"
    REACHES_NOBODY = "reaches_nobody"
    NOBODY_TAKES_PART = "nobody_takes_part"
    EXERCISE_OVER = "exercise_over"
    WRONG_WORD = "wrong_word"
    NO_REASON = "no_reason"


REFUSALS = {
    Refusal.OWN_TEXT: N_("You cannot approve your own text. Ask another person."),
    Refusal.NOT_SUBMITTED: N_("This text is not waiting for approval."),
    Refusal.CHANGED: N_("The text has changed since you opened the page. Read it again."),
    Refusal.REACHES_NOBODY: N_("This would reach nobody: no subscriber matches its groups and municipalities."),
    Refusal.NOBODY_TAKES_PART: N_("This would reach nobody: nobody takes part in the exercise."),
    Refusal.EXERCISE_OVER: N_("The exercise is over. Nothing of it can be released any more."),
    Refusal.WRONG_WORD: N_("The word is not right. Nothing was sent."),
    Refusal.NO_REASON: N_("Write why nobody else could approve this. Nothing was sent."),
}


ENDINGS = {
    PlanState.TAKEN_BACK: N_("The planned release was taken back."),
    PlanState.TOO_LATE: N_("It was not released at its moment, because the service did not run."),
    PlanState.SITUATION_OVER: N_("It was not released, because its situation was closed."),
    PlanState.REACHES_NOBODY: N_("It was not released, because no subscriber matches it any more."),
    PlanState.EXERCISE_OVER: N_("It was not released, because its exercise was over."),
}
"""What is told of a plan that came to nothing; the text then waits for approval again."""


@dataclass(frozen=True)
class Text:
    """Guidance in one language: a headline, a text in Markdown, and in a correction a note of what changed or why."""

    headline: str
    text: str
    note: str = ""


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

    def note(self, wanted: Locale) -> Shown:
        """The text whose note a reader gets: her language where it has one, or Finnish."""
        own = self.texts.get(wanted)
        locale = wanted if own and own.note else Locale.FI
        return Shown(wanted, locale, self.texts[locale])

    def missing(self) -> list[Locale]:
        """The languages whose readers get Finnish."""
        return [locale for locale in Locale if locale not in self.texts]


@dataclass(frozen=True)
class Approval:
    """A release: who approved it when, until when it holds, and what the other services are told.

    `alone_because` is the reason for which one person both wrote and released it, None where two did.
    """

    approved_by: UUID
    approved_at: datetime
    expires_at: datetime
    state: State
    event: GuidancePublished
    alone_because: str | None = None


@dataclass(frozen=True)
class Plan:
    """A release that somebody approved for a later moment. `expected` were the recipients when she did, `reached` those
    at the release."""

    planned_by: UUID
    planned_at: datetime
    release_at: datetime
    expected: int
    state: PlanState = PlanState.WAITING
    ended_at: datetime | None = None
    reached: int | None = None

    @property
    def waiting(self) -> bool:
        """True until it is released, taken back or given up."""
        return self.state is PlanState.WAITING

    @property
    def comes_twice(self) -> str:
        """In the hour that the clocks go through twice: `summer` for the first time, `winter` for the second."""
        local = self.release_at.astimezone(HELSINKI)
        if local.replace(fold=0).utcoffset() == local.replace(fold=1).utcoffset():
            return ""
        return "winter" if local.fold else "summer"


@dataclass(frozen=True)
class Revision:
    """A revision as it is kept. `edition` grows with every change of the guidance's text, through all revisions."""

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
    alone_because: str | None = None
    plan: Plan | None = None

    @property
    def letter_id(self) -> UUID:
        """The letter of this revision: always the same, so that it can be planned only once."""
        return letter_of_number(self.guidance_id, self.number)

    @property
    def corrects(self) -> bool:
        """True if it follows earlier revisions."""
        return self.number > 1

    def current(self, now: datetime) -> bool:
        """True while it is in force."""
        return self.state is State.PUBLISHED and self.expires_at is not None and self.expires_at > now

    def correction(self, kind: Kind, draft: Draft, *, by: UUID, now: datetime) -> "Revision":
        """The revision that follows this one: same groups, places and situation; it waits for approval at once.

        A withdrawal keeps the texts, of which it takes only the notes. Raises ValueError for what cannot be corrected.
        """
        if kind is Kind.ALERT or not self.state.correctable:
            raise ValueError(f"a revision that is {self.state} is not followed by a revision of kind {kind}")
        return Revision(
            realm=self.realm,
            guidance_id=self.guidance_id,
            number=self.number + 1,
            kind=kind,
            state=State.IN_REVIEW,
            draft=self.corrected(kind, draft),
            edition=self.edition + 1,
            written_by=by,
            writers=frozenset({by}),
            created_at=self.created_at,
            submitted_at=now,
        )

    def corrected(self, kind: Kind, draft: Draft) -> Draft:
        """The draft of a correction as far as it may differ from this revision."""
        texts = dict(draft.texts)
        if kind is Kind.CANCEL:
            notes = {locale: text.note for locale, text in draft.texts.items()}
            texts = {
                locale: Text(text.headline, text.text, notes.get(locale, ""))
                for locale, text in self.draft.texts.items()
            }
        return Draft(texts, self.draft.matching, draft.valid_hours, self.draft.situation_id)

    def approve(
        self, *, by: UUID, word: str, edition: int, reach: Reach, now: datetime, alone_because: str = ""
    ) -> Approval | Refusal:
        """Release this revision, or say why not. `edition` is the one that the approver has read.

        `alone_because` asks for a release by the writer herself; that needs words of its own. Where another person
        wrote the text it means nothing.
        """
        alone = bool(alone_because.strip()) and self._own(by)
        refusal = self._refusal(by=by, word=word, edition=edition, reach=reach, alone_because=alone_because)
        if refusal:
            return refusal
        return self._approval(by, at=now, since=now, alone_because=alone_because.strip() if alone else None)

    def planned(
        self, release_at: datetime, *, by: UUID, word: str, edition: int, reach: Reach, now: datetime
    ) -> Plan | Refusal:
        """Approve this revision for a later moment, or say why not. Nobody does that alone: an emergency is now."""
        refusal = self._refusal(by=by, word=word, edition=edition, reach=reach, alone_because="")
        return refusal or Plan(by, now, release_at, reach.total)

    def when_due(self, plan: Plan, *, reach: Reach, situation_over: bool, now: datetime) -> PlanState:
        """What becomes of a plan whose moment has come. A withdrawal goes out also after the situation is over."""
        rules = (
            (self.state.released, PlanState.OVERTAKEN),
            (reach.over, PlanState.EXERCISE_OVER),
            (situation_over and self.kind is not Kind.CANCEL, PlanState.SITUATION_OVER),
            (now - plan.release_at > STILL_RIGHT, PlanState.TOO_LATE),
            (not self.worthwhile(reach), PlanState.REACHES_NOBODY),
        )
        return next((state for broken, state in rules if broken), PlanState.RELEASED)

    def release(self, plan: Plan, now: datetime) -> Approval:
        """The release that was planned. It holds from its planned moment, as its approver was told."""
        return self._approval(plan.planned_by, at=now, since=plan.release_at, alone_because=None)

    def worthwhile(self, reach: Reach) -> bool:
        """True if somebody is told by a release: by a letter, or by a correction of what can be read already."""
        return reach.total > 0 or self.corrects

    def ends_at(self, since: datetime) -> datetime:
        """Until when it holds if it is released at this moment."""
        return since + (CANCEL_SHOWN if self.kind is Kind.CANCEL else timedelta(hours=self.draft.valid_hours))

    def _approval(self, by: UUID, *, at: datetime, since: datetime, alone_because: str | None) -> Approval:
        return Approval(
            approved_by=by,
            approved_at=at,
            expires_at=self.ends_at(since),
            state=State.CANCELLED if self.kind is Kind.CANCEL else State.PUBLISHED,
            event=GuidancePublished(
                happened_at=at,
                realm=self.realm,
                guidance_id=self.guidance_id,
                revision=self.number,
                situation_id=self.draft.situation_id,
                kind=self.kind,
                alone=alone_because is not None,
            ),
            alone_because=alone_because,
        )

    def _own(self, by: UUID) -> bool:
        return by == self.written_by or by in self.writers

    def _refusal(self, *, by: UUID, word: str, edition: int, reach: Reach, alone_because: str) -> Refusal | None:
        alone = bool(alone_because.strip()) and self._own(by)
        rules = (
            (self.state is not State.IN_REVIEW, Refusal.NOT_SUBMITTED),
            (self._own(by) and not alone, Refusal.OWN_TEXT),
            (edition != self.edition, Refusal.CHANGED),
            (reach.over, Refusal.EXERCISE_OVER),
            (not self.worthwhile(reach), Refusal.REACHES_NOBODY if self.realm.live else Refusal.NOBODY_TAKES_PART),
            (alone and len(alone_because.strip()) < SHORTEST_REASON, Refusal.NO_REASON),
            (" ".join(word.upper().split()) not in _words(self.realm, alone=alone), Refusal.WRONG_WORD),
        )
        return next((refusal for broken, refusal in rules if broken), None)


def _words(realm: Realm, *, alone: bool) -> frozenset[str]:
    if alone:
        return CONFIRM_ALONE_LIVE if realm.live else CONFIRM_ALONE_EXERCISE
    return CONFIRM_LIVE if realm.live else CONFIRM_EXERCISE


def letter_of_number(guidance_id: UUID, number: int) -> UUID:
    """The id of the letter of one revision."""
    return uuid5(guidance_id, str(number))


@dataclass(frozen=True)
class Earlier:
    """A released revision as those after it refer to it."""

    guidance_id: UUID
    number: int
    kind: Kind
    sent_at: datetime


@dataclass(frozen=True)
class Progress:
    """How far a broadcast is. Until it is planned, `counts` may not hold all recipients yet. Of the sent ones, so many
    came back: that may take days."""

    counts: Counts
    planned: bool
    finished: bool
    returned: int = 0

    @property
    def settled(self) -> int:
        """Recipients with a final state."""
        return self.counts.total - self.counts.open


def short(locale: Locale) -> str:
    """The locale's name in fields and addresses: `selko` for easy Finnish, else its own."""
    return locale.value.rpartition("@")[2]
