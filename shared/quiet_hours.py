"""Quiet hours: at night nobody is written to, unless it is urgent. Finland's own wall clock decides."""

from datetime import datetime, time, timedelta

from shared.i18n import HELSINKI

BEGINS = time(21)
ENDS = time(7)


def quiet(moment: datetime) -> bool:
    """True from nine in the evening to seven in the morning in Finland."""
    wall = moment.astimezone(HELSINKI).time()
    return wall >= BEGINS or wall < ENDS


def not_quiet(moment: datetime) -> datetime:
    """The moment itself, or seven o'clock of the morning that follows a quiet one; in the moment's own time zone."""
    if not quiet(moment):
        return moment
    local = moment.astimezone(HELSINKI)
    morning = local.date() + timedelta(days=local.time() >= BEGINS)
    return datetime.combine(morning, ENDS, HELSINKI).astimezone(moment.tzinfo)
