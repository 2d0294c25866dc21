"""Calls for attention: soon enough, together, and never a storm of them, whatever the figures do."""

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.status.association.model import Traits
from services.status.attention.model import (
    AREAS,
    Flaw,
    Pace,
    Refused,
    Rule,
    RuleDraft,
    Subject,
    Watch,
    Watched,
    look,
    read,
    set_rule,
)
from services.status.readiness.model import State, Tallies, recounted
from shared.realm import LIVE
from tests.fakes import STORM_EVENING

BY, SITUATION = UUID(int=1), UUID(int=2)
PACE = Pace(wait=timedelta(minutes=5), interval=timedelta(minutes=10), repeat=timedelta(hours=1))
MINUTE = timedelta(minutes=1)
FIRST_AID = RuleDraft(Subject.CAPABILITY, "forssa", "first-aid", 3, None)
ANSWERS = RuleDraft(Subject.COVERAGE, "05", "", 50, 2)


def rule(draft: RuleDraft = FIRST_AID, *, number: int = 1) -> Rule:
    made = set_rule(draft, realm=LIVE, situation_id=SITUATION, rule_id=UUID(int=number), by=BY, now=STORM_EVENING)
    assert isinstance(made, Rule)
    return made


class Evening:
    """A storm evening, in which figures are looked at every minute."""

    def __init__(self, rules: int = 1) -> None:
        self.now = STORM_EVENING
        self.told_at: datetime | None = None
        self.watched = {UUID(int=n): Watched(rule(number=n), Watch()) for n in range(1, rules + 1)}
        self.tellings: list[tuple[int, set[int]]] = []

    def goes_on(self, *values: int | None) -> None:
        """A minute later the figures are these."""
        self.now += MINUTE
        looked = look(
            self.watched, dict(zip(self.watched, values, strict=True)), told_at=self.told_at, now=self.now, pace=PACE
        )
        self.watched = {key: Watched(one.rule, looked.watches[key]) for key, one in self.watched.items()}
        if looked.told:
            self.told_at = self.now
            self.tellings.append((self.minute, {key.int for key in looked.told}))

    def acknowledged(self, number: int = 1, *, minutes: int) -> None:
        one = self.watched[UUID(int=number)]
        until = self.now + timedelta(minutes=minutes)
        self.watched[UUID(int=number)] = replace(one, watch=replace(one.watch, acknowledged_until=until))

    def watch(self, number: int = 1) -> Watch:
        return self.watched[UUID(int=number)].watch

    @property
    def minute(self) -> int:
        return (self.now - STORM_EVENING) // MINUTE


def test_a_call_is_made_when_a_figure_stays_low_and_is_repeated_while_it_does() -> None:
    evening = Evening()

    for _ in range(130):
        evening.goes_on(2)

    assert [minute for minute, _ in evening.tellings] == [6, 66, 126]


def test_a_figure_that_is_back_ends_its_call_at_once() -> None:
    evening = Evening()
    for _ in range(8):
        evening.goes_on(2)

    evening.goes_on(3)

    assert evening.watch().opened_at is None
    assert evening.watch().ended_at == evening.now


def test_what_cannot_be_read_neither_begins_nor_ends_a_call() -> None:
    evening = Evening()
    for _ in range(8):
        evening.goes_on(2)
    called = evening.watch()

    evening.goes_on(None)

    assert evening.watch() == called


def test_calls_that_come_one_by_one_are_told_together() -> None:
    evening = Evening(rules=3)

    for minute in range(30):
        evening.goes_on(0, 0 if minute > 2 else 9, 0 if minute > 4 else 9)

    assert evening.tellings == [(6, {1}), (16, {2, 3})]


def test_an_acknowledged_call_stays_in_sight_and_quiet_until_that_lapses() -> None:
    evening = Evening()
    for _ in range(6):
        evening.goes_on(0)
    evening.acknowledged(minutes=120)

    for _ in range(119):
        evening.goes_on(0)
    quiet = (list(evening.tellings), evening.watch().opened_at)
    evening.goes_on(0)

    assert quiet == ([(6, {1})], STORM_EVENING + 6 * MINUTE)
    assert evening.tellings == [(6, {1}), (126, {1})]


def test_an_acknowledgement_outlasts_a_figure_that_comes_and_goes() -> None:
    evening = Evening()
    for _ in range(6):
        evening.goes_on(0)
    evening.acknowledged(minutes=120)
    evening.goes_on(9)

    for _ in range(20):
        evening.goes_on(0)

    assert len(evening.tellings) == 1
    assert evening.watch().opened_at is not None


figures = st.lists(st.tuples(st.integers(0, 4) | st.none(), st.integers(0, 4) | st.none()), max_size=90)


