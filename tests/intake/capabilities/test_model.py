"""What an answer is worth when somebody asks who can help."""

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.intake.capabilities.model import FRESH_FOR, Able, Answered, Standing, enough, order, standing
from shared.events.intake import OperatingStatus
from shared.ids import new_id
from tests.fakes import STORM_EVENING

AVAILABLE = {Standing.OFFERED, Standing.OPERATING}
moments = st.timedeltas(timedelta(hours=-48), timedelta(hours=48)).map(lambda ago: STORM_EVENING - ago)
answers = st.builds(Answered, st.sampled_from(OperatingStatus), moments, st.none() | moments, st.booleans())


@given(st.none() | answers, st.booleans())
def test_only_a_fresh_answer_of_one_who_operates_counts_as_available(answered: Answered | None, asked: bool) -> None:
    found = standing(answered, asked=asked, now=STORM_EVENING)

    if found in AVAILABLE:
        assert answered is not None
        assert answered.status is not OperatingStatus.SUSPENDED
        assert STORM_EVENING - answered.at <= FRESH_FOR
        assert answered.until is None or answered.until >= STORM_EVENING
    if answered is None:
        assert found is (Standing.NO_ANSWER if asked else Standing.NOT_ASKED)


@given(moments, moments)
def test_an_answer_only_grows_old(now: datetime, later: datetime) -> None:
    answered = Answered(OperatingStatus.NORMAL, STORM_EVENING)
    before, after = sorted([now, later])

    if standing(answered, asked=True, now=before) is Standing.OUT_OF_DATE:
        assert standing(answered, asked=True, now=after) is Standing.OUT_OF_DATE


def test_those_who_offer_come_first_and_who_is_suspended_last() -> None:
    able = [
        Able(association_id=new_id(), name=one.value, municipality="061", registered=True, standing=one)
        for one in reversed(Standing)
    ]

    assert [one.standing for one in sorted(able, key=order)] == list(Standing)


def test_where_nobody_counted_one_is_certain() -> None:
    uncounted = Able(association_id=new_id(), name="A", municipality="061", registered=True)

    assert enough(uncounted, 1)
    assert not enough(uncounted, 2)
