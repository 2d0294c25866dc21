"""Calling through the pages: next call, read, choose, recorded, next call."""

from collections.abc import Sequence
from uuid import UUID

import pytest
from sqlalchemy import select

from services.intake.audit.model import Act
from services.intake.checkin.store import CheckInRow
from shared.identity import Role
from shared.ids import new_id
from shared.realm import Realm
from tests.intake.calling.people import HIDDEN_ID, ask_all, calls, in_order, invitation_of, set_contacts
from tests.intake.house import Intake, Round


@pytest.fixture
async def clerk(intake: Intake) -> UUID:
    return await intake.sign_in(Role.CLERK)


@pytest.fixture
async def opened(intake: Intake, clerk: UUID) -> Round:  # noqa: ARG001 - signed in first
    return await ask_all(intake)


async def rows(intake: Intake) -> Sequence[CheckInRow]:
    async with intake.database.read() as session:
        return list((await session.execute(select(CheckInRow))).scalars())


async def test_a_call_from_the_list_to_the_record_and_on(intake: Intake, opened: Round, clerk: UUID) -> None:
    listing = await intake.browser.get(f"/calls/rounds/{opened.round_id}")
    taken = await intake.browser.post(f"/calls/rounds/{opened.round_id}/next")
    page = await intake.browser.get(taken.headers["location"])
    [form_id] = HIDDEN_ID.findall(page.text)
    path = taken.headers["location"].partition("?")[0]
    said = {
        "checkin_id": form_id,
        "status": "limited",
        "until": "today",
        "need": "transport",
        "need-transport": "2",
        "offer": "premises",
        "plan": "yes",
        "note": "Sähköt poikki",
    }
    answered = await intake.browser.post(f"{path}/answer", data=said)
    recorded = await intake.browser.get(answered.headers["location"])

    [row] = await rows(intake)
    [event] = await intake.said("checkin_received")
    [deed] = [one.deed for one in await intake.app.state.audit.page() if one.deed.act == Act.ANSWER_ENTERED]
    assert in_order(listing.text, ["Lopen Kyläseura", "Hattulan Martat"])
    assert "Cecilia Tuuli" in page.text
    assert 'href="tel:0403"' in page.text
    assert answered.status_code == 303
    assert (row.status, row.channel, row.entered_by, row.note) == ("limited", "phone", clerk, "Sähköt poikki")
    assert (event["channel"], event["needs"], event["offers"]) == (
        "phone",
        [{"capability": "transport", "amount": 2}],
        [{"capability": "premises", "amount": None}],
    )
    assert (deed.actor, deed.subject, deed.details["channel"]) == (clerk, str(row.id), "phone")
    assert "Toimimme rajoitetusti" in recorded.text
    assert "Seuraava soitto" in recorded.text
    assert await intake.app.state.audit.first_break() is None


@pytest.mark.usefixtures("opened")
async def test_opening_a_call_takes_nothing_and_nothing_is_preselected(intake: Intake) -> None:
    martat = await invitation_of(intake, "Hattulan Martat")

    page = await intake.browser.get(f"/calls/{martat}")
    card = await calls(intake).card(martat)

    assert page.status_code == 200
    assert 'type="radio" name="status"' in page.text
    assert " checked" not in page.text
    assert card is not None
    assert card.call is None
    assert "Kukaan ei soita heille juuri nyt." in page.text


@pytest.mark.usefixtures("opened")
async def test_without_a_choice_the_form_comes_back_with_all_that_was_typed(intake: Intake) -> None:
    martat = await invitation_of(intake, "Hattulan Martat")

    page = await intake.browser.post(
        f"/calls/{martat}/answer", data={"note": "<soita> pian", "need": "transport", "need-transport": "monta"}
    )

    assert page.status_code == 422
    assert 'href="#f-status"' in page.text
    assert 'href="#f-need-transport"' in page.text
    assert "&lt;soita&gt; pian" in page.text
    assert 'value="monta"' in page.text
    assert await rows(intake) == []


