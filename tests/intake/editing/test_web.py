"""The form of an association: what is saved, told and written down; and what stands in the way."""

import re

import pytest

from services.intake.audit.model import Act
from services.intake.editing.store import Supplement
from services.intake.networks.model import Group
from services.intake.registry.model import Ability, Card, Plan
from services.intake.registry.store import Association
from shared.identity import Role
from tests.intake.desk import deeds, filled_form, record_of
from tests.intake.house import AINO, BERTTA, Intake


async def test_a_clerk_edits_an_association(intake: Intake) -> None:
    await intake.take_in(AINO)
    await intake.app.state.networks.add(Group({"fi": "SILTA"}), by=None, code="silta")
    [aino] = await intake.ids()
    await intake.sign_in(Role.CLERK)
    await intake.forget_said()
    form = filled_form(await intake.browser.get(f"/registry/{aino}/edit"))
    form |= {"name": "Hattulan  Marttayhdistys", "plan": "made", "plan_year": "2024", "network": ["silta"]}
    form |= {"able": ["transport", "search"], "amount-transport": "4", "note-transport": "pakettiautoja"}

    saved = await intake.browser.post(f"/registry/{aino}/edit", data=form)
    [told] = await intake.said("association_changed")
    record = await record_of(intake, aino)
    page = await intake.browser.get(saved.headers["location"])

    assert saved.status_code == 303
    assert (record.association.name, record.association.plan, record.association.plan_year) == (
        "Hattulan Marttayhdistys",
        "made",
        2024,
    )
    assert record.abilities == [Ability("search"), Ability("transport", 4, "pakettiautoja")]
    assert (told["name"], told["networks"], told["capabilities"]) == (
        "Hattulan Marttayhdistys",
        ["silta"],
        ["search", "transport"],
    )
    assert told["version"] == 2
    assert "pakettiautoja" in page.text
    deed = (await deeds(intake))[0]
    assert deed.act == Act.ASSOCIATION_CHANGED
    assert deed.details == {"fields": "name plan plan_year networks abilities"}


async def test_saving_what_is_there_already_changes_and_says_nothing(intake: Intake) -> None:
    await intake.take_in(AINO)
    [aino] = await intake.ids()
    await intake.sign_in(Role.CLERK)
    await intake.forget_said()
    form = filled_form(await intake.browser.get(f"/registry/{aino}/edit"))

    saved = await intake.browser.post(f"/registry/{aino}/edit", data=form)

    assert saved.status_code == 303
    assert await intake.said() == []
    assert (await record_of(intake, aino)).association.version == 1


async def test_of_two_who_edit_the_second_sees_what_the_first_wrote(intake: Intake) -> None:
    await intake.take_in(AINO)
    [aino] = await intake.ids()
    await intake.sign_in(Role.CLERK)
    opened = await intake.browser.get(f"/registry/{aino}/edit?lang=en")
    first, second = filled_form(opened, name="Hattulan Marttayhdistys"), filled_form(opened, sector="village")
    await intake.browser.post(f"/registry/{aino}/edit", data=first)

    refused = await intake.browser.post(f"/registry/{aino}/edit?lang=en", data=second)
    kept = filled_form(refused)
    again = await intake.browser.post(f"/registry/{aino}/edit", data=kept)

    assert refused.status_code == 409
    assert "Somebody else changed this meanwhile" in refused.text
    assert "Hattulan Marttayhdistys" in refused.text
    assert (kept["name"], kept["sector"]) == ("Hattulan Martat", "village")
    assert again.status_code == 303
    assert (await record_of(intake, aino)).association.name == "Hattulan Martat"


