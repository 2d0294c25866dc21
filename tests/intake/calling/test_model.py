"""When an association is called again, and what is needed most."""

from datetime import UTC, datetime, time, timedelta

import pytest

from services.intake.calling.model import CALL_AGAIN, Outcome, attempt, most_needed, next_time
from services.intake.checkin.model import Said
from shared.events.intake import Amount, OperatingStatus
from tests.fakes import STORM_EVENING


def utc(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "at", "moment"),
    [
        (utc(11, 21, 18), time(21, 0), utc(11, 21, 19)),
        (utc(11, 21, 18), time(20, 0), utc(11, 22, 18)),
        (utc(11, 21, 18), time(9, 30), utc(11, 22, 7, 30)),
        (utc(3, 28, 18), time(9, 0), utc(3, 29, 6)),
        (utc(10, 24, 18), time(9, 0), utc(10, 25, 7)),
    ],
)
def test_a_time_of_day_is_the_next_one_on_the_clocks_of_finland(now: datetime, at: time, moment: datetime) -> None:
    assert next_time(at, now) == moment


def test_nobody_is_called_again_too_soon_and_a_wrong_number_not_at_all() -> None:
    now = STORM_EVENING

    assert attempt(Outcome.NO_ANSWER, "", at=time(9), now=now).not_before == now + CALL_AGAIN
    assert attempt(Outcome.CALL_BACK, "", at=None, now=now).not_before == now + CALL_AGAIN
    assert attempt(Outcome.CALL_BACK, "", at=time(21), now=now).not_before == now + timedelta(hours=1)
    assert attempt(Outcome.WRONG_NUMBER, "", at=time(9), now=now).not_before is None


def test_the_capability_that_most_ask_for_comes_first() -> None:
    def asking(*codes: str) -> Said:
        return Said(status=OperatingStatus.LIMITED, needs=tuple(Amount(capability=code) for code in codes))

    needed = most_needed([asking("errands"), asking("transport", "errands"), asking()], ["transport", "errands", "x"])

    assert list(needed.items()) == [("errands", 2), ("transport", 1)]
