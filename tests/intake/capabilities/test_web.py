"""Who can do what, and where: by the register, and by what associations say themselves in a situation."""

import csv
from io import StringIO
from uuid import UUID

import pytest

from services.intake.checkin.model import Answer, Said
from services.intake.editing.store import Supplement
from services.intake.registry.model import Ability
from shared.events.intake import Amount, OperatingStatus
from shared.identity import Role
from shared.ids import digest, new_id
from shared.realm import LIVE, Realm
from tests.intake.house import ADDRESS, AINO, BERTTA, CECILIA, Intake, Round

DORA = "Tammelan Apu;1004;Tammela;Muut;Dora Halla;dora@example.org;040 4;"


@pytest.fixture
async def able(intake: Intake) -> list[UUID]:
    """Aino has four cars, Bertta an uncounted number; Cecilia and Dora have none that the register knows."""
    await intake.take_in(AINO, BERTTA, CECILIA, DORA)
    cars = {"1001": Ability("transport", 4, "pakettiautoja"), "1002": Ability("transport")}
    await intake.app.state.editing.supplement(
        Supplement(register_number=number, abilities=(ability,)) for number, ability in cars.items()
    )
    return await intake.ids()


async def answer(intake: Intake, name: str, status: OperatingStatus, *offers: Amount) -> None:
    """The association of that name answers by its link."""
    wish = next(one for one in await intake.said("bulk") if one["personal"]["association"] == name)
    token = str(wish["personal"]["link"]).removeprefix(f"{ADDRESS}/c/")
    said = Said(status=status, offers=offers)
    await intake.app.state.checkin.put(Answer(door=digest(token), form_id=new_id(), said=said, at=intake.clock.now()))


async def rows(intake: Intake, query: str) -> list[list[str]]:
    """The list as CSV, without its heading."""
    got = await intake.browser.get(f"/who-can.csv?{query}&lang=en")
    assert got.headers["content-type"].startswith("text/csv")
    return list(csv.reader(StringIO(got.text), delimiter=";"))[1:]


async def opened(intake: Intake, able: list[UUID], realm: Realm = LIVE) -> Round:
    return await intake.open_round(able, realm=realm)


async def test_without_a_situation_the_register_speaks(intake: Intake, able: list[UUID]) -> None:
    await intake.sign_in(Role.LIAISON)

    page = await intake.browser.get("/who-can?capability=transport&lang=en")

    assert "This is what the register knows" in page.text
    assert "pakettiautoja" in page.text
    assert [row[0] for row in await rows(intake, "capability=transport")] == ["Hattulan Martat", "Forssa Byalag"]
    assert [row[0] for row in await rows(intake, "capability=transport&least=2")] == ["Hattulan Martat"]
    assert [row[0] for row in await rows(intake, "capability=transport&area=forssa")] == ["Forssa Byalag"]
    assert await rows(intake, "capability=search") == []
    assert len(able) == 4


async def test_in_a_situation_fresh_answers_speak_and_silence_is_no_yes(intake: Intake, able: list[UUID]) -> None:
    await opened(intake, able)
    await answer(intake, "Tammelan Apu", OperatingStatus.LIMITED, Amount(capability="transport", amount=2))
    await answer(intake, "Forssa Byalag", OperatingStatus.SUSPENDED)
    await intake.sign_in(Role.LIAISON)

    found = await rows(intake, "capability=transport")
    page = await intake.browser.get("/who-can?capability=transport&lang=en")

    assert [(row[0], row[4]) for row in found] == [
        ("Tammelan Apu", "Offers it now"),
        ("Hattulan Martat", "No answer"),
        ("Forssa Byalag", "Suspended"),
    ]
    assert "1 of 3 have answered lately" in page.text


async def test_a_later_answer_takes_the_place_and_an_old_one_is_out_of_date(intake: Intake, able: list[UUID]) -> None:
    await opened(intake, able)
    await intake.sign_in(Role.LIAISON)
    await answer(intake, "Hattulan Martat", OperatingStatus.NORMAL, Amount(capability="transport", amount=9))
    intake.clock.move(minutes=5)
    await answer(intake, "Hattulan Martat", OperatingStatus.NORMAL)

    fresh = (await rows(intake, "capability=transport"))[0]
    intake.clock.move(hours=25)
    await intake.sign_in(Role.LIAISON, email="liisa@example.org")
    old = next(row for row in await rows(intake, "capability=transport") if row[0] == "Hattulan Martat")

    assert (fresh[2], fresh[4]) == ("4", "Operates; did not say")
    assert old[4] == "Answer out of date"


async def test_an_exercise_is_chosen_only_by_name_and_says_so(intake: Intake, able: list[UUID]) -> None:
    drill = await opened(intake, able, Realm("ex-1"))
    await intake.sign_in(Role.LIAISON)

    usual = await intake.browser.get("/who-can?capability=transport&lang=en")
    chosen = await intake.browser.get(f"/who-can?capability=transport&situation={drill.situation_id}&lang=en")

    assert "EXERCISE – this is not a real situation" not in usual.text
    assert "EXERCISE – this is not a real situation" in chosen.text


@pytest.mark.parametrize(("role", "sees"), [(Role.CLERK, True), (Role.VIEWER, False), (Role.EDITOR, False)])
async def test_contacts_are_for_those_who_see_the_register(
    intake: Intake, able: list[UUID], role: Role, sees: bool
) -> None:
    await intake.sign_in(role)

    page = await intake.browser.get("/who-can?capability=transport")
    text = (await intake.browser.get("/who-can.csv?capability=transport")).text

    assert ("Aino Kuura" in page.text, "Aino Kuura" in text) == (sees, sees)
    assert "Hattulan Martat" in page.text
    assert able


async def test_a_limited_role_finds_only_what_it_sees(intake: Intake, able: list[UUID]) -> None:
    await intake.sign_in(Role.LIAISON, municipalities=frozenset({"061"}))

    assert [row[0] for row in await rows(intake, "capability=transport")] == ["Forssa Byalag"]
    assert able


@pytest.mark.parametrize("query", ["", "capability=x", "capability=transport&least=-1&area=%00&situation=x"])
async def test_whatever_is_asked_there_is_a_page(intake: Intake, query: str) -> None:
    await intake.sign_in(Role.VIEWER)

    assert (await intake.browser.get(f"/who-can?{query}")).status_code == 200
