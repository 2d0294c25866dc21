"""Comparing a line with the register: what it says changes, what it leaves out stays."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from services.intake.register_file.model import (
    ERRORS_SHOWN,
    Bad,
    Changed,
    Known,
    Listed,
    New,
    RowError,
    Same,
    Tally,
    compare,
)
from services.intake.registry.model import Entry, Person, name_key
from shared.ids import new_id

LINE = Listed(2, "1001", "Hattulan Martat", "082")
ENTRY = Entry("1001", "Hattulan Martat", "082", "sports", "sv")
AINO = Person("Aino", "aino@example.org", "040 1", "sv")
KNOWN = Known(new_id(), 3, ENTRY, contact_id=new_id(), contact=AINO)

maybe = st.none() | st.sampled_from(["a", "b"])
lines = st.builds(
    Listed,
    row=st.just(2),
    register_number=st.just("1001"),
    name=st.sampled_from(["A", "B"]),
    municipality=st.just("082"),
    sector=maybe,
    contact_name=maybe,
    email=maybe,
    phone=maybe,
    language=st.none() | st.sampled_from(["fi", "sv"]),
)


def test_a_line_that_nobody_knows_is_new_without_a_contact_if_it_names_none() -> None:
    assert compare(None, LINE) == New(Entry("1001", "Hattulan Martat", "082", "other", "fi"), None)


def test_a_new_contact_speaks_the_language_of_the_line() -> None:
    decision = compare(None, replace(LINE, email="aino@example.org", language="sv"))

    assert isinstance(decision, New)
    assert decision.contact == Person("", "aino@example.org", "", "sv")


def test_what_the_line_leaves_out_stays() -> None:
    assert compare(KNOWN, LINE) == Same()


def test_a_changed_address_stays_in_intake() -> None:
    decision = compare(KNOWN, replace(LINE, email="bertta@example.org"))

    assert isinstance(decision, Changed)
    assert decision.contact == replace(AINO, email="bertta@example.org")
    assert not decision.told


def test_a_changed_name_is_told_and_leaves_the_contact_alone() -> None:
    decision = compare(KNOWN, replace(LINE, name="Hattulan Martat ry"))

    assert isinstance(decision, Changed)
    assert decision.contact is None
    assert decision.told


@given(lines)
def test_a_line_taken_twice_changes_nothing_the_second_time(line: Listed) -> None:
    first = compare(None, line)
    assert isinstance(first, New)

    present = Known(new_id(), 1, first.entry, contact_id=new_id(), contact=first.contact)

    assert compare(present, line) == Same()


@given(st.lists(lines, min_size=1, max_size=4))
def test_the_last_line_taken_holds_whatever_came_before(history: list[Listed]) -> None:
    present = KNOWN
    for line in history:
        decision = compare(present, line)
        if isinstance(decision, Changed):
            present = replace(present, entry=decision.entry, contact=decision.contact or present.contact)

    assert compare(present, history[-1]) == Same()


def test_names_are_the_same_whatever_their_case_and_spaces() -> None:
    assert name_key(" HÄMEEN  Äijät ") == name_key("Hämeen äijät")


def test_a_tally_counts_all_problems_and_shows_the_first() -> None:
    tally = Tally()
    wrong = RowError(row=1, column="Nimi", message="x")

    for row in range(ERRORS_SHOWN):
        tally.add(Bad(row, (wrong, wrong)))
    tally.add(Same())

    report = tally.report()
    assert (report.rows, report.bad, report.same) == (ERRORS_SHOWN + 1, ERRORS_SHOWN, 1)
    assert report.problems == 2 * ERRORS_SHOWN
    assert len(report.errors) == ERRORS_SHOWN
