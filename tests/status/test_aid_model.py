"""Offers and needs: what an answer tells, and which offers are proposed for a need."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.status.aid.model import PROPOSED, Aid, Course, Nearness, Side, match, nearness, told
from tests.fakes import STORM_EVENING
from tests.status.people import FORSSA, HATTULA, LOPPI, TAMMELA, checkin, round_of, storm

NEED = Aid(UUID(int=1), "Aino", TAMMELA, Side.NEED, "transport", 4, STORM_EVENING, None, fresh=True)

aids = st.builds(
    Aid,
    association_id=st.integers(1, 9).map(lambda number: UUID(int=number)),
    name=st.just("x"),
    municipality=st.sampled_from([TAMMELA, FORSSA, HATTULA, LOPPI, "999"]),
    side=st.just(Side.OFFER),
    capability=st.sampled_from(["transport", "first-aid"]),
    amount=st.none() | st.integers(1, 9),
    reported_at=st.integers(0, 90).map(lambda minutes: STORM_EVENING + timedelta(minutes=minutes)),
    until=st.none(),
    fresh=st.booleans(),
    course=st.sampled_from(Course),
)


def test_of_two_amounts_for_one_capability_the_larger_is_told() -> None:
    news = checkin("Aino", round_of(storm().situation), offers={"transport": 2}, needs={"food-aid": None})
    again = news.model_copy(update={"offers": (*news.offers, *news.offers), "needs": news.needs})

    assert told(again) == {(Side.OFFER, "transport"): 2, (Side.NEED, "food-aid"): None}


def test_places_are_as_near_as_their_sub_regions() -> None:
    assert nearness(TAMMELA, TAMMELA) is Nearness.SAME_MUNICIPALITY
    assert nearness(TAMMELA, FORSSA) is Nearness.SAME_SUB_REGION
    assert nearness(TAMMELA, LOPPI) is Nearness.FURTHER
    assert nearness("999", "998") is Nearness.FURTHER


@given(st.lists(aids, max_size=12))
def test_proposals_are_others_open_fresh_offers_of_the_same_the_best_first(offers: list[Aid]) -> None:
    [matched] = match([NEED], offers)

    proposed = matched.proposals
    assert len(proposed) <= PROPOSED
    for one in proposed:
        assert one.offer.capability == NEED.capability
        assert one.offer.association_id != NEED.association_id
        assert one.offer.fresh
        assert one.offer.course is Course.OPEN
    order = [(not one.enough(NEED), one.nearness) for one in proposed]
    assert order == sorted(order)
    if any(one.enough(NEED) for one in match([replace(NEED, amount=None)], offers)[0].proposals):
        assert proposed


@given(st.lists(aids, max_size=5), st.sampled_from([Course.AGREED, Course.CLOSED]))
def test_what_is_no_longer_open_gets_no_proposals(offers: list[Aid], course: Course) -> None:
    assert match([replace(NEED, course=course)], offers)[0].proposals == []
