"""When contacts are asked about their details."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.intake.confirmation.model import Reason, half_year, wait
from shared.i18n import HELSINKI

moments = st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - made aware


@given(moments, moments)
def test_half_years_follow_one_another(one: datetime, other: datetime) -> None:
    assert (half_year(min(one, other)) <= half_year(max(one, other))) is True


def test_a_half_year_begins_in_january_and_july_in_finland() -> None:
    newyear = datetime(2027, 1, 1, tzinfo=HELSINKI)

    assert half_year(newyear - timedelta(seconds=1)) == "2026-2"
    assert half_year(newyear) == "2027-1"
    assert half_year(datetime(2027, 7, 1, tzinfo=HELSINKI)) == "2027-2"


@given(moments, st.booleans())
def test_nobody_gets_a_letter_while_a_round_is_open(now: datetime, by_itself: bool) -> None:
    assert wait(now, by_itself=by_itself, round_open=True) is Reason.ROUND_OPEN
    assert wait(now, by_itself=False, round_open=False) is Reason.NONE


@given(moments)
def test_what_begins_by_itself_keeps_to_office_time(now: datetime) -> None:
    here = now.astimezone(HELSINKI)
    office = here.weekday() < 5 and 9 <= here.hour < 17

    assert (wait(now, by_itself=True, round_open=False) is Reason.NONE) is office
