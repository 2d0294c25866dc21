"""The report's model: it holds what it was given for ever, and the difference between two is exact."""

from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.status.readiness.model import Dimension, Face, State, Tallies, TallyKey, difference, nonzero
from services.status.report.model import (
    NEXT_AT_MOST,
    SUMMARY_LENGTH,
    Draft,
    Facts,
    Flaw,
    Note,
    Refused,
    Report,
    compare,
    turns,
    write_note,
)
from services.status.report.report_words import changes_told, tell
from services.status.situation.model import plain
from shared import region
from shared.i18n import Locale
from shared.identity import Role
from shared.ids import new_id
from tests.fakes import STORM_EVENING
from tests.status.people import LIAISON, TAMMELA
from tests.status.reports import report_of

FEW = settings(max_examples=40, deadline=None)
keys = st.one_of(
    st.just((Dimension.REGION, "05")),
    st.tuples(st.just(Dimension.MUNICIPALITY), st.sampled_from([place.code for place in region.MUNICIPALITIES])),
    st.tuples(st.just(Dimension.SECTOR), st.sampled_from(["village", "sports"])),
    st.tuples(st.just(Dimension.CAPABILITY), st.sampled_from(["transport", "unheard-of"])),
    st.tuples(st.just(Dimension.NETWORK), st.sampled_from(["silta", "=silta"])),
)
tallies = st.dictionaries(st.tuples(keys, st.sampled_from(State)), st.integers(0, 3000), max_size=25).map(
    lambda found: Counter({TallyKey(*key, state): count for (key, state), count in found.items()})
)


def facts(figures: Tallies, rounds: int = 1) -> Facts:
    return Facts(figures, STORM_EVENING, rounds)


def counted(state: State, count: int, *, dimension: Dimension = Dimension.REGION, key: str = "05") -> Tallies:
    return Counter({TallyKey(dimension, key, state): count})


@FEW
@given(tallies, tallies)
def test_the_changes_added_to_the_earlier_figures_are_the_later_ones(before: Tallies, after: Tallies) -> None:
    first = report_of(facts(before))
    second = report_of(facts(after), number=2, previous=first)

    assert second.changes is not None
    assert difference(second.tallies, second.changes.tallies) == first.tallies
    assert compare(second, first.tallies).tallies == Counter(
        {key: -count for key, count in second.changes.tallies.items()}
    )


@FEW
@given(tallies, tallies)
def test_no_change_is_said_when_no_figure_differs_and_only_then(before: Tallies, after: Tallies) -> None:
    first = report_of(facts(before))
    second = report_of(facts(after), number=2, previous=first)

    told = changes_told(second, Locale.EN)

    assert second.changes is not None
    assert second.changes.unchanged == (nonzero(before) == nonzero(after))
    assert any("No change in any figure" in sentence for sentence in told.sentences) == second.changes.unchanged
    assert told.counts is not None
    assert all(told.sentences)


@FEW
@given(tallies)
def test_a_report_comes_out_of_its_json_as_it_went_in(figures: Tallies) -> None:
    report = report_of(facts(figures), summary="Lunta.\nPaljon.")

    assert Report.model_validate_json(report.model_dump_json()) == report
    assert report.tallies == nonzero(figures)


@FEW
@given(tallies, st.sampled_from(Locale))
def test_every_report_can_be_told_in_every_language(figures: Tallies, locale: Locale) -> None:
    told = tell(report_of(facts(figures)), locale)

    assert told.coverage
    assert {len(row.counts) for group in told.groups for row in group.rows} == {len(told.columns)}
    assert all(group.rows or group.note for group in told.groups)


def test_the_first_report_says_that_there_is_none_before_it() -> None:
    told = changes_told(report_of(facts(Counter())), Locale.EN)

    assert told.counts is None
    assert "first report" in told.sentences[0]


