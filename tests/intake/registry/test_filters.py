"""The register's filters: by all that is known of an association, alone and together, within what may be seen."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.editing.store import Supplement
from services.intake.registry.filter_form import page_number
from services.intake.registry.model import Ability, Card, Plan, Wanted, is_email
from shared.identity import Role
from tests.intake.desk import EVERYWHERE
from tests.intake.house import AINO, BERTTA, CECILIA, Intake

SILENT = "Tammelan Apu;1004;Tammela;Muut;;;;"


async def filled(intake: Intake) -> None:
    """Aino is in SILTA and has cars; Bertta has a plan; nobody answers for the last one."""
    await intake.take_in(AINO, BERTTA, CECILIA, SILENT)
    await intake.app.state.editing.supplement(
        [
            Supplement(register_number="1001", networks=("silta",), abilities=(Ability("transport", 2),)),
            Supplement(register_number="1002", plan=Plan.MADE, plan_year=2024, networks=("seurat",)),
        ]
    )
    await intake.add_contact((await intake.ids())[0], 2, "second@example.org")


FOUND = [
    (Wanted(), ["1001", "1002", "1003", "1004"]),
    (Wanted(text="1.00"), ["1001", "1002", "1003", "1004"]),
    (Wanted(text="1003"), ["1003"]),
    (Wanted(sub_region="forssa"), ["1002", "1004"]),
    (Wanted(sub_region="nowhere"), []),
    (Wanted(network="silta"), ["1001"]),
    (Wanted(capability="transport"), ["1001"]),
    (Wanted(plan="made"), ["1002"]),
    (Wanted(contact="confirmed"), ["1001"]),
    (Wanted(contact="unconfirmed"), ["1001", "1002", "1003"]),
    (Wanted(contact="failed"), []),
    (Wanted(contact="none"), ["1004"]),
    (Wanted(retired="retired"), []),
    (Wanted(network="silta", capability="transport", municipality="061"), []),
    (Wanted(of=frozenset({"seurat"})), ["1002"]),
    (Wanted(within=frozenset({"433"}), of=frozenset({"silta"})), ["1001", "1003"]),
]
"""What is wanted, and the register numbers of those who are that."""


async def test_each_filter_finds_its_own(intake: Intake) -> None:
    await filled(intake)

    for wanted, numbers in FOUND:
        found = await intake.app.state.registry.find(wanted)
        assert sorted(one.register_number for one in found.associations) == numbers, wanted
        assert found.count == len(numbers), wanted


async def test_all_filters_stand_in_the_address_and_stay_in_the_form(intake: Intake) -> None:
    await filled(intake)
    await intake.sign_in(Role.LIAISON)

    page = await intake.browser.get("/registry?network=silta&capability=transport&plan=unknown&contact=confirmed")

    assert "Hattulan Martat" in page.text
    assert "Forssa Byalag" not in page.text
    assert '<option value="transport" selected>' in page.text
    assert "<details" in page.text.split("open>")[0]


@given(st.dictionaries(st.sampled_from(["q", "municipality", "network", "plan", "retired", "x"]), st.text()))
def test_what_an_address_asks_is_asked_again_by_the_next_page(asked: dict[str, str]) -> None:
    wanted = Wanted.asked(asked, staff=EVERYWHERE)

    assert Wanted.asked(wanted.query, staff=EVERYWHERE) == wanted
    assert "\0" not in str(wanted)


@given(st.text())
def test_any_text_is_a_page_number(text: str) -> None:
    assert 1 <= page_number({"page": text}) < 1_000_000


@pytest.mark.parametrize("address", ["aino@example.org", "a.b+c@sub.example.fi"])
def test_addresses_are_taken(address: str) -> None:
    assert is_email(address)
    assert Card(email=address).flaws == {}


@pytest.mark.parametrize("address", ["aino", "aino@example", "a b@example.org", "a@b@example.org", "<a@example.org>"])
def test_what_is_no_address_is_a_flaw(address: str) -> None:
    card = Card(name="Aino", email=address)

    assert list(card.flaws) == ["email"]
    assert list(replace(card, email="", name="").flaws) == ["name"]
