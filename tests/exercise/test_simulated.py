"""Simulated associations: the same seed, the same answers, and of many the shares that the scenario says."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.exercise.scenario.model import Behaviour, Delay, Manner, StatusMix
from services.exercise.scenario.store import ready_scenarios
from services.exercise.simulated.model import Conduct, Fate, Simulated, conducts

MANY = [Simulated(UUID(int=number), "109") for number in range(4000)]
EVENING = timedelta(hours=6)


def behaviour(**changed: object) -> Behaviour:
    plain = Manner(
        answering=0.6,
        unreachable=0.1,
        again=0.2,
        delay=Delay(median=timedelta(minutes=40)),
        statuses=StatusMix(normal=70, limited=20, suspended=10),
    )
    return Behaviour(seed=1, elsewhere=plain.model_copy(update=changed))


def test_the_same_seed_gives_the_same_answers_and_another_seed_others() -> None:
    once, again, other = (conducts(behaviour(), MANY[:200], seed=seed, within=EVENING) for seed in (7, 7, 8))

    assert once == again
    assert once != other


def test_what_one_does_does_not_depend_on_who_else_is_asked() -> None:
    together = conducts(behaviour(), MANY[:50], seed=7, within=EVENING)
    turned = conducts(behaviour(), list(reversed(MANY[:50])), seed=7, within=EVENING)

    assert together == list(reversed(turned))


def test_shares_are_those_of_the_scenario() -> None:
    done = conducts(behaviour(), MANY, seed=3, within=EVENING)
    fates = Counter(one.fate for one in done)
    answering = [one for one in done if one.fate is Fate.ANSWERS]
    statuses = Counter(one.answers[0].status.value for one in answering)

    assert fates[Fate.UNREACHABLE] / len(done) == pytest.approx(0.1, abs=0.02)
    assert len(answering) / (len(done) - fates[Fate.UNREACHABLE]) == pytest.approx(0.6, abs=0.03)
    assert statuses["limited"] / len(answering) == pytest.approx(0.2, abs=0.03)
    assert sum(len(one.answers) == 2 for one in answering) / len(answering) == pytest.approx(0.2, abs=0.03)
    median = sorted(one.answers[0].at for one in answering)[len(answering) // 2]
    assert median == pytest.approx(timedelta(minutes=40), abs=timedelta(minutes=5))


def test_an_area_behaves_in_its_own_way() -> None:
    storm = ready_scenarios()["winter-storm"].behaviour

    dark = conducts(storm, [Simulated(one.association_id, "834") for one in MANY], seed=3, within=EVENING)
    lit = conducts(storm, [Simulated(one.association_id, "061") for one in MANY], seed=3, within=EVENING)

    assert share(dark, Fate.ANSWERS) < share(lit, Fate.ANSWERS) - 0.1
    assert share(dark, Fate.UNREACHABLE) > share(lit, Fate.UNREACHABLE)


def share(done: Sequence[Conduct], fate: Fate) -> float:
    return sum(one.fate is fate for one in done) / len(done)


@given(
    answering=st.floats(0, 1),
    again=st.floats(0, 1),
    spread=st.floats(0, 3),
    minutes=st.integers(0, 3000),
    weights=st.lists(st.integers(0, 3), min_size=3, max_size=3).filter(any),
    seed=st.integers(0, 2**31),
)
@settings(max_examples=50)
def test_answers_come_in_order_within_the_time_and_the_second_says_another_thing(
    answering: float, again: float, spread: float, minutes: int, weights: list[int], seed: int
) -> None:
    wanted = behaviour(
        answering=answering,
        again=again,
        delay=Delay(median=timedelta(minutes=minutes), spread=spread),
        statuses=StatusMix(normal=weights[0], limited=weights[1], suspended=weights[2]),
    )

    for one in conducts(wanted, MANY[:20], seed=seed, within=EVENING):
        moments = [answer.at for answer in one.answers]
        assert moments == sorted(moments)
        assert all(timedelta() <= at <= EVENING for at in moments)
        assert len({answer.status for answer in one.answers}) == len(moments)
        assert bool(moments) == (one.fate is Fate.ANSWERS)