async def test_a_bad_form_comes_back_with_all_that_was_written(intake: Intake) -> None:
    await intake.take_in(AINO)
    [aino] = await intake.ids()
    await intake.sign_in(Role.CLERK)
    form = filled_form(await intake.browser.get(f"/registry/{aino}/edit"))
    form |= {"name": "", "amount-search": "kaksi", "able": ["search"], "note-transport": "<b>auto</b>"}

    answer = await intake.browser.post(f"/registry/{aino}/edit", data=form)

    assert answer.status_code == 422
    assert 'href="#f-name"' in answer.text
    assert 'href="#f-amount-search"' in answer.text
    assert 'href="#f-able-transport"' in answer.text
    assert 'value="kaksi"' in answer.text
    assert "&lt;b&gt;auto" in answer.text


async def test_a_tick_taken_away_removes_the_capability(intake: Intake) -> None:
    await intake.take_in(AINO)
    [aino] = await intake.ids()
    await intake.app.state.editing.supplement([Supplement(register_number="1.001", abilities=(Ability("search", 3),))])
    await intake.sign_in(Role.CLERK)
    form = filled_form(await intake.browser.get(f"/registry/{aino}/edit"), able=[])

    await intake.browser.post(f"/registry/{aino}/edit", data=form)

    assert (await record_of(intake, aino)).abilities == []


async def test_a_new_association_needs_its_own_number_and_is_warned_of_namesakes(intake: Intake) -> None:
    await intake.take_in(AINO)
    await intake.sign_in(Role.CLERK)
    blank = filled_form(await intake.browser.get("/registry/new"), municipality="082", sector="other")

    taken = await intake.browser.post(
        "/registry/new?lang=en", data={**blank, "name": "Uusi", "register_number": "1001"}
    )
    namesake = {**blank, "name": "hattulan MARTAT", "register_number": "2.002"}
    warned = await intake.browser.post("/registry/new?lang=en", data=namesake)
    saved = await intake.browser.post("/registry/new", data={**namesake, "beside_namesakes": "yes"})

    assert taken.status_code == 422
    assert "Another association has this register number" in taken.text
    assert warned.status_code == 422
    assert "An association of this name" in warned.text
    assert saved.status_code == 303
    assert await intake.count(Association) == 2
    assert (await deeds(intake))[0].act == Act.ASSOCIATION_ADDED


async def test_a_limited_clerk_edits_and_moves_only_what_she_sees(intake: Intake) -> None:
    await intake.take_in(AINO, BERTTA)
    aino, bertta = await intake.ids()
    await intake.sign_in(Role.CLERK, municipalities=frozenset({"061"}))
    form = filled_form(await intake.browser.get(f"/registry/{bertta}/edit"), municipality="082")

    moved = await intake.browser.post(f"/registry/{bertta}/edit", data=form)

    assert (await intake.browser.get(f"/registry/{aino}/edit")).status_code == 404
    assert moved.status_code == 422
    assert (await record_of(intake, bertta)).association.municipality == "061"


@pytest.mark.parametrize("path", ["edit", "merge", "retire", "contacts/new"])
async def test_a_liaison_looks_and_changes_nothing(intake: Intake, path: str) -> None:
    await intake.take_in(AINO)
    [aino] = await intake.ids()
    await intake.sign_in(Role.LIAISON)

    page = await intake.browser.get(f"/registry/{aino}")

    assert page.status_code == 200
    assert not re.search(rf"/registry/{aino}/(?!answers)\w+", page.text)
    assert (await intake.browser.get(f"/registry/{aino}/{path}")).status_code == 403
    assert (await intake.browser.get("/registry/new")).status_code == 403


async def test_many_are_supplemented_at_once(intake: Intake) -> None:
    await intake.take_in(AINO, BERTTA)
    _aino, bertta = await intake.ids()
    await intake.forget_said()
    more = Supplement(
        register_number="1.002", plan=Plan.DRAFT, networks=("silta",), contacts=(Card("Dora", "d@example.org"),)
    )

    found = [await intake.app.state.editing.supplement([more]), await intake.app.state.editing.supplement([])]

    record = await record_of(intake, bertta)
    assert found == [1, 0]
    assert [contact.position for contact in record.contacts] == [1, 2]
    assert (record.networks, record.association.plan) == (["silta"], "draft")
    assert len(await intake.said("association_changed")) == 1
