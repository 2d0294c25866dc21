"""Calling model: what comes of a call, and when the same association is called again."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from itertools import chain

from services.intake.checkin.model import Said
from shared.i18n import HELSINKI

CLAIM = timedelta(minutes=15)
"""For so long one person alone has a call; then it may be taken by another."""

CALL_AGAIN = timedelta(hours=1)
"""After nobody picked up."""

NOTE_LIMIT = 300


class Outcome(StrEnum):
    """What came of a call that brought no answer."""

    NO_ANSWER = "no_answer"
    CALL_BACK = "call_back"
    WRONG_NUMBER = "wrong_number"


@dataclass(frozen=True)
class Attempt:
    """A call that brought no answer: it is made again at `not_before`, None where that would not help."""

    outcome: Outcome
    note: str
    not_before: datetime | None


def attempt(outcome: Outcome, note: str, *, at: time | None, now: datetime) -> Attempt:
    """What is kept of a call without an answer. `at` is the time of day, in Finland, that was agreed upon."""
    match outcome:
        case Outcome.NO_ANSWER:
            return Attempt(outcome, note, now + CALL_AGAIN)
        case Outcome.CALL_BACK:
            return Attempt(outcome, note, next_time(at, now) if at else now + CALL_AGAIN)
        case Outcome.WRONG_NUMBER:
            return Attempt(outcome, note, None)


def next_time(at: time, now: datetime) -> datetime:
    """The next moment at which clocks in Finland show this time."""
    local = now.astimezone(HELSINKI)
    today = datetime.combine(local.date(), at, HELSINKI)
    return today if today > now else datetime.combine(local.date() + timedelta(days=1), at, HELSINKI)


def most_needed(said: Iterable[Said], codes: Sequence[str]) -> dict[str, int]:
    """How many ask for each capability of these codes, most first; those for which nobody asks are left out."""
    asked = [need.capability for need in chain.from_iterable(one.needs for one in said)]
    counts = {code: asked.count(code) for code in codes if code in asked}
    return dict(sorted(counts.items(), key=lambda pair: -pair[1]))
