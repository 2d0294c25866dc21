"""What a clerk may write of an association, and what stands in the way of an edit."""

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.editing.model import Details, Verdict, changed_fields, judge
from services.intake.registry.model import Ability, Plan
from shared import region

AINO, BERTTA = UUID(int=1), UUID(int=2)
MARTAT = Details(register_number="1001", name="Hattulan Martat", municipality="082", sector="other", language="fi")

abilities = st.lists(
    st.builds(
        Ability,
        st.sampled_from([one.code for one in region.CAPABILITIES]),
        st.none() | st.integers(1, 1_000_000),
        st.text(max_size=200),
    ),
    max_size=3,
    unique_by=lambda one: one.capability,
).map(tuple)
details = st.builds(
    Details,
    register_number=st.from_regex(r"[0-9A-Za-z/-]{1,20}", fullmatch=True),
    name=st.text(min_size=1, max_size=200),
    municipality=st.sampled_from([place.code for place in region.MUNICIPALITIES]),
    sector=st.sampled_from([sector.code for sector in region.SECTORS]),
    language=st.sampled_from(["fi", "fi@selko", "sv", "en"]),
    plan=st.sampled_from(Plan),
    plan_year=st.none() | st.integers(1980, 2100),
    networks=st.frozensets(st.sampled_from(["silta", "seurat"])),
    abilities=abilities,
)


@given(details)
def test_what_can_be_chosen_and_written_has_no_flaw(written: Details) -> None:
    assert written.flaws == {}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "a" * 201),
        ("register_number", ""),
        ("register_number", "10 01"),
        ("municipality", "999"),
        ("sector", ""),
        ("language", "de"),
        ("plan_year", 26),
    ],
)
def test_a_flaw_is_told_of_its_own_field(field: str, value: object) -> None:
    assert list(replace(MARTAT, **{field: value}).flaws) == [field]  # type: ignore[arg-type]


@pytest.mark.parametrize("amount", [0, -1, 1_000_001])
def test_an_amount_that_is_none_is_told_at_its_capability(amount: int) -> None:
    assert list(replace(MARTAT, abilities=(Ability("search", amount),)).flaws) == ["amount-search"]


@given(before=details, after=details)
def test_the_changed_fields_lead_from_one_state_to_the_other(before: Details, after: Details) -> None:
    names = changed_fields(before, after)

    assert replace(before, **{name: getattr(after, name) for name in names}) == after
    assert changed_fields(after, after) == ()


@given(present=details, wanted=details, seen=st.booleans())
def test_only_whoever_saw_the_present_state_changes_it(present: Details, wanted: Details, seen: bool) -> None:
    outcome = judge(present, wanted, seen=seen, holder=AINO, namesakes=(), own=AINO)

    if present == wanted:
        assert outcome.verdict is Verdict.SAME
    else:
        assert outcome.verdict is (Verdict.SAVED if seen else Verdict.CONFLICT)


def test_a_register_number_belongs_to_one_association() -> None:
    outcome = judge(None, MARTAT, seen=True, holder=BERTTA, namesakes=(), own=AINO)

    assert (outcome.verdict, outcome.association_id) == (Verdict.NUMBER_TAKEN, BERTTA)


def test_a_namesake_stands_in_the_way_and_oneself_does_not() -> None:
    alone = judge(None, MARTAT, seen=True, holder=None, namesakes=[AINO], own=AINO)
    beside = judge(None, MARTAT, seen=True, holder=None, namesakes=[AINO, BERTTA], own=AINO)

    assert alone.verdict is Verdict.SAVED
    assert (beside.verdict, beside.association_id) == (Verdict.NAMESAKE, BERTTA)
