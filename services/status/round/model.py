"""Model: when the silent are reminded, and what their silence is called meanwhile."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from services.status.situation.model import Round
from shared.events.status import RoundReminded
from shared.i18n import N_
from shared.quiet_hours import not_quiet

APART = timedelta(hours=1)
"""Reminders that would come sooner than this after one another, or before the end, are left out."""


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
