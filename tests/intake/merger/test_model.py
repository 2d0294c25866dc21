"""What two entries become when they are merged: everything of both, nobody twice, however often."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.intake.merger.model import Answering, Whole, united
from services.intake.registry.model import Ability, Card, Plan

ids = st.integers(1, 10**6).map(lambda number: UUID(int=number))
cards = st.builds(
    Card,
    name=st.sampled_from(["Aino", "Bertta", "Cecilia"]),
    email=st.sampled_from(["", "a@example.org", "A@example.org", "b@example.org"]),
    phone=st.sampled_from(["", "040 1", "0401", "040 2"]),
)
contacts = st.lists(st.builds(Answering, ids, cards), max_size=4, unique_by=lambda one: one.contact_id).map(tuple)
abilities = st.lists(
    st.builds(
        Ability, st.sampled_from(["search", "transport"]), st.none() | st.integers(1, 9), st.sampled_from(["", "x"])
    ),
    max_size=2,
    unique_by=lambda one: one.capability,
).map(lambda found: tuple(sorted(found, key=lambda one: one.capability)))
wholes = st.builds(
    Whole, contacts, st.frozensets(st.sampled_from(["silta", "seurat"])), abilities, st.sampled_from(Plan), st.none()
)


@given(wholes, wholes)
def test_merging_again_changes_nothing(kept: Whole, other: Whole) -> None:
    once = united(kept, other).whole

    assert united(once, other).whole == once
    assert united(once, once).whole == once


@given(wholes, wholes)
def test_nothing_of_the_one_that_remains_is_lost(kept: Whole, other: Whole) -> None:
    whole = united(kept, other).whole

    assert whole.contacts[: len(kept.contacts)] == kept.contacts
    assert whole.networks == kept.networks | other.networks
    assert {one.capability for one in whole.abilities} == {
        one.capability for one in (*kept.abilities, *other.abilities)
    }
    assert all(one.amount is None or one in whole.abilities or not one.note for one in kept.abilities)
    assert whole.plan is (other.plan if kept.plan is Plan.UNKNOWN else kept.plan)


@given(wholes, wholes)
def test_every_contact_of_the_other_joins_or_is_there_already(kept: Whole, other: Whole) -> None:
    result = united(kept, other)
    remaining = {one.contact_id for one in result.whole.contacts}

    for one in other.contacts:
        assert one.contact_id in remaining or result.doubles[one.contact_id] in remaining


def test_one_address_is_one_person_and_without_addresses_name_and_phone_are() -> None:
    kept = Whole(
        (Answering(UUID(int=1), Card("Aino", "a@example.org")), Answering(UUID(int=2), Card("Bertta", "", "040 2")))
    )
    other = Whole(
        (
            Answering(UUID(int=3), Card("A. Kuura", "A@Example.org")),
            Answering(UUID(int=4), Card("bertta", "", "0402")),
            Answering(UUID(int=5), Card("Cecilia", "", "0402")),
        )
    )

    result = united(kept, other)

    assert result.doubles == {UUID(int=3): UUID(int=1), UUID(int=4): UUID(int=2)}
    assert [one.contact_id.int for one in result.whole.contacts] == [1, 2, 5]
