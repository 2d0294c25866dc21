"""Networks: codes that are new, and places without circles."""

from hypothesis import given
from hypothesis import strategies as st

from services.intake.networks.model import Group, ancestors, code_of, in_order, may_be_below

CODES = ["a", "b", "c", "d"]
trees = st.fixed_dictionaries({code: st.sampled_from([None, *CODES, "gone"]) for code in CODES})


@given(st.text(), st.sets(st.sampled_from(["silta", "network", "silta-2"])))
def test_a_code_is_plain_and_not_taken(name: str, taken: set[str]) -> None:
    code = code_of(name, taken)

    assert code not in taken
    assert code.isascii()
    assert code.replace("-", "").isalnum()


def test_a_code_is_the_name_in_plain_letters() -> None:
    assert code_of("SILTA Kylät", {"silta-kylat"}) == "silta-kylat-2"


@given(trees, st.sampled_from(CODES))
def test_a_network_never_comes_to_stand_above_itself(parents: dict[str, str | None], code: str) -> None:
    for parent in may_be_below(code, parents):
        assert code not in ancestors(code, {**parents, code: parent})


@given(trees)
def test_all_that_hangs_together_is_listed_once(parents: dict[str, str | None]) -> None:
    listed = [code for code, _ in in_order(parents, {code: code for code in CODES})]

    assert len(listed) == len(set(listed))
    assert {code for code in CODES if code not in ancestors(code, parents)} >= set(listed)


def test_finnish_is_needed_and_names_have_an_end() -> None:
    assert list(Group({"sv": "Byar"}).flaws) == ["name_fi"]
    assert list(Group({"fi": "Kylät", "sv": "x" * 101}).flaws) == ["name_sv"]
