"""Quiet hours follow Finland's wall clock, through both changes of it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.i18n import HELSINKI
from shared.quiet_hours import not_quiet, quiet

moments = st.integers(0, 2 * 365 * 24 * 60).map(
    lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)


@pytest.mark.parametrize(
    ("utc", "expected"),
    [
        ("2026-11-21T18:59", False),  # 20:59 in winter
        ("2026-11-21T19:00", True),
        ("2026-11-22T04:59", True),
        ("2026-11-22T05:00", False),
        ("2026-07-01T17:59", False),  # 20:59 in summer
        ("2026-07-01T18:00", True),
        ("2026-07-02T04:00", False),
        ("2026-03-29T03:59", True),  # the morning on which clocks go forward: 06:59 in summer time already
        ("2026-03-29T04:00", False),
        ("2026-10-25T04:59", True),  # the morning on which they go back
        ("2026-10-25T05:00", False),
    ],
)
def test_the_wall_clock_decides(utc: str, expected: bool) -> None:
    assert quiet(datetime.fromisoformat(f"{utc}+00:00")) is expected


@given(moments)
def test_what_is_put_off_comes_in_the_next_morning_and_no_later(moment: datetime) -> None:
    later = not_quiet(moment)

    assert not quiet(later)
    assert later.tzinfo is UTC
    assert (later == moment) == (not quiet(moment))
    assert timedelta(0) <= later - moment <= timedelta(hours=11)
    if later != moment:
        assert (later.astimezone(HELSINKI).hour, later.astimezone(HELSINKI).minute) == (7, 0)
