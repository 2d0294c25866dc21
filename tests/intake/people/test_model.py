"""Which changes of people are refused: somebody must always remain who can change them."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from services.intake.access.model import PersonEntry
from services.intake.people.model import Refusal, administers, fingerprint, refusal
from shared.identity import Role

YLVA = PersonEntry("Ylva", "ylva@example.org", frozenset({Role.ADMINISTRATOR}))

entries = st.builds(
    PersonEntry,
    name=st.text(max_size=5),
    email=st.just("ylva@example.org"),
    roles=st.frozensets(st.sampled_from(Role)),
    municipalities=st.frozensets(st.sampled_from(["061", "082"])),
    networks=st.frozensets(st.sampled_from(["silta"])),
    retired=st.booleans(),
)


@given(entries, entries, st.booleans(), st.integers(0, 3))
def test_after_a_change_that_is_made_somebody_administers(
    before: PersonEntry, after: PersonEntry, own: bool, others: int
) -> None:
    made = refusal(before, after, own=own, others=others) is None

    if made and administers(before):
        assert administers(after) or others > 0


@given(entries)
def test_an_administrator_may_make_anything_of_another_while_one_remains(after: PersonEntry) -> None:
    assert refusal(YLVA, after, own=False, others=1) is None


def test_nobody_takes_away_one_s_own_role_but_may_leave() -> None:
    assert refusal(YLVA, replace(YLVA, roles=frozenset()), own=True, others=5) is Refusal.OWN_ROLE
    assert refusal(YLVA, replace(YLVA, municipalities=frozenset({"061"})), own=True, others=5) is Refusal.OWN_ROLE
    assert refusal(YLVA, replace(YLVA, retired=True), own=True, others=1) is None
    assert refusal(YLVA, replace(YLVA, retired=True), own=True, others=0) is Refusal.LAST_ADMINISTRATOR


@given(entries, entries)
def test_two_fingerprints_are_equal_for_equal_people_only(one: PersonEntry, other: PersonEntry) -> None:
    assert (fingerprint(one) == fingerprint(other)) == (one == other)