@given(figures, st.dictionaries(st.integers(0, 90), st.integers(1, 60), max_size=3))
def test_there_is_no_storm_of_calls_whatever_the_figures_do(
    story: list[tuple[int | None, int | None]], quiets: dict[int, int]
) -> None:
    evening = Evening(rules=2)

    for minute, values in enumerate(story):
        if minute in quiets and evening.watch().opened_at:
            evening.acknowledged(minutes=quiets[minute])
        told_before = len(evening.tellings)
        quiet = evening.watch().quiet(evening.now + MINUTE)
        evening.goes_on(*values)
        if quiet and len(evening.tellings) > told_before:
            assert 1 not in evening.tellings[-1][1]
        for number, value in enumerate(values, 1):
            watch = evening.watch(number)
            assert not (value is not None and value >= 3 and watch.opened_at)
            if watch.opened_at:
                assert watch.low_since is not None
                assert watch.opened_at - watch.low_since >= PACE.wait

    minutes = [minute for minute, _ in evening.tellings]
    assert all(later - earlier >= 10 for earlier, later in pairwise(minutes))


@given(st.integers(0, 40))
def test_a_figure_that_stays_low_is_told_within_wait_and_interval(flapping: int) -> None:
    evening = Evening()
    for minute in range(flapping):
        evening.goes_on(minute % 9 // 8 * 9)
    evening.goes_on(9)
    began = evening.minute

    for _ in range(17):
        evening.goes_on(0)

    assert any(minute > began for minute, _ in evening.tellings)


def tallies(*counts: tuple[str, State, int]) -> Tallies:
    able = ((Traits(place, "village", (), ("first-aid",)), state, count) for place, state, count in counts)
    return recounted((traits, state, False, count) for traits, state, count in able)


def test_a_capability_is_counted_by_fresh_answers_of_those_who_operate_in_the_area() -> None:
    known = tallies(
        ("061", State.NORMAL, 2),
        ("834", State.LIMITED, 1),
        ("834", State.SUSPENDED, 8),
        ("834", State.STALE, 8),
        ("433", State.NORMAL, 16),
    )
    whole = rule(replace(FIRST_AID, area="05"))

    assert read(rule(), known, asked_since=STORM_EVENING, now=STORM_EVENING) == 3
    assert read(whole, known, asked_since=STORM_EVENING, now=STORM_EVENING) == 19
    assert read(rule(), Tallies(), asked_since=STORM_EVENING, now=STORM_EVENING) == 0


def test_coverage_is_read_when_there_was_time_to_answer() -> None:
    known = tallies(("061", State.NORMAL, 1), ("061", State.STALE, 1), ("433", State.NOT_ANSWERED, 1))
    later = STORM_EVENING + timedelta(hours=2)

    assert read(rule(ANSWERS), known, asked_since=None, now=later) is None
    assert read(rule(ANSWERS), known, asked_since=STORM_EVENING, now=later - MINUTE) is None
    assert read(rule(ANSWERS), known, asked_since=STORM_EVENING, now=later) == 33
    assert read(rule(replace(ANSWERS, area="forssa")), known, asked_since=STORM_EVENING, now=later) == 50
    assert read(rule(ANSWERS), Tallies(), asked_since=STORM_EVENING, now=later) is None


counts = st.lists(st.tuples(st.sampled_from(["061", "433"]), st.sampled_from(State), st.integers(1, 9)), max_size=6)
SILENCE = [State.NOT_ANSWERED, State.UNDELIVERABLE, State.STALE]


@given(counts, st.sampled_from(["061", "433"]), st.sampled_from(SILENCE), st.sampled_from([FIRST_AID, ANSWERS]))
def test_silence_never_raises_a_figure(
    known: list[tuple[str, State, int]], place: str, silence: State, draft: RuleDraft
) -> None:
    later = STORM_EVENING + timedelta(hours=9)

    before = read(rule(draft), tallies(*known), asked_since=STORM_EVENING, now=later)
    after = read(rule(draft), tallies(*known, (place, silence, 1)), asked_since=STORM_EVENING, now=later)

    assert (after or 0) <= (before or 0)


@pytest.mark.parametrize(
    ("draft", "flaw"),
    [
        (replace(FIRST_AID, capability="magic"), Flaw.CAPABILITY_UNKNOWN),
        (replace(FIRST_AID, area="834"), Flaw.AREA_UNKNOWN),
        (replace(FIRST_AID, wanted=0), Flaw.NUMBER_OUT_OF_RANGE),
        (replace(FIRST_AID, wanted=None), Flaw.NUMBER_OUT_OF_RANGE),
        (replace(ANSWERS, wanted=101), Flaw.PERCENT_OUT_OF_RANGE),
        (replace(ANSWERS, hours=None), Flaw.HOURS_OUT_OF_RANGE),
    ],
)
def test_a_rule_with_a_flaw_is_refused_with_its_reason(draft: RuleDraft, flaw: Flaw) -> None:
    refused = set_rule(draft, realm=LIVE, situation_id=SITUATION, rule_id=UUID(int=1), by=BY, now=STORM_EVENING)

    assert refused == Refused((flaw,))
    assert Counter(AREAS)["05"] == 1
