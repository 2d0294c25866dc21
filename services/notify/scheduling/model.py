"""Model of scheduling: the moment that somebody means by a day and a time of the wall clock in Finland."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from services.notify.subscribers.model import Problem
from shared.i18n import HELSINKI, N_

AHEAD = timedelta(days=31)
"""So far ahead a release can be planned: what is to be said later than that is not known yet."""

YEARS = range(2000, 2200)
FIRST, SECOND = "first", "second"
"""Which of the two hours of the same name, when the clocks go back."""


@dataclass(frozen=True)
class WallClock:
    """A day and a time as they come from a form; `which` says which hour is meant where there are two."""

    day: str
    at: str
    which: str = ""


def moment_of(typed: WallClock, now: datetime) -> datetime | Problem:
    """The moment that is meant, in UTC, or what is wrong with it.

    In the night when the clocks go forward an hour is left out; when they go back, one comes twice and must be named.
    """
    day, at = _day(typed.day), _time(typed.at)
    if day is None:
        return Problem("day", N_("Choose a day."))
    if at is None:
        return Problem("at", N_("Write a time, for example 16:30."))
    meant = _in_finland(datetime.combine(day, at), typed.which)
    if isinstance(meant, datetime) and meant <= now:
        return Problem("at", N_("This moment is over. Choose a later one."))
    if isinstance(meant, datetime) and meant > now + AHEAD:
        return Problem("day", N_("Choose a day within a month."))
    return meant


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        return None
    return day if day.year in YEARS else None


def _time(text: str) -> time | None:
    try:
        return time.fromisoformat(text.strip().replace(".", ":")).replace(tzinfo=None)
    except ValueError:
        return None


def _in_finland(wall: datetime, which: str) -> datetime | Problem:
    first, second = (wall.replace(tzinfo=HELSINKI, fold=fold) for fold in (0, 1))
    if first.astimezone(UTC).astimezone(HELSINKI).replace(tzinfo=None) != wall:
        return Problem(
            "at", N_("In that night the clocks go forward: from 3 to 4 there is no such time. Choose another.")
        )
    if first.utcoffset() != second.utcoffset() and which not in {FIRST, SECOND}:
        return Problem("which", N_("In that night the clocks go back: this time comes twice. Choose which one."))
    return (second if which == SECOND else first).astimezone(UTC)


def hour_comes_twice(typed: WallClock) -> bool:
    """True for a time that the clocks go through twice."""
    day, at = _day(typed.day), _time(typed.at)
    if day is None or at is None:
        return False
    return isinstance(_in_finland(datetime.combine(day, at), ""), Problem) and isinstance(
        _in_finland(datetime.combine(day, at), FIRST), datetime
    )
