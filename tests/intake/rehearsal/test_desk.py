"""At the desk of an exercise it is plain who is simulated, and there is nothing by which they could be called."""

from uuid import UUID

import pytest
from httpx import codes

from services.intake.calling.store import Wanted
from shared.identity import Role, Sight
from shared.realm import Realm
from tests.intake.calling.people import DAGNY, can, invitation_of
from tests.intake.house import AINO, CECILIA, Intake, Round

AUTUMN = Realm("ex-autumn")
EINO = "Hattulan Partio;1005;Hattula;Muut;Eino Halla;eino@example.org;040 5;suomi"
SIMULATED = "Simuloitu: heille ei soiteta"


@pytest.fixture
async def opened(intake: Intake) -> Round:
    """An exercise in which Aino takes part, and her association's second contact, Dagny and Eino do not."""
    await intake.sign_in(Role.CLERK, Role.LIAISON)
    await intake.take_in(AINO, DAGNY, EINO, CECILIA)
    ids = await intake.ids()
    await intake.add_contact(ids[0], 2, "second@example.org")
    return await intake.open_round(ids, realm=AUTUMN, roster=["aino@example.org"])


async def test_the_call_list_has_their_names_and_no_numbers(intake: Intake, opened: Round) -> None:
    page = (await intake.browser.get(f"/calls/rounds/{opened.round_id}")).text
    overview = (await intake.browser.get("/calls")).text
    calls = intake.app.state.calls
    mine = [await calls.next_call(opened.round_id, Wanted(), Sight(), person_id=UUID(int=n)) for n in (1, 2)]

    [known] = await calls.rounds(Sight())
    assert (known.asked, known.outstanding, known.undeliverable, known.simulated) == (1, 1, 0, 3)
    assert "Simuloituja, ei soiteta" in overview
    assert page.index("Hattulan Martat") < page.index("Hattulan Palokunta")
    assert "040 1" in page
    assert not [number for number in ("040 3", "040 4", "040 5", "Dagny", "Eino", "Cecilia") if number in page]
    assert page.count("Heille ei soiteta") == 3
    assert mine == [await invitation_of(intake, "Hattulan Martat"), None]


async def test_a_simulated_one_cannot_be_called_by_its_address_either(intake: Intake, opened: Round) -> None:
    dagny = await invitation_of(intake, "Hattulan Palokunta")

    card = await intake.browser.get(f"/calls/{dagny}")
    refused = [
        await intake.browser.post(f"/calls/{dagny}/take"),
        await intake.browser.post(f"/calls/{dagny}/tried", data={"outcome": "no_answer"}),
        await intake.browser.post(f"/calls/{dagny}/answer", data={"status": "normal"}),
    ]

    assert card.status_code == codes.OK
    assert "Simuloitu tässä harjoituksessa: heille ei soiteta." in card.text
    assert "040 4" not in card.text
    assert "Dagny" not in card.text
    assert {answer.status_code for answer in refused} == {codes.CONFLICT}
    assert not await intake.app.state.calls.take(dagny, person_id=opened.round_id)
    assert await intake.said("checkin_received") == []


async def test_of_one_that_takes_part_only_those_on_the_roster_are_called(intake: Intake, opened: Round) -> None:
    del opened
    card = await intake.app.state.calls.card(await invitation_of(intake, "Hattulan Martat"))

    assert [contact.email for contact in card.contacts] == ["aino@example.org"]


async def test_on_paper_they_have_neither_a_number_nor_a_sheet(intake: Intake, opened: Round) -> None:
    here = f"/paper/{opened.round_id}/082"
    eino = await invitation_of(intake, "Hattulan Partio")

    listed = (await intake.browser.get(f"{here}/list")).text
    await intake.browser.post(f"{here}/sheets")
    sheets = (await intake.browser.get(f"{here}/sheets")).text
    typing = (await intake.browser.get(f"{here}/answers")).text
    await intake.browser.post(f"{here}/answers", data={f"box-{eino}": "1"})
    alone = await intake.browser.post(f"{here}/answers/{eino}", data={"box": "1"})

    assert "Aino Kuura" in listed
    assert listed.count(SIMULATED) == typing.count(SIMULATED) == 2
    assert not [word for word in ("040 4", "040 5", "Dagny", "Eino") if word in listed]
    assert "Hattulan Martat" in sheets
    assert "Hattulan Partio" not in sheets
    assert f"box-{eino}" not in typing
    assert alone.status_code == codes.NOT_FOUND
    assert await intake.said("checkin_received") == []


async def test_who_could_help_in_the_exercise_has_no_number_unless_they_take_part(
    intake: Intake, opened: Round
) -> None:
    for name in ("Hattulan Martat", "Hattulan Partio"):
        await can(intake, name, "transport")
    query = {"capability": "transport", "situation": str(opened.situation_id)}

    page = (await intake.browser.get("/who-can", params=query)).text

    assert "Hattulan Partio" in page
    assert "040 1" in page
    assert "040 5" not in page
