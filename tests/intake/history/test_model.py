"""The history of answers: which contradict each other, and how each came."""

from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.checkin.model import CheckIn, Said
from services.intake.history.model import AT_ONCE, Past, contradicting, way
from shared.events.intake import Channel, OperatingStatus
from shared.ids import new_id
from tests.fakes import STORM_EVENING

HERE, THERE = new_id(), new_id()
ME, ANOTHER = new_id(), new_id()


def past(status: OperatingStatus, seconds: float, *, round_id: UUID = HERE, note: str = "") -> Past:
    at = STORM_EVENING + timedelta(seconds=seconds)
    return Past(CheckIn(new_id(), new_id(), Said(status=status, note=note), at, Channel.LINK), round_id)


def ids(*answers: Past) -> frozenset[UUID]:
    return frozenset(one.checkin.checkin_id for one in answers)


def test_two_that_differ_within_a_minute_contradict_each_other() -> None:
    first, second = past(OperatingStatus.NORMAL, 0), past(OperatingStatus.SUSPENDED, 60)
    third, fourth = past(OperatingStatus.NORMAL, 121), past(OperatingStatus.NORMAL, 122, note="x")

    assert contradicting([first, second, third, fourth]) == ids(first, second)
    assert contradicting([fourth, third, second, first]) == ids(first, second)


def test_answers_of_two_rounds_do_not() -> None:
    here, there = past(OperatingStatus.NORMAL, 0), past(OperatingStatus.LIMITED, 1, round_id=THERE)
    again = past(OperatingStatus.SUSPENDED, 2)

    assert contradicting([here, there, again]) == ids(here, again)


@given(st.lists(st.tuples(st.sampled_from(OperatingStatus), st.integers(0, 500)), max_size=12))
def test_one_is_flagged_only_beside_one_that_differs_in_time(told: list[tuple[OperatingStatus, int]]) -> None:
    answers = [past(status, seconds) for status, seconds in sorted(told, key=lambda one: one[1])]

    flagged = contradicting(answers)

    for one in (one.checkin for one in answers if one.checkin.checkin_id in flagged):
        assert any(
            other.checkin.said.status is not one.said.status
            and abs(other.checkin.reported_at - one.reported_at) <= AT_ONCE
            for other in answers
        )


@pytest.mark.parametrize(
    ("channel", "contact", "expected"),
    [
        (Channel.LINK, ME, "By this link"),
        (Channel.LINK, ANOTHER, "By the link of another contact"),
        (Channel.LINK, None, "By the link on paper"),
        (Channel.EMAIL, ME, "By email"),
        (Channel.PHONE, None, "By phone"),
        (Channel.PAPER, None, "On paper"),
    ],
)
def test_the_way_is_told_without_a_name(channel: Channel, contact: UUID | None, expected: str) -> None:
    said = Said(status=OperatingStatus.NORMAL)

    assert way(CheckIn(new_id(), new_id(), said, STORM_EVENING, channel, contact_id=contact), ME) == expected
