"""Measures of an exercise: a plain recount, whatever the order of what was heard and however often."""

import random
from collections.abc import Iterable, Sequence
from datetime import timedelta
from math import ceil
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.exercise.association.model import Association, Register
from services.exercise.director.model import InjectState, Line
from services.exercise.evaluation.model import (
    Course,
    Dimension,
    Fact,
    Happening,
    Measures,
    Noted,
    Record,
    compile_report,
    log_of,
    measure,
    parts,
)
from services.exercise.exercise.model import ClockHistory, ClockPoint, Exercise, PlayClock, State, realm_of
from services.exercise.expectation.model import Judge, Mark, Verdict, judged
from services.exercise.scenario.model import DoneBy
from services.exercise.scenario.store import ready_scenarios
from shared.ids import new_id
from tests.exercise.conftest import AINO, STORM
from tests.fakes import STORM_EVENING

MINUTE = timedelta(minutes=1)
MINUTES = st.integers(0, 300).map(lambda minutes: minutes * MINUTE)
COURSES = st.lists(st.dictionaries(st.sampled_from(Fact), MINUTES, max_size=4), max_size=60)


def numbered(number: int) -> UUID:
    return UUID(int=number)


def line(number: int, *, fired: timedelta | None = None) -> Line:
    """An inject of the winter storm that was put in then, or waits."""
    state = InjectState.WAITING if fired is None else InjectState.FIRED
    return Line(STORM.scripted(number), state, new_id(), offset=fired)


def over(state: State = State.ENDED) -> Exercise:
    exercise_id = UUID(int=7)
    clock = PlayClock(timedelta(hours=6), 60)
    realm = realm_of(exercise_id)
    return Exercise(realm, exercise_id, STORM, 1, state, clock, new_id(), STORM_EVENING, AINO, STORM_EVENING)


@given(COURSES)
def test_measures_are_a_plain_recount(courses: list[Course]) -> None:
    found = measure(courses)

    asked = [one for one in courses if Fact.ASKED in one]
    answered = [one for one in asked if Fact.ANSWERED in one]
    rest = [one for one in asked if Fact.ANSWERED not in one]
    delays = sorted(max(one[Fact.ANSWERED] - one[Fact.ASKED], 0 * MINUTE) for one in answered)
    assert found.asked == len(asked)
    assert found.answered == len(answered)
    assert found.declined == sum(Fact.DECLINED in one for one in rest)
    assert found.not_reached == sum(Fact.NOT_REACHED in one and Fact.DECLINED not in one for one in rest)
    assert found.answered + found.declined + found.not_reached + found.silent == found.asked
    assert found.unasked == sum(Fact.ANSWERED in one and Fact.ASKED not in one for one in courses)
    assert found.first == (delays[0] if delays else None)
    for share, told in ((0.5, found.half), (0.9, found.ninety)):
        if not delays:
            assert told is None
        else:
            assert told is not None
            assert sum(delay <= told for delay in delays) >= share * len(delays)
            assert sum(delay < told for delay in delays) < share * len(delays) or told == delays[0]
    enough = bool(asked) and len(delays) >= ceil(len(asked) / 2)
    assert found.half_asked == (delays[ceil(len(asked) / 2) - 1] if enough else None)


@given(COURSES, st.lists(st.integers(0, 3), min_size=60, max_size=60))
def test_parts_add_up_to_the_whole_and_networks_count_each_member(courses: list[Course], places: list[int]) -> None:
    codes = ["834", "433", "061", "082"]
    register = Register(
        {
            numbered(n): Association(numbered(n), f"Aino {n}", codes[place], "nature", ("silta", "kyla")[:place])
            for n, place in enumerate(places)
        }
    )
    known = {numbered(n): course for n, course in enumerate(courses)}

    by_place = parts(known, register, Dimension.MUNICIPALITY)

    whole = measure(courses)
    assert sum(part.measures.asked for part in by_place) == whole.asked
    assert sum(part.measures.answered for part in by_place) == whole.answered
    for number, code in enumerate(("silta", "kyla"), 1):
        members = [course for n, course in enumerate(courses) if places[n] >= number]
        told = {part.code: part.measures for part in parts(known, register, Dimension.NETWORK)}
        assert told.get(code, Measures()) == measure(members)


def test_whom_the_register_does_not_know_is_counted_under_no_name_and_last() -> None:
    known = Association(numbered(1), "Aino", "834", "nature")
    courses = {numbered(n): {Fact.ASKED: 0 * MINUTE} for n in (1, 2)}

    found = parts(courses, Register({numbered(1): known}), Dimension.MUNICIPALITY)

    assert [(part.code, part.measures.asked) for part in found] == [("834", 1), ("", 1)]


