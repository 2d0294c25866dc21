"""Comparing a line with the register: what it says changes, what it leaves out stays."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.register_file.model import (
    Changed,
    ContactEntry,
    Holding,
    Known,
    Listed,
    ListedContact,
    New,
    Same,
    compare,
)
from services.intake.registry.model import Entry, Plan, name_key
from shared.events.intake import Amount
from shared.ids import new_id
from shared.list_report import ERRORS_SHOWN, Bad, RowError, Tally

LINE = Listed(2, "1001", "Hattulan Martat", "082")
ENTRY = Entry("1001", "Hattulan Martat", "082", "sports", "sv")
AINO = ContactEntry("Aino", "aino@example.org", "040 1", "", "sv")
HELD = Holding(ENTRY, Plan.MADE, 2020, frozenset({"silta"}), {"first-aid": 3}, {1: AINO})
KNOWN = Known(new_id(), 3, HELD, contact_ids={1: new_id()})
NETWORKS = {"silta": "silta", "kyläverkosto": "villages"}

maybe = st.none() | st.sampled_from(["a", "b"])
contacts = st.builds(ListedContact, name=maybe, email=maybe, phone=maybe, best_time=maybe, language=maybe)
amounts = st.builds(Amount, capability=st.sampled_from(["first-aid", "search"]), amount=st.none() | st.just(7))
lines = st.builds(
    Listed,
    row=st.just(2),
    register_number=st.just("1001"),
    name=st.sampled_from(["A", "B"]),
    municipality=st.just("082"),
    sector=maybe,
    language=st.none() | st.sampled_from(["fi", "sv"]),
    networks=st.none() | st.lists(st.sampled_from(["SILTA", "kyläverkosto"]), max_size=2).map(tuple),
    capabilities=st.none() | st.lists(amounts, max_size=2, unique_by=lambda one: one.capability).map(tuple),
    plan=st.none() | st.sampled_from([Plan.NONE, Plan.DRAFT, Plan.MADE]),
    contacts=st.lists(contacts, max_size=3).map(tuple),
)


def test_a_line_that_nobody_knows_is_new_without_a_contact_if_it_names_none() -> None:
    assert compare(None, LINE) == New(Holding(Entry("1001", "Hattulan Martat", "082", "other", "fi")))


def test_a_new_contact_speaks_the_language_of_the_line() -> None:
    decision = compare(None, replace(LINE, contacts=(ListedContact(email="aino@example.org"),), language="sv"))

    assert isinstance(decision, New)
    assert decision.holding.contacts == {1: ContactEntry("", "aino@example.org", "", "", "sv")}


def test_what_the_line_leaves_out_stays() -> None:
    assert compare(KNOWN, LINE) == Same()


def test_a_changed_address_stays_in_intake() -> None:
    decision = compare(KNOWN, replace(LINE, contacts=(ListedContact(email="bertta@example.org"),)))

    assert isinstance(decision, Changed)
    assert decision.contacts == {1: replace(AINO, email="bertta@example.org")}
    assert not decision.told


def test_a_second_contact_comes_beside_the_first() -> None:
    bertta = ListedContact("Bertta", phone="040 2", best_time="iltaisin")
    decision = compare(KNOWN, replace(LINE, contacts=(ListedContact(), bertta)))

    assert isinstance(decision, Changed)
    assert decision.contacts == {2: ContactEntry("Bertta", None, "040 2", "iltaisin", "sv")}


def test_a_best_time_alone_makes_no_contact() -> None:
    assert compare(KNOWN, replace(LINE, contacts=(ListedContact(), ListedContact(best_time="iltaisin")))) == Same()


def test_a_changed_name_is_told_and_leaves_the_contact_alone() -> None:
    decision = compare(KNOWN, replace(LINE, name="Hattulan Martat ry"))

    assert isinstance(decision, Changed)
    assert decision.contacts == {}
    assert decision.told


@pytest.mark.parametrize(
    ("line", "networks", "capabilities"),
    [
        (replace(LINE, networks=("Kyläverkosto",)), {"villages"}, {"first-aid": 3}),
        (replace(LINE, networks=()), set(), {"first-aid": 3}),
        (replace(LINE, capabilities=(Amount(capability="search"),)), {"silta"}, {"search": None}),
        (replace(LINE, capabilities=()), {"silta"}, {}),
    ],
)
def test_a_list_that_is_told_takes_the_place_of_the_old_one(
    line: Listed, networks: set[str], capabilities: dict[str, int | None]
) -> None:
    decision = compare(KNOWN, line, networks=NETWORKS)

    assert isinstance(decision, Changed)
    assert decision.told
    assert decision.holding.networks == networks
    assert decision.holding.capabilities == capabilities


def test_a_capability_told_without_an_amount_keeps_it() -> None:
    assert compare(KNOWN, replace(LINE, capabilities=(Amount(capability="first-aid"),))) == Same()


def test_an_amount_alone_is_not_told() -> None:
    decision = compare(KNOWN, replace(LINE, capabilities=(Amount(capability="first-aid", amount=9),)))

    assert isinstance(decision, Changed)
    assert not decision.told


@pytest.mark.parametrize(
    ("plan", "year", "held"),
    [
        (Plan.MADE, None, (Plan.MADE, 2020)),
        (Plan.MADE, 2024, (Plan.MADE, 2024)),
        (Plan.DRAFT, None, (Plan.DRAFT, None)),
        (None, None, (Plan.MADE, 2020)),
    ],
)
def test_a_plan_told_without_its_year_keeps_the_year(
    plan: Plan | None, year: int | None, held: tuple[Plan, int | None]
) -> None:
    decision = compare(KNOWN, replace(LINE, plan=plan, plan_year=year))

    holding = decision.holding if isinstance(decision, Changed) else HELD
    assert (holding.plan, holding.plan_year) == held


def test_a_network_that_nobody_knows_is_an_error_of_the_row() -> None:
    decision = compare(KNOWN, replace(LINE, networks=("silta", "Olematon")), networks=NETWORKS)

    assert isinstance(decision, Bad)
    assert [error.values for error in decision.errors] == [{"text": "Olematon"}]


@given(lines)
def test_a_line_taken_twice_changes_nothing_the_second_time(line: Listed) -> None:
    first = compare(None, line, networks=NETWORKS)
    assert isinstance(first, New)

    present = Known(new_id(), 1, first.holding)

    assert compare(present, line, networks=NETWORKS) == Same()


@given(st.lists(lines, min_size=1, max_size=4))
def test_the_last_line_taken_holds_whatever_came_before(history: list[Listed]) -> None:
    present = KNOWN
    for line in history:
        decision = compare(present, line, networks=NETWORKS)
        if isinstance(decision, Changed):
            present = replace(present, holding=decision.holding)

    assert compare(present, history[-1], networks=NETWORKS) == Same()


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
