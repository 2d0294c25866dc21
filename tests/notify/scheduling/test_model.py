"""The moment that is meant by a day and a time in Finland, also in the nights when the clocks are changed."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.notify.guidance.model import Plan
from services.notify.scheduling.model import AHEAD, WallClock, hour_comes_twice, moment_of
from services.notify.subscribers.model import Problem
from shared.i18n import HELSINKI
from shared.ids import new_id
from tests.fakes import STORM_EVENING

OCTOBER = datetime(2026, 10, 24, 12, tzinfo=UTC)
MARCH = datetime(2027, 3, 27, 12, tzinfo=UTC)


@pytest.mark.parametrize("at", ["22:30", "22.30", " 22:30 "])
def test_a_time_is_that_of_the_wall_clock_in_finland(at: str) -> None:
    meant = moment_of(WallClock("2026-11-21", at), STORM_EVENING)

    assert meant == datetime(2026, 11, 21, 20, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("day", "at", "field"),
    [
        ("", "22:30", "day"),
        ("31.12.2026", "22:30", "day"),
        ("9999-12-31", "22:30", "day"),
        ("2026-11-21", "", "at"),
        ("2026-11-21", "25:00", "at"),
        ("2026-11-21", "20:00", "at"),
        ("2026-11-20", "23:00", "at"),
        ("2027-03-01", "08:00", "day"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(day: str, at: str, field: str) -> None:
    wrong = moment_of(WallClock(day, at), STORM_EVENING)

    assert isinstance(wrong, Problem)
    assert wrong.field == field


@pytest.mark.parametrize("at", ["03:00", "03:30", "03:59"])
def test_a_time_that_does_not_exist_is_explained(at: str) -> None:
    wrong = moment_of(WallClock("2027-03-28", at), MARCH)

    assert isinstance(wrong, Problem)
    assert "go forward" in wrong.message
    assert not hour_comes_twice(WallClock("2027-03-28", at))
    assert moment_of(WallClock("2027-03-28", "04:00"), MARCH) == datetime(2027, 3, 28, 1, tzinfo=UTC)


def test_a_time_that_comes_twice_must_be_named() -> None:
    typed = WallClock("2026-10-25", "03:30")
    wrong = moment_of(typed, OCTOBER)

    assert isinstance(wrong, Problem)
    assert wrong.field == "which"
    assert hour_comes_twice(typed)
    for which, hour, half in (("first", 0, "summer"), ("second", 1, "winter")):
        meant = moment_of(WallClock("2026-10-25", "03:30", which), OCTOBER)
        wanted = datetime(2026, 10, 25, hour, 30, tzinfo=UTC)
        assert meant == wanted
        assert Plan(new_id(), OCTOBER, wanted, 1).comes_twice == half
    assert moment_of(WallClock("2026-10-25", "04:00"), OCTOBER) == datetime(2026, 10, 25, 2, tzinfo=UTC)


@settings(max_examples=50)
@given(st.datetimes(datetime(2026, 10, 1), datetime(2027, 4, 10)))  # noqa: DTZ001 - of the wall clock
def test_every_minute_is_a_moment_or_is_explained(wall: datetime) -> None:
    typed = WallClock(wall.date().isoformat(), f"{wall:%H:%M}")
    noon_before = datetime(wall.year, wall.month, wall.day, tzinfo=UTC) - timedelta(days=1)

    meant = moment_of(typed, noon_before)

    if isinstance(meant, Problem):
        assert wall.hour == 3
        assert meant.field in {"at", "which"}
    else:
        assert f"{meant.astimezone(HELSINKI):%Y-%m-%d %H:%M}" == f"{typed.day} {typed.at}"
        assert noon_before < meant <= noon_before + AHEAD
        assert Plan(new_id(), noon_before, meant, 1).comes_twice == ""