@pytest.mark.usefixtures("opened")
async def test_a_form_sent_twice_is_one_answer(intake: Intake) -> None:
    martat = await invitation_of(intake, "Hattulan Martat")
    said = {"checkin_id": str(new_id()), "status": "normal"}

    answers = [await intake.browser.post(f"/calls/{martat}/answer", data=said) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [303, 303]
    assert len(await rows(intake)) == 1


async def test_what_came_of_a_call_stands_on_the_list(intake: Intake, opened: Round) -> None:
    taken = await intake.browser.post(f"/calls/rounds/{opened.round_id}/next")
    path = taken.headers["location"].partition("?")[0]

    noted = await intake.browser.post(f"{path}/tried", data={"outcome": "call_back", "at": "21:30", "note": "kotona"})
    listing = await intake.browser.get(noted.headers["location"])
    page = await intake.browser.get(path)

    assert "Soitto on merkitty." in listing.text
    assert "Pyysi soittamaan myöhemmin" in listing.text
    assert "21.11.2026 21.30" in listing.text
    assert "kotona" in page.text


@pytest.mark.parametrize("sent", [{"outcome": "gone", "note": "kotona"}, {"outcome": "no_answer", "note": "x" * 301}])
@pytest.mark.usefixtures("opened")
async def test_what_cannot_be_noted_comes_back_as_it_was_typed(intake: Intake, sent: dict[str, str]) -> None:
    martat = await invitation_of(intake, "Hattulan Martat")

    page = await intake.browser.post(f"/calls/{martat}/tried", data=sent)

    assert page.status_code == 422
    assert sent["note"] in page.text


@pytest.mark.usefixtures("opened")
async def test_somebody_elses_call_says_so_and_still_takes_an_answer(intake: Intake) -> None:
    martat = await invitation_of(intake, "Hattulan Martat")
    await calls(intake).take(martat, person_id=new_id())

    page = await intake.browser.get(f"/calls/{martat}")
    answer = await intake.browser.post(f"/calls/{martat}/answer", data={"status": "normal"})

    assert "Joku toinen soittaa heille juuri nyt." in page.text
    assert answer.status_code == 303


@pytest.mark.usefixtures("opened", "clerk")
async def test_a_call_can_be_taken_and_left_to_others(intake: Intake) -> None:
    martat = await invitation_of(intake, "Hattulan Martat")

    await intake.browser.post(f"/calls/{martat}/take")
    mine = await intake.browser.get(f"/calls/{martat}")
    left = await intake.browser.post(f"/calls/{martat}/release")

    card = await calls(intake).card(martat)
    assert "Jätä soitto muille" in mine.text
    assert left.headers["location"].endswith("said=released")
    assert card is not None
    assert card.claimed_by(intake.clock.now()) is None


async def test_a_closed_round_takes_no_answer_and_says_so(intake: Intake, opened: Round) -> None:
    martat = await invitation_of(intake, "Hattulan Martat")
    intake.clock.move(hours=7)
    await intake.sign_in(Role.CLERK, email="bertta@example.org")
    intake.clock.move(hours=18)
    await intake.sign_in(Role.CLERK, email="cecilia@example.org")

    answers = [
        await intake.browser.get(f"/calls/rounds/{opened.round_id}"),
        await intake.browser.post(f"/calls/rounds/{opened.round_id}/next"),
        await intake.browser.post(f"/calls/{martat}/answer", data={"status": "normal"}),
    ]

    assert {answer.status_code for answer in answers} == {409}
    assert "Kysely on päättynyt" in answers[0].text
    assert await rows(intake) == []


@pytest.mark.usefixtures("clerk")
async def test_an_exercise_is_called_alike_and_says_so_on_every_page(intake: Intake) -> None:
    opened = await ask_all(intake, realm=Realm("ex-autumn"))
    taken = await intake.browser.post(f"/calls/rounds/{opened.round_id}/next")
    path = taken.headers["location"].partition("?")[0]
    await intake.browser.post(f"{path}/answer", data={"status": "normal"})

    for address in (f"/calls/rounds/{opened.round_id}", path, f"{path}/recorded"):
        assert "HARJOITUS – tämä ei ole todellinen tilanne" in (await intake.browser.get(address)).text
    assert [row.realm for row in await rows(intake)] == ["ex-autumn"]


async def test_a_limited_clerk_sees_and_calls_their_own_alone(intake: Intake) -> None:
    opened = await ask_all(intake)
    await intake.sign_in(Role.CLERK, municipalities=frozenset({"082"}))
    cecilia = await invitation_of(intake, "Lopen Kyläseura")

    listing = await intake.browser.get(f"/calls/rounds/{opened.round_id}")
    refused = [
        await intake.browser.get(f"/calls/{cecilia}"),
        await intake.browser.get(f"/calls/{cecilia}/recorded"),
        await intake.browser.post(f"/calls/{cecilia}/take"),
        await intake.browser.post(f"/calls/{cecilia}/answer", data={"status": "normal"}),
        await intake.browser.post(f"/calls/{cecilia}/tried", data={"outcome": "no_answer"}),
    ]

    assert "Lopen Kyläseura" not in listing.text
    assert "Hattulan Martat" in listing.text
    assert {answer.status_code for answer in refused} == {404}
    assert await rows(intake) == []


@pytest.mark.usefixtures("opened")
async def test_the_contacts_best_time_is_shown(intake: Intake) -> None:
    await set_contacts(intake, best_time="arkisin klo 16 jälkeen")
    martat = await invitation_of(intake, "Hattulan Martat")

    assert "Paras aika: arkisin klo 16 jälkeen" in (await intake.browser.get(f"/calls/{martat}")).text


@pytest.mark.parametrize("role", [Role.VIEWER, Role.EDITOR, Role.APPROVER, Role.EXERCISE_LEADER])
async def test_other_roles_do_not_call(intake: Intake, role: Role) -> None:
    await intake.sign_in(role)

    assert (await intake.browser.get("/calls")).status_code == 403
    assert (await intake.browser.get("/work-list")).status_code == 403