def test_who_was_merged_into_another_is_counted_once_with_the_first_of_both_answers() -> None:
    merged = Association(numbered(1), "Aino", "834", "nature", retired=True, merged_into=numbered(2))
    kept = Association(numbered(2), "Bertta", "433", "nature")
    at = STORM_EVENING
    heard = {
        numbered(1): {Fact.ASKED: at, Fact.ANSWERED: at + timedelta(seconds=10)},
        numbered(2): {Fact.ASKED: at, Fact.ANSWERED: at + timedelta(seconds=40)},
    }
    record = Record(heard, (), Register({numbered(1): merged, numbered(2): kept}), 2)
    history = ClockHistory((ClockPoint(at, 0 * MINUTE, 60),), timedelta(hours=6))

    report = compile_report(over(), history, record, (), now=at)

    assert (report.whole.asked, report.whole.answered, report.whole.first) == (1, 1, 10 * MINUTE)
    assert [part.code for part in report.parts[Dimension.MUNICIPALITY]] == ["433"]


def test_mergers_that_lead_round_in_a_circle_end() -> None:
    circle = {
        numbered(n): Association(numbered(n), "Aino", "834", "nature", merged_into=numbered(1 - n)) for n in (0, 1)
    }

    assert Register(circle).today(numbered(0)) in circle


def test_the_log_ticks_an_action_by_the_first_such_thing_after_its_inject() -> None:
    log = {DoneBy.GUIDANCE_PUBLISHED: (20 * MINUTE, 130 * MINUTE, 200 * MINUTE)}

    [action] = judged([line(7, fired=105 * MINUTE)], {}, log, over=False)

    assert (action.verdict, action.judge, action.done_at) == (Verdict.DONE, Judge.LOG, 130 * MINUTE)


def test_what_the_log_does_not_show_is_not_done_only_when_all_is_over() -> None:
    lines = [line(7, fired=105 * MINUTE), line(3, fired=30 * MINUTE), line(13)]

    running, ended = (judged(lines, {}, {}, over=ended) for ended in (False, True))

    assert [one.verdict for one in running] == [Verdict.UNKNOWN, Verdict.UNKNOWN, Verdict.NOT_PUT_IN]
    assert [one.verdict for one in ended] == [Verdict.NOT_DONE, Verdict.UNKNOWN, Verdict.NOT_PUT_IN]


def test_what_comes_too_late_is_not_done_and_it_is_told_when_it_came() -> None:
    inject = line(2, fired=10 * MINUTE)

    [soon], [late] = (judged([inject], {}, {DoneBy.HALF_ANSWERED: (n * MINUTE,)}, over=False) for n in (70, 71))

    assert (soon.verdict, soon.late) == (Verdict.DONE, False)
    assert (late.verdict, late.late, late.done_at) == (Verdict.NOT_DONE, True, 71 * MINUTE)


def test_who_leads_has_the_last_word() -> None:
    mark = Mark(7, Verdict.NOT_DONE, "In one language only.", STORM_EVENING, AINO)
    log = {DoneBy.GUIDANCE_PUBLISHED: (130 * MINUTE,)}

    [action] = judged([line(7, fired=105 * MINUTE)], {7: mark}, log, over=True)

    assert (action.verdict, action.judge, action.done_at) == (Verdict.NOT_DONE, Judge.LEADER, 130 * MINUTE)
    assert action.note == "In one language only."


def test_a_contingency_inject_that_was_not_needed_expects_nothing() -> None:
    assert judged([line(21)], {}, {}, over=True) == ()
    assert len(judged([line(21, fired=90 * MINUTE)], {}, {}, over=True)) == 1


def test_half_have_answered_when_half_of_all_asked_have() -> None:
    answers = [n * MINUTE for n in (3, 5, 9)]

    assert log_of((), answers, asked=5)[DoneBy.HALF_ANSWERED] == (9 * MINUTE,)
    assert log_of((), answers, asked=7)[DoneBy.HALF_ANSWERED] == ()
    assert log_of((), [], asked=0)[DoneBy.HALF_ANSWERED] == ()


def test_every_ready_scenario_has_actions_that_the_log_can_show() -> None:
    for scenario in ready_scenarios().values():
        shown = [one.done_by for one in (*scenario.injects, *scenario.contingencies) if one.done_by]
        assert DoneBy.HALF_ANSWERED in shown
        assert len(shown) >= 3


def shuffled(many: Iterable[Noted]) -> Sequence[Noted]:
    drawn = list(many)
    random.Random(3).shuffle(drawn)  # noqa: S311 - any order
    return drawn


def test_the_course_of_events_is_in_the_order_of_the_exercises_clock() -> None:
    noted = [
        Noted(what, str(n), STORM_EVENING + timedelta(seconds=n))
        for n, what in enumerate((Happening.SITUATION_OPENED, Happening.ROUND_OPENED, Happening.GUIDANCE_PUBLISHED))
    ]
    history = ClockHistory((ClockPoint(STORM_EVENING, 0 * MINUTE, 60),), timedelta(hours=6))

    report = compile_report(over(), history, Record({}, shuffled(noted), Register(), 0), (), now=STORM_EVENING)

    assert [(moment.at, moment.what) for moment in report.course] == [
        (n * MINUTE, one.what) for n, one in enumerate(noted)
    ]
