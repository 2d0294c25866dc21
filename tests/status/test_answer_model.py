"""The answer model: those that differ within a minute are kept, and one that is pinned counts for a while."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.status.answer.model import WITHIN, Choice, Flaw
from services.status.readiness.model import (
    Dimension,
    State,
    absorb,
    expire,
    pinned,
    tally_deltas,
)
from shared.events.intake import CheckInReceived, OperatingStatus
from tests.fakes import STORM_EVENING
from tests.status.standings import (
    PERSON,
    after,
    chosen,
    doubted,
    report,
    standing,
    steps,
    told,
)


def test_answers_that_differ_within_a_minute_are_disputed_and_the_newest_counts() -> None:
    within, beyond = doubted(apart=60), doubted(apart=61)

    assert (within.disputed, within.state, len(within.answers)) == (True, State.NORMAL, 2)
    assert (beyond.disputed, beyond.state, len(beyond.answers)) == (False, State.NORMAL, 1)
    assert not told(told(standing(), report()), report(seconds=30)).disputed
    assert not told(doubted(), report(minutes=20)).disputed
    assert expire(within, STORM_EVENING + timedelta(days=1)).disputed


@given(
    st.lists(
        st.builds(report, seconds=st.integers(0, 200), status=st.sampled_from(OperatingStatus)),
        min_size=1,
        unique_by=lambda one: one.checkin_id,
    )
)
def test_at_most_one_answer_of_each_status_is_kept_and_none_is_old(reports: list[CheckInReceived]) -> None:
    after = standing()
    for one in reports:
        after = told(after, one)

    newest = max(one.reported_at for one in reports)
    said = {one.status for one in reports if newest - one.reported_at <= WITHIN}
    assert after.newest
    assert after.newest.reported_at == newest
    assert {one.status for one in after.answers} == said
    assert len(after.answers) == len(said) <= len(OperatingStatus)


@given(steps)
def test_who_is_in_dispute_is_counted_apart_and_the_newest_answer_everywhere_else(step: tuple[int, object]) -> None:
    before = next(iter(after({0: doubted()}, 0, step[1]).values()), None) or doubted()

    calm = replace(before, disputed=False)

    assert {key.dimension for key in tally_deltas(calm, before)} == ({Dimension.DISPUTED} if before.disputed else set())
    assert sum(tally_deltas(calm, before).values()) == (2 if before.disputed else 0)


def test_a_pinned_answer_counts_until_one_comes_that_is_newer_than_those_seen() -> None:
    pin = chosen(doubted())

    assert (pin.state, pin.status, pin.disputed) == (State.SUSPENDED, OperatingStatus.SUSPENDED, False)
    assert expire(pin, STORM_EVENING + timedelta(days=1)).state is State.STALE
    older = told(pin, report(seconds=10, status=OperatingStatus.LIMITED))
    assert (older.state, older.disputed, len(older.answers)) == (State.SUSPENDED, False, 3)
    soon = told(pin, report(seconds=40, status=OperatingStatus.LIMITED))
    assert (soon.state, soon.disputed, soon.pin) == (State.LIMITED, True, None)
    # Given before the pin and entered after it: whoever pinned did not know of it.
    late = told(pin, report(minutes=20, status=OperatingStatus.LIMITED))
    assert (late.state, late.disputed, late.pin) == (State.LIMITED, False, None)


def test_a_choice_between_other_answers_than_those_seen_is_no_choice() -> None:
    of = doubted()
    ids = frozenset(one.checkin_id for one in of.answers)
    first = of.answers[0].checkin_id
    now = STORM_EVENING + timedelta(minutes=30)

    assert pinned(of, Choice(first, frozenset([first]), "why", PERSON), now) == (Flaw.ANSWERS_CHANGED,)
    assert pinned(of, Choice(UUID(int=9), ids, "why", PERSON), now) == (Flaw.NOT_CHOSEN,)
    assert pinned(of, Choice(None, ids, "", PERSON), now) == (Flaw.NOT_CHOSEN, Flaw.NO_REASON)
    assert pinned(of, Choice(first, ids, "x" * 301, PERSON), now) == (Flaw.REASON_TOO_LONG,)
    alone = told(standing(), report())
    assert pinned(alone, Choice(report().checkin_id, frozenset([report().checkin_id]), "why", PERSON), now) == (
        Flaw.ANSWERS_CHANGED,
    )


def test_a_merger_brings_answers_into_dispute_and_keeps_the_later_pin_that_holds() -> None:
    one = told(standing(), report(status=OperatingStatus.SUSPENDED))
    other = told(standing(1), report(1, seconds=30))

    merged = absorb(one, other, heir_id=one.association_id, traits=one.traits)
    assert (merged.state, merged.disputed, len(merged.answers)) == (State.NORMAL, True, 2)

    pin = chosen(doubted())
    kept = absorb(one, pin, heir_id=one.association_id, traits=one.traits)
    assert (kept.state, kept.pin, kept.disputed) == (State.SUSPENDED, pin.pin, False)
    later = chosen(doubted(), place=1, minutes=40)
    assert absorb(later, pin, heir_id=one.association_id, traits=one.traits).pin == later.pin
    assert absorb(pin, later, heir_id=one.association_id, traits=one.traits).pin == later.pin
    newer = told(standing(1), report(1, minutes=20))
    assert absorb(pin, newer, heir_id=one.association_id, traits=one.traits).pin is None