def test_a_change_that_the_totals_hide_is_said() -> None:
    first = report_of(facts(counted(State.NORMAL, 3, dimension=Dimension.SECTOR, key="village")))
    second = report_of(
        facts(counted(State.NORMAL, 3, dimension=Dimension.SECTOR, key="sports")), number=2, previous=first
    )

    told = changes_told(second, Locale.EN)

    assert told.counts is not None
    assert not any(told.counts)
    assert "those of some of its parts have changed" in told.sentences[0]


def test_a_municipality_that_looks_otherwise_is_named_with_what_it_was() -> None:
    first = report_of(facts(counted(State.NOT_ANSWERED, 4, dimension=Dimension.MUNICIPALITY, key=TAMMELA)))
    now = counted(State.SUSPENDED, 4, dimension=Dimension.MUNICIPALITY, key=TAMMELA)
    second = report_of(facts(now), number=2, previous=first)
    assert second.changes is not None

    [turn] = turns(second.changes, now)

    assert (turn.municipality, turn.before, turn.after) == (TAMMELA, Face.UNKNOWN, Face.SUSPENDED)
    assert changes_told(second, Locale.EN).sentences[-1] == "Tammela: Suspended (was: Not known)"


def test_coverage_names_those_out_of_date_and_those_not_reached() -> None:
    figures = counted(State.NORMAL, 893) + counted(State.STALE, 311) + counted(State.UNDELIVERABLE, 52)
    figures += counted(State.NOT_ANSWERED, 1997)

    told = tell(report_of(facts(figures)), Locale.EN)

    assert told.coverage == "1,204 of 3,253 answered, 311 out of date, 52 not reached"


def test_the_sources_say_when_nobody_was_asked_and_when_nobody_answered() -> None:
    unasked = tell(report_of(facts(Counter(), rounds=0)), Locale.EN)
    silent = tell(report_of(Facts(Counter(), None, 2)), Locale.EN)

    assert unasked.method[0] == "Nobody has been asked yet."
    assert silent.method[0].endswith("Nobody has answered yet.")
    assert "2 rounds" in silent.method[0]


def write(summary: str = "", hours: float | None = None, *, wanted: bool = False) -> Note | Refused:
    next_at = STORM_EVENING + timedelta(hours=hours) if hours is not None else None
    draft = Draft(summary, next_at, next_wanted=wanted or next_at is not None)
    return write_note(draft, report_id=new_id(), person_id=LIAISON, roles=[Role.LIAISON], now=STORM_EVENING)


@pytest.mark.parametrize(
    ("outcome", "flaws"),
    [
        (write("x" * (SUMMARY_LENGTH + 1)), {Flaw.SUMMARY_TOO_LONG}),
        (write(wanted=True), {Flaw.NEXT_UNREADABLE}),
        (write(hours=0), {Flaw.NEXT_OUT_OF_RANGE}),
        (write(hours=NEXT_AT_MOST / timedelta(hours=1) + 1), {Flaw.NEXT_OUT_OF_RANGE}),
        (write("x" * (SUMMARY_LENGTH + 1), hours=-1), {Flaw.SUMMARY_TOO_LONG, Flaw.NEXT_OUT_OF_RANGE}),
    ],
)
def test_a_bad_note_is_refused_with_every_reason(outcome: Note | Refused, flaws: set[Flaw]) -> None:
    assert isinstance(outcome, Refused)
    assert set(outcome.flaws) == flaws


def test_a_browsers_line_ends_do_not_count_twice() -> None:
    outcome = write("ab\r\n" * (SUMMARY_LENGTH // 3))

    assert isinstance(outcome, Note)
    assert outcome.summary.count("\n") == SUMMARY_LENGTH // 3 - 1


@FEW
@given(st.text(max_size=200))
def test_plain_text_has_nothing_invisible_in_it_and_stays_as_it_is(text: str) -> None:
    once = plain(text)

    assert plain(once) == once
    assert all(c == "\n" or c.isprintable() or not c.isascii() for c in once)
