"""The storm evening: how many answer, where, how soon and what."""

from collections import Counter, defaultdict
from datetime import timedelta
from statistics import median

from hypothesis import given
from hypothesis import strategies as st

from services.demo.registry import demo_associations
from services.demo.storm import Answer, Asked, Status, storm_evening

DARK = {"433", "834"}  # Loppi and Tammela
ASKED = tuple(Asked(association.register_number, association.municipality) for association in demo_associations(2020))
PLACE = {association.key: association.municipality for association in ASKED}
EVENINGS = [storm_evening(ASKED, seed) for seed in range(8)]
FIRST = [{answer.key: answer for answer in reversed(evening)} for evening in EVENINGS]


def firsts(*, dark: bool) -> list[Answer[str]]:
    return [answer for evening in FIRST for answer in evening.values() if (PLACE[answer.key] in DARK) == dark]


def minutes(answers: list[Answer[str]]) -> float:
    return median(answer.at / timedelta(minutes=1) for answer in answers)


def share(answers: list[Answer[str]], *statuses: Status) -> float:
    return sum(answer.status in statuses for answer in answers) / len(answers)


def test_about_sixty_two_in_a_hundred_answer() -> None:
    for evening in FIRST:
        assert 0.58 < len(evening) / len(ASKED) < 0.66


def test_where_the_power_is_out_fewer_than_half_answer() -> None:
    asked = len(EVENINGS) * sum(place in DARK for place in PLACE.values())

    assert 0.40 < len(firsts(dark=True)) / asked < 0.50


def test_where_the_power_is_out_most_are_limited_or_suspended() -> None:
    answers = firsts(dark=True)

    assert share(answers, Status.LIMITED, Status.SUSPENDED) > 0.8
    assert share(answers, Status.LIMITED) > share(answers, Status.SUSPENDED) > 0.25


def test_elsewhere_most_operate_normally_and_some_in_part() -> None:
    answers = firsts(dark=False)

    assert share(answers, Status.NORMAL) > 0.8
    assert 0.08 < share(answers, Status.LIMITED) < 0.16


def test_half_of_the_answers_come_in_about_half_an_hour_and_later_in_the_dark() -> None:
    assert 30 < minutes(firsts(dark=False)) < 40
    assert minutes(firsts(dark=True)) > 50


def test_about_four_in_a_hundred_answer_again_with_another_status() -> None:
    second = 0
    for evening in EVENINGS:
        told = defaultdict(list)
        for answer in evening:
            told[answer.key].append(answer.status)
        assert all(len(set(statuses)) == len(statuses) <= 2 for statuses in told.values())
        second += sum(len(statuses) == 2 for statuses in told.values())

    assert 0.03 < second / sum(map(len, FIRST)) < 0.05


def test_the_same_seed_gives_the_same_evening() -> None:
    assert storm_evening(ASKED, 0) == EVENINGS[0] != EVENINGS[1]


@given(
    st.lists(st.builds(Asked, st.uuids(), st.sampled_from(["109", "433", "834", "999"]))),
    st.integers(),
)
def test_answers_come_in_order_within_the_evening_from_those_who_were_asked(
    asked: list[Asked[object]], seed: int
) -> None:
    answers = storm_evening(asked, seed)

    times = [answer.at for answer in answers]
    assert times == sorted(times)
    assert all(timedelta(0) <= at <= timedelta(hours=3) for at in times)
    assert not Counter(answer.key for answer in answers) - Counter(
        key for association in asked for key in (association.key, association.key)
    )
