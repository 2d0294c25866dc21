"""Model: which answers of an association are kept beside the newest, and how long one that is pinned counts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict

from shared.events.intake import Channel, CheckInReceived, OperatingStatus
from shared.i18n import N_, Locale, texts

WITHIN = timedelta(seconds=60)
"""Answers of another status that are so much older than the newest at most were given without knowing of it."""

REASON_LENGTH = 300

CHANNEL_NAMES = {
    Channel.LINK: N_("By link"),
    Channel.EMAIL: N_("By email"),
    Channel.PHONE: N_("By phone"),
    Channel.PAPER: N_("On paper"),
    Channel.API: N_("From the system of a partner"),
}


class Flaw(StrEnum):
    """Why an answer was not pinned."""

    NOT_CHOSEN = "not chosen"
    NO_REASON = "no reason"
    REASON_TOO_LONG = "reason too long"
    ANSWERS_CHANGED = "answers changed"
    SITUATION_CLOSED = "situation closed"


class Place(NamedTuple):
    """Where an answer stands among others of its association: the later is the newer."""

    reported_at: AwareDatetime
    checkin_id: UUID


class Answer(BaseModel):
    """What an association said, until when that is fresh, and how it came. No channel: from before it was kept."""

    model_config = ConfigDict(frozen=True)

    checkin_id: UUID
    status: OperatingStatus
    reported_at: AwareDatetime
    fresh_until: AwareDatetime
    until: AwareDatetime | None = None
    channel: Channel | None = None

    @property
    def place(self) -> Place:
        """Where it stands among others."""
        return Place(self.reported_at, self.checkin_id)


class Pin(BaseModel):
    """The answer that counts, why, and who said so. `over` is the newest answer that this person saw."""

    model_config = ConfigDict(frozen=True)

    answer: Answer
    over: Place
    reason: str
    by: UUID
    at: AwareDatetime

    def holds(self, answers: Sequence[Answer]) -> bool:
        """True until there is an answer newer than those between which it was chosen."""
        return answers[-1].place <= self.over


def channel_names(locale: Locale) -> dict[Channel | None, str]:
    """How an answer came, in words; None where that is not known."""
    _ = texts(locale)
    return {None: _("Way not known"), **{channel: _(name) for channel, name in CHANNEL_NAMES.items()}}


def kept(answers: Iterable[Answer]) -> tuple[Answer, ...]:
    """The newest answer of each status within WITHIN of the newest of all, the oldest first.

    A maximum of maxima: in whichever order answers come, and however often, the same are kept.
    """
    newest = {one.status: one for one in sorted(answers, key=lambda one: one.place)}
    in_order = sorted(newest.values(), key=lambda one: one.place)
    return tuple(one for one in in_order if in_order[-1].reported_at - one.reported_at <= WITHIN)


def answer_of(checkin: CheckInReceived, freshness: timedelta) -> Answer:
    """What a check-in says, and until when it is fresh."""
    fresh_until = checkin.reported_at + freshness
    if checkin.until is not None and checkin.until > checkin.reported_at:
        fresh_until = min(fresh_until, checkin.until)
    return Answer(
        checkin_id=checkin.checkin_id,
        status=checkin.status,
        reported_at=checkin.reported_at,
        fresh_until=fresh_until,
        until=checkin.until,
        channel=checkin.channel,
    )


@dataclass(frozen=True)
class Choice:
    """The answer that somebody wants to count, of those that were `seen`, and why. Nothing in it is checked yet."""

    answer: UUID | None
    seen: frozenset[UUID]
    reason: str
    by: UUID


def choose(choice: Choice, answers: Sequence[Answer]) -> tuple[Answer | None, tuple[Flaw, ...]]:
    """The chosen one of these answers, and every reason why it may not be pinned."""
    present = {one.checkin_id: one for one in answers}
    chosen = present.get(choice.answer) if choice.answer else None
    unchanged = len(present) > 1 and present.keys() == choice.seen
    checks = (
        (unchanged, Flaw.ANSWERS_CHANGED),
        (chosen is not None or not unchanged, Flaw.NOT_CHOSEN),
        (bool(choice.reason), Flaw.NO_REASON),
        (len(choice.reason) <= REASON_LENGTH, Flaw.REASON_TOO_LONG),
    )
    return chosen, tuple(flaw for holds, flaw in checks if not holds)
