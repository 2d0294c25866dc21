"""Networks at the desk: made, named, put below one another, filled with members; each told of and written down."""

import pytest

from services.intake.audit.model import Act
from services.intake.registry.model import Wanted
from shared.identity import Role
from tests.intake.desk import deeds, filled_form, record_of
from tests.intake.house import AINO, BERTTA, CECILIA, Intake


async def test_a_network_is_made_below_another_and_told_of(intake: Intake) -> None:
    await intake.sign_in(Role.ADMINISTRATOR)

    await intake.browser.post("/registry/networks", data={"name_fi": "SILTA"})
    made = await intake.browser.post(
        "/registry/networks", data={"name_fi": "Kylät", "name_sv": "Byar", "parent": "silta"}
    )
    listing = await intake.browser.get("/registry/networks?lang=sv")

    assert made.headers["location"] == "/registry/networks/kylat"
    assert [(one["code"], one["parent"]) for one in await intake.said("network_changed")] == [
        ("silta", None),
        ("kylat", "silta"),
    ]
    assert "Byar" in listing.text
    assert (await deeds(intake))[0].act == Act.NETWORK_CHANGED


async def test_a_network_without_a_finnish_name_is_not_made(intake: Intake) -> None:
    await intake.sign_in(Role.ADMINISTRATOR)

    answer = await intake.browser.post("/registry/networks", data={"name_sv": "Byar"})

    assert answer.status_code == 422
    assert 'value="Byar"' in answer.text
    assert 'href="#f-name_fi"' in answer.text
    assert await intake.said() == []


async def test_saving_tells_once_and_never_makes_a_circle(intake: Intake) -> None:
    await intake.sign_in(Role.ADMINISTRATOR)
    await intake.browser.post("/registry/networks", data={"name_fi": "SILTA"})
    await intake.browser.post("/registry/networks", data={"name_fi": "Kylät", "parent": "silta"})
    await intake.forget_said()
    retired = {"name_fi": "SILTA", "parent": "kylat", "retired": "yes"}

    for _ in range(2):
        await intake.browser.post("/registry/networks/silta", data=retired)

    [told] = await intake.said("network_changed")
    assert (told["parent"], told["retired"]) == (None, True)
    assert 'value="silta"' not in (await intake.browser.get("/registry")).text


async def test_members_come_and_go_by_the_filtered_list(intake: Intake) -> None:
    await intake.take_in(AINO, BERTTA, CECILIA)
    aino, bertta, cecilia = await intake.ids()
    await intake.sign_in(Role.ADMINISTRATOR)
    await intake.browser.post("/registry/networks", data={"name_fi": "SILTA"})
    await intake.forget_said()
    shown = await intake.browser.get("/registry/networks/silta/add?municipality=082")

    await intake.browser.post("/registry/networks/silta/add", data={"shown": [str(aino), str(bertta)], "all": "yes"})
    await intake.browser.post("/registry/networks/silta/add", data={"association": [str(bertta), str(cecilia)]})
    await intake.browser.post("/registry/networks/silta/remove", data={"association": [str(aino), "x"]})

    assert str(aino) in shown.text
    assert str(bertta) not in shown.text
    found = await intake.app.state.registry.find(Wanted(network="silta"))
    assert {one.id for one in found.associations} == {bertta, cecilia}
    assert (await record_of(intake, bertta)).association.version == 2
    assert [one["networks"] for one in await intake.said("association_changed")] == [["silta"]] * 3 + [[]]
    assert [deed.details for deed in (await deeds(intake))[:3]] == [{"associations": number} for number in (1, 1, 2)]


async def test_a_limited_administrator_adds_only_what_she_sees(intake: Intake) -> None:
    await intake.take_in(AINO, BERTTA)
    aino, bertta = await intake.ids()
    await intake.sign_in(Role.ADMINISTRATOR, municipalities=frozenset({"061"}))
    await intake.browser.post("/registry/networks", data={"name_fi": "SILTA"})

    await intake.browser.post("/registry/networks/silta/add", data={"association": [str(aino), str(bertta)]})

    assert (await record_of(intake, aino)).networks == []
    assert (await record_of(intake, bertta)).networks == ["silta"]


@pytest.mark.parametrize("role", [Role.CLERK, Role.LIAISON])
async def test_networks_are_the_administrators(intake: Intake, role: Role) -> None:
    await intake.sign_in(role)

    assert (await intake.browser.get("/registry/networks")).status_code == 403
    assert (await intake.browser.post("/registry/networks", data={"name_fi": "X"})).status_code == 403


async def test_an_unknown_network_is_said_so(intake: Intake) -> None:
    await intake.sign_in(Role.ADMINISTRATOR)

    assert (await intake.browser.get("/registry/networks/nothing")).status_code == 404
    assert filled_form(await intake.browser.get("/registry/networks"))["name_fi"] == ""
