"""The readiness model: the newest report counts, time makes stale, and silence never makes anything look better."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.status.association.model import Traits
from services.status.readiness.model import (
    FRESH,
    Coverage,
    Dimension,
    Face,
    Standing,
    State,
    Tallies,
    TallyKey,
    Verdict,
    absorb,
    coverage,
    declined,
    expire,
    face,
    hear,
    not_reached,
    recounted,
    slot_of,
    tally_deltas,
)
from shared.events.intake import AssociationDeclined, AssociationNotReached, Channel, CheckInReceived, OperatingStatus
from shared.realm import LIVE
from tests.fakes import STORM_EVENING

FRESHNESS = timedelta(hours=12)
SITUATION, ROUND, OTHER_ROUND = UUID(int=1), UUID(int=2), UUID(int=3)
TRAITS = (
    Traits("834", "village", ("silta",), ("first-aid", "transport")),
    Traits("433", "sports", (), ("transport",)),
    Traits("061", "village", ("silta", "silta-youth")),
    Traits("000", "unheard of"),
)

News = CheckInReceived | AssociationNotReached | AssociationDeclined


def standing(number: int = 0) -> Standing:
    return Standing(
        realm=LIVE,
        situation_id=SITUATION,
        association_id=UUID(int=100 + number),
        **TRAITS[number % len(TRAITS)]._asdict(),
        state=State.NOT_ANSWERED,
        asked_at=STORM_EVENING,
        round_id=ROUND,
    )


def report(
    number: int = 0,
    *,
    minutes: int = 10,
    status: OperatingStatus = OperatingStatus.NORMAL,
    until: int | None = None,
    checkin_id: int | None = None,
) -> CheckInReceived:
    at = STORM_EVENING + timedelta(minutes=minutes)
    return CheckInReceived(
        happened_at=at,
        realm=LIVE,
        checkin_id=UUID(int=1000 + (minutes + 5000 if checkin_id is None else checkin_id)),
        association_id=UUID(int=100 + number),
        situation_id=SITUATION,
        round_id=ROUND,
        status=status,
        reported_at=at,
        channel=Channel.LINK,
        until=None if until is None else STORM_EVENING + timedelta(minutes=until),
    )


def nobody(number: int = 0, round_id: UUID = ROUND) -> AssociationNotReached:
    return AssociationNotReached(
        happened_at=STORM_EVENING,
        realm=LIVE,
        association_id=UUID(int=100 + number),
        situation_id=SITUATION,
        round_id=round_id,
        reason="no address",
    )


def not_this_time(number: int = 0, *, round_id: UUID = ROUND) -> AssociationDeclined:
    return AssociationDeclined(
        happened_at=STORM_EVENING,
        realm=LIVE,
        association_id=UUID(int=100 + number),
        situation_id=SITUATION,
        round_id=round_id,
    )


def told(before: Standing, news: News, *, minutes: int = 30) -> Standing:
    """The standing after the news, changed or not."""
    now = STORM_EVENING + timedelta(minutes=minutes)
    if isinstance(news, CheckInReceived):
        after = hear(before, news, freshness=FRESHNESS, now=now)
    elif isinstance(news, AssociationDeclined):
        after = declined(before, news)
    else:
        after = not_reached(before, news)
    return after if isinstance(after, Standing) else before


def test_a_report_is_fresh_for_as_long_as_the_situation_says() -> None:
    after = told(standing(), report(minutes=0))

    assert after.state is State.NORMAL
    assert expire(after, STORM_EVENING + timedelta(hours=12, seconds=-1)).state is State.NORMAL
    assert expire(after, STORM_EVENING + timedelta(hours=12)).state is State.STALE


def test_a_report_holds_no_longer_than_the_association_itself_expects() -> None:
    after = told(standing(), report(minutes=0, until=60, status=OperatingStatus.LIMITED))

    assert expire(after, STORM_EVENING + timedelta(minutes=59)).state is State.LIMITED
    assert expire(after, STORM_EVENING + timedelta(minutes=60)).state is State.STALE


def test_an_end_before_the_report_is_no_end() -> None:
    assert told(standing(), report(minutes=10, until=5)).state is State.NORMAL


def test_a_report_that_comes_when_it_is_already_old_is_stale_at_once() -> None:
    assert told(standing(), report(minutes=0), minutes=12 * 60).state is State.STALE


def test_of_two_reports_of_one_moment_the_later_made_counts() -> None:
    first = report(checkin_id=1, status=OperatingStatus.NORMAL)
    second = report(checkin_id=2, status=OperatingStatus.SUSPENDED)

    assert told(told(standing(), first), second).state is State.SUSPENDED
    assert told(told(standing(), second), first).state is State.SUSPENDED


def test_the_same_report_is_not_heard_twice() -> None:
    once = told(standing(), report())

    assert hear(once, report(), freshness=FRESHNESS, now=STORM_EVENING) is Verdict.REPEATED


def test_who_was_not_reached_is_neither_silent_nor_fine_and_may_still_answer() -> None:
    lost = told(standing(), nobody())

    assert (lost.state, lost.reached) == (State.UNDELIVERABLE, False)
    found = told(lost, report())
    assert (found.state, found.reached) == (State.NORMAL, True)


def test_not_reaching_somebody_who_answered_is_no_news() -> None:
    answered = told(standing(), report())

    assert not_reached(answered, nobody()) is Verdict.ANSWERED
    assert not_reached(standing(), nobody(round_id=OTHER_ROUND)) is Verdict.OTHER_ROUND


news_of_one = st.one_of(
    st.builds(
        report,
        minutes=st.integers(-900, 29),
        status=st.sampled_from(OperatingStatus),
        until=st.none() | st.integers(-100, 100),
        checkin_id=st.none() | st.integers(0, 3),
    ),
    st.just(nobody()),
    st.just(nobody(round_id=OTHER_ROUND)),
    st.just(not_this_time()),
    st.just(not_this_time(round_id=OTHER_ROUND)),
)


@given(st.lists(news_of_one, max_size=6, unique_by=lambda news: getattr(news, "checkin_id", news.event_id)), st.data())
def test_whatever_the_order_and_the_repeats_the_standing_is_the_same(news: list[News], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations([*news, *news[:3]]))

    straight, mixed = standing(), standing()
    for item in news:
        straight = told(straight, item)
    for item in shuffled:
        mixed = told(mixed, item)

    assert mixed == straight


numbers = st.integers(0, 7)
steps = st.tuples(
    numbers,
    st.one_of(
        st.builds(report, minutes=st.integers(-900, 900), status=st.sampled_from(OperatingStatus)),
        st.just(nobody()),
        st.just(not_this_time()),
        st.integers(0, 2000),
        st.sampled_from(TRAITS),
        st.just("leaves"),
        st.tuples(st.just("merges into"), numbers),
    ),
)


def after(rows: dict[int, Standing], number: int, step: object) -> dict[int, Standing | None]:
    """What becomes of whom: news, so many minutes, other traits, leaving, or merging into another."""
    present = rows.get(number)
    if present is None:
        return {}
    match step:
        case int():
            return {number: expire(present, STORM_EVENING + timedelta(minutes=step))}
        case Traits():
            return {number: present.counted_by(step)}
        case "leaves":
            return {number: None}
        case ("merges into", int(other)):
            traits = TRAITS[other % len(TRAITS)]
            heir = absorb(rows.get(other), present, heir_id=UUID(int=100 + other), traits=traits)
            return {number: None, other: heir} if other != number else {}
        case CheckInReceived() | AssociationNotReached() | AssociationDeclined():
            return {number: told(present, step, minutes=900)}
    raise AssertionError(step)


@given(st.lists(steps, max_size=40))
def test_tallies_kept_by_delta_equal_a_recount(story: list[tuple[int, object]]) -> None:
    rows = {number: standing(number) for number in range(8)}
    tallies: Tallies = Counter()
    for row in rows.values():
        tallies.update(tally_deltas(None, row))

    for number, step in story:
        for who, becomes in after(rows, number, step).items():
            tallies.update(tally_deltas(rows.pop(who, None), becomes))
            if becomes is not None:
                rows[who] = becomes

    again = recounted((row.traits, row.state, row.declined, 1) for row in rows.values())
    assert {key: count for key, count in tallies.items() if count} == again
    for dimension in (Dimension.MUNICIPALITY, Dimension.REGION, Dimension.SECTOR):
        assert sum(count for key, count in again.items() if key.dimension is dimension) == len(rows)


@given(steps)
def test_who_declines_is_counted_apart_and_improves_no_figure(step: tuple[int, object]) -> None:
    before = next(iter(after({0: standing(0)}, 0, step[1]).values()), None) or standing(0)

    became = told(before, not_this_time())

    assert became.state is before.state
    assert replace(became, declined=before.declined) == before
    deltas = tally_deltas(before, became)
    assert {key.dimension for key in deltas} <= {Dimension.DECLINED}
    assert coverage({became.state: 1}) == coverage({before.state: 1})


def test_an_answer_takes_a_decline_back_in_whichever_order_they_come() -> None:
    assert told(standing(), not_this_time()).declined
    assert not told(told(standing(), not_this_time()), report()).declined
    assert not told(told(standing(), report()), not_this_time()).declined
    assert told(told(standing(), not_this_time()), report(minutes=-10)).declined
    assert not told(standing(), not_this_time(round_id=OTHER_ROUND)).declined


@given(steps, numbers)
def test_a_merger_never_loses_the_newest_answer(first: tuple[int, object], heir: int) -> None:
    gone = next(iter(after({0: standing(0)}, 0, first[1]).values()), None) or standing(0)
    own = told(standing(heir), report(heir, minutes=5, status=OperatingStatus.LIMITED))

    merged = absorb(own, gone, heir_id=own.association_id, traits=own.traits)

    newest = max((one for one in (own, gone) if one.reported_at), key=lambda one: (one.reported_at, one.checkin_id))
    assert (merged.status, merged.reported_at, merged.state) == (newest.status, newest.reported_at, newest.state)
    assert (merged.association_id, merged.traits, merged.asked_at) == (own.association_id, own.traits, own.asked_at)
    assert absorb(merged, gone, heir_id=own.association_id, traits=own.traits) == merged


ALARM = [Face.NORMAL, Face.UNKNOWN, Face.LIMITED, Face.SUSPENDED]

counts = st.dictionaries(st.sampled_from(State), st.integers(0, 60))


@given(counts)
def test_the_parts_of_coverage_are_distinct_and_complete(of: dict[State, int]) -> None:
    known = coverage(of)

    assert known.asked == known.answered + known.silent + known.undeliverable
    assert known.asked + known.not_asked == sum(of.values())
    assert known.answered >= known.stale


@given(counts, st.sampled_from([State.NOT_ANSWERED, State.UNDELIVERABLE, State.STALE, State.NOT_ASKED]))
def test_one_more_silent_association_never_makes_a_figure_better(of: dict[State, int], silence: State) -> None:
    more = {**of, silence: of.get(silence, 0) + 1}

    assert coverage(more).share <= coverage(of).share
    assert coverage(more).fresh == coverage(of).fresh
    assert face(more) in {face(of), Face.UNKNOWN}


@given(counts)
def test_an_area_is_never_green_with_thin_coverage(of: dict[State, int]) -> None:
    known = coverage(of)

    if known.fresh * 5 < known.asked or known.asked == 0:
        assert face(of) is Face.UNKNOWN


@given(counts, st.sampled_from(sorted(FRESH)), st.integers(1, 50))
def test_answers_that_grow_old_never_lead_to_a_better_face(of: dict[State, int], fresh: State, many: int) -> None:
    before = {**of, fresh: of.get(fresh, 0) + many}
    after = {**of, State.STALE: of.get(State.STALE, 0) + many}

    assert face(after) is Face.UNKNOWN or ALARM.index(face(after)) >= ALARM.index(face(before))


@pytest.mark.parametrize(
    ("of", "shown"),
    [
        ({}, Face.UNKNOWN),
        ({State.NOT_ASKED: 9}, Face.UNKNOWN),
        ({State.NORMAL: 1, State.NOT_ANSWERED: 9}, Face.UNKNOWN),
        ({State.NORMAL: 2, State.NOT_ANSWERED: 8}, Face.NORMAL),
        ({State.NORMAL: 6, State.LIMITED: 2}, Face.LIMITED),
        ({State.NORMAL: 6, State.LIMITED: 1, State.SUSPENDED: 1}, Face.LIMITED),
        ({State.NORMAL: 6, State.SUSPENDED: 2}, Face.SUSPENDED),
        ({State.NORMAL: 7, State.SUSPENDED: 1}, Face.NORMAL),
        ({State.STALE: 5}, Face.UNKNOWN),
        ({State.NORMAL: 6, State.STALE: 1}, Face.NORMAL),
        ({State.NORMAL: 6, State.STALE: 2}, Face.UNKNOWN),
        ({State.SUSPENDED: 6, State.STALE: 9}, Face.SUSPENDED),
    ],
)
def test_what_a_tile_says(of: dict[State, int], shown: Face) -> None:
    assert face(of) is shown


def test_coverage_says_who_answered_and_whose_answer_is_old() -> None:
    of = {State.NORMAL: 11, State.STALE: 3, State.NOT_ANSWERED: 46, State.UNDELIVERABLE: 1, State.NOT_ASKED: 5}

    assert coverage(of) == Coverage(asked=61, answered=14, stale=3, silent=46, undeliverable=1, not_asked=5)


def test_a_municipality_outside_the_region_is_counted_without_a_sub_region() -> None:
    deltas = tally_deltas(None, standing().counted_by(Traits("091", "village")))

    assert TallyKey(Dimension.MUNICIPALITY, "091", State.NOT_ANSWERED) in deltas
    assert not [key for key in deltas if key.dimension is Dimension.SUB_REGION]


def test_a_slot_is_five_minutes() -> None:
    assert slot_of(STORM_EVENING + timedelta(minutes=9, seconds=59)) == STORM_EVENING + timedelta(minutes=5)
