"""Model: when the silent are reminded, what their silence is called meanwhile, and when a round is opened anew."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from itertools import count
from uuid import UUID

from services.status.association.model import Filter
from services.status.situation.model import Flaw, Refused, Round
from shared.events.status import RoundReminded
from shared.i18n import HELSINKI, N_
from shared.quiet_hours import BEGINS, ENDS, not_quiet
from shared.realm import Realm

APART = timedelta(hours=1)
"""Reminders that would come sooner than this after one another, or before the end, are left out."""


EVERY_HOURS = (2, 3, 4, 6, 8, 12, 24, 48)
"""How often a round may be opened anew. From a day on it is at one hour of each day, or of each second one."""

PUNCTUAL = timedelta(minutes=10)
"""So late after its time a round of a series still counts as opened in time."""


class Phase(StrEnum):
    """What it means that somebody has not answered yet."""

    EXPECTED = "expected"
    LATE = "late"
    SILENT = "silent"
    OVER = "over"


PHASE_NAMES = {
    Phase.EXPECTED: N_("Answers are expected."),
    Phase.LATE: N_("Those who have not answered are late."),
    Phase.SILENT: N_("Those who have not answered are silent: they are reminded no more."),
    Phase.OVER: N_("No more answers are taken."),
}


@dataclass(frozen=True)
class Due:
    """A reminder that is due: the number of it, of how many, and when the next one is, if any."""

    number: int
    of: int
    then: datetime | None


def reminder_times(round_: Round) -> tuple[datetime, ...]:
    """When the silent are reminded: evenly over the time to answer, never at night unless the round is urgent.

    At most `round_.reminders` of them; one that the night moves to another or to the end is left out.
    """
    step = (round_.closes_at - round_.opened_at) / (round_.reminders + 1)
    times: list[datetime] = []
    last = round_.opened_at
    for number in range(1, round_.reminders + 1):
        wanted = round_.opened_at + number * step
        at = wanted if round_.urgent else not_quiet(wanted)
        if at - last >= APART and round_.closes_at - at >= APART:
            times.append(at)
            last = at
    return tuple(times)


def due_reminder(round_: Round, now: datetime) -> Due | None:
    """The reminder to send now, or None. After an outage only the newest that was missed is sent, and not at night."""
    times = reminder_times(round_)
    passed = sum(at <= now for at in times)
    if round_.closed_at is not None or passed <= round_.reminded or now >= round_.closes_at:
        return None
    if not round_.urgent and not_quiet(now) != now:
        return None
    return Due(passed, len(times), times[passed] if passed < len(times) else None)


def next_reminder(round_: Round) -> datetime | None:
    """When the first reminder that has not been sent is due, or None."""
    times = reminder_times(round_)
    more = round_.closed_at is None and round_.reminded < len(times)
    return times[round_.reminded] if more else None


def phase(round_: Round, now: datetime) -> Phase:
    """What silence is called now. It follows from the times alone."""
    times = reminder_times(round_)
    if round_.closed_at is not None or now >= round_.closes_at:
        return Phase.OVER
    if not times or now < times[0]:
        return Phase.EXPECTED
    return Phase.LATE if now < times[-1] else Phase.SILENT


def round_reminded(round_: Round, due: Due, now: datetime) -> RoundReminded:
    """The event that has the silent reminded."""
    return RoundReminded(
        happened_at=now,
        realm=round_.realm,
        situation_id=round_.situation_id,
        round_id=round_.id,
        number=due.number,
        last=due.number == due.of,
    )


@dataclass(frozen=True)
class Recurrence:
    """Every so many hours, between these hours of the day in Finland (the second is not one of them any more)."""

    every: int
    begins: int
    ends: int


@dataclass(frozen=True)
class Series:
    """A round that is opened anew again and again, as long as its situation is open and nobody ends it. Its id is that
    of its first round."""

    realm: Realm
    id: UUID
    situation_id: UUID
    asks: Filter
    recurs: Recurrence
    hours: int
    urgent: bool
    reminders: int
    opened_by: UUID
    opened_at: datetime
    next_at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True)
class Turn:
    """The time of a series has come: whether it asks now, and when its time comes next."""

    asks: bool
    then: datetime


def recur(round_: Round, recurs: Recurrence) -> tuple[Round, Series] | Refused:
    """The first round of a series and the series; refused where the hours cannot be, or are at night unasked."""
    by_day = round_.urgent or (recurs.begins >= ENDS.hour and recurs.ends <= BEGINS.hour)
    if recurs.every not in EVERY_HOURS or not 0 <= recurs.begins < recurs.ends <= 24 or not by_day:
        return Refused((Flaw.RECURRENCE_OUT_OF_RANGE,))
    then = slot_after(recurs, round_.opened_at, since=round_.opened_at)
    series = Series(
        realm=round_.realm,
        id=round_.id,
        situation_id=round_.situation_id,
        asks=round_.asks,
        recurs=recurs,
        hours=round((round_.closes_at - round_.opened_at) / timedelta(hours=1)),
        urgent=round_.urgent,
        reminders=round_.reminders,
        opened_by=round_.opened_by,
        opened_at=round_.opened_at,
        next_at=then,
    )
    return replace(round_, series_id=series.id, closes_at=min(round_.closes_at, then)), series


def slot_after(recurs: Recurrence, moment: datetime, *, since: datetime) -> datetime:
    """The first time of the series after a moment, in UTC; `since` is when it began.

    Times are of the wall clock in Finland, so they stay the same when the clocks are changed. An hour that is left out
    in spring is asked at the next, one that comes twice in autumn is asked at once only.
    """
    first = since.astimezone(HELSINKI).date()
    today = moment.astimezone(HELSINKI).date()
    days, hours = max(1, recurs.every // 24), range(recurs.begins, recurs.ends, recurs.every)
    for ahead in count():
        day = today + timedelta(days=ahead)
        for hour in hours if (day - first).days % days == 0 else ():
            at = datetime.combine(day, time(hour), HELSINKI).astimezone(UTC)
            if at > moment:
                return at
    raise AssertionError("a series has a next time")  # pragma: no cover - count() does not end


def turn(series: Series, now: datetime) -> Turn | None:
    """What a series does now; None if its time has not come.

    What was missed while nothing ran is made up for by one round at most, by day, and only if half of the time to the
    next one is left; otherwise that one is waited for.
    """
    if series.ended_at is not None or now < series.next_at:
        return None
    then = slot_after(series.recurs, now, since=series.opened_at)
    if now - series.next_at <= PUNCTUAL:
        return Turn(asks=True, then=then)
    in_hours = series.recurs.begins <= now.astimezone(HELSINKI).hour < series.recurs.ends
    return Turn(asks=in_hours and then - now >= timedelta(hours=series.recurs.every) / 2, then=then)


def next_round(series: Series, then: datetime, *, round_id: UUID, now: datetime) -> Round:
    """The series' round that opens now: it ends before the next one opens."""
    return Round(
        realm=series.realm,
        id=round_id,
        situation_id=series.situation_id,
        asks=series.asks,
        opened_at=now,
        closes_at=min(now + timedelta(hours=series.hours), then),
        opened_by=series.opened_by,
        urgent=series.urgent,
        reminders=series.reminders,
        series_id=series.id,
    )
