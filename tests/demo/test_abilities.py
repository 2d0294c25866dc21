"""What the demonstration's associations can do: invented, repeatable, and of the region's own words."""

from services.demo.abilities import demo_more, demo_networks
from services.demo.registry import demo_associations
from services.intake.registry.model import Plan
from shared import region

ASSOCIATIONS = demo_associations(2020)
MORE = demo_more(ASSOCIATIONS, 2020)


def test_the_same_seed_gives_the_same() -> None:
    assert demo_more(ASSOCIATIONS, 2020) == MORE
    assert demo_more(ASSOCIATIONS, 2021) != MORE


def test_everything_named_is_there() -> None:
    networks = {network.code for network in demo_networks()}
    capabilities = {ability.code for ability in region.CAPABILITIES}

    assert {code for one in MORE for code in one.networks} == networks
    assert {able.capability for one in MORE for able in one.abilities} <= capabilities
    assert {network.parent for network in demo_networks()} - {""} <= networks
    assert {one.plan for one in MORE} == {plan.value for plan in Plan}


def test_years_belong_to_plans_that_are_made_and_amounts_are_counts() -> None:
    assert all((one.plan_year is not None) == (one.plan == "made") for one in MORE)
    assert all(able.amount is None or able.amount >= 1 for one in MORE for able in one.abilities)


def test_second_contacts_have_addresses_of_their_own_that_lead_nowhere() -> None:
    first = {association.email for association in ASSOCIATIONS}
    second = [contact.email for one in MORE for contact in one.contacts]

    assert 700 < len(second) < 1300
    assert len(set(second)) == len(second)
    assert first.isdisjoint(second)
    assert all(address.endswith("@example.org") for address in second)
