"""Model of standing guidance: what it says, who may put it on the public page, and whose eyes it needs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.notify.guidance.model import VALID_HOURS, Draft, Refusal, Shown, Text
from services.notify.subscribers.model import Audience, Matching
from shared.i18n import N_, Locale
from shared.realm import Realm


class Form(StrEnum):
    """What it is: something to do step by step, or an example to follow."""

    CHECKLIST = "checklist"
    MODEL = "model"


FORMS = {Form.CHECKLIST: N_("Checklist"), Form.MODEL: N_("Model for preparedness")}


class Stage(StrEnum):
    """Where a text stands."""

    IN_REVIEW = "in_review"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class Advice:
    """What somebody writes. Without municipalities it is for the whole region; `withdraws` takes it from the page."""

    texts: dict[Locale, Text]
    form: Form
    areas: frozenset[str] = frozenset()
    withdraws: bool = False

    @property
    def draft(self) -> Draft:
        """The same as guidance is written: for everybody, of no situation."""
        return Draft(self.texts, Matching(frozenset(Audience), self.areas), VALID_HOURS[0])

    def shown(self, wanted: Locale) -> Shown:
        """The text for a reader: her language, or Finnish."""
        return self.draft.shown(wanted)


@dataclass(frozen=True)
class Standing:
    """A text as it is kept. `number` counts what was or is to be released of it, `edition` every change of this one."""

    realm: Realm
    standing_id: UUID
    number: int
    edition: int
    advice: Advice
    written_by: UUID
    writers: frozenset[UUID]
    written_at: datetime
    approved_by: UUID | None = None
    approved_at: datetime | None = None

    @property
    def stage(self) -> Stage:
        """Nothing is public before somebody else approved it."""
        if self.approved_at is None:
            return Stage.IN_REVIEW
        return Stage.WITHDRAWN if self.advice.withdraws else Stage.PUBLISHED

    def follow(self, advice: Advice, *, by: UUID, now: datetime) -> "Standing":
        """The next text in its place: the same one written anew while nobody approved it, else a new one."""
        waiting = self.stage is Stage.IN_REVIEW
        return replace(
            self,
            number=self.number if waiting else self.number + 1,
            edition=self.edition + 1,
            advice=advice,
            written_by=by,
            writers=(self.writers if waiting else frozenset[UUID]()) | {by},
            written_at=now,
            approved_by=None,
            approved_at=None,
        )

    def refusal(self, *, by: UUID, edition: int) -> Refusal | None:
        """Why this person may not put it on the public page now, or None. `edition` is the one that she has read."""
        rules = (
            (self.stage is not Stage.IN_REVIEW, Refusal.NOT_SUBMITTED),
            (by == self.written_by or by in self.writers, Refusal.OWN_TEXT),
            (edition != self.edition, Refusal.CHANGED),
        )
        return next((refusal for broken, refusal in rules if broken), None)


def near(known: Sequence[Standing], municipality: str | None) -> list[Standing]:
    """Those that concern a municipality (None: every one), checklists first, then by their Finnish headline."""
    found = [one for one in known if municipality is None or not one.advice.areas or municipality in one.advice.areas]
    return sorted(found, key=lambda one: (one.advice.form, one.advice.texts[Locale.FI].headline))
