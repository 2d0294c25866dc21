"""The tray: who may see it, what it shows, and that a person decides once."""

import pytest

from services.intake.reply.model import ReplyState
from shared.identity import Role
from shared.realm import Realm
from tests.intake.house import AINO, BERTTA, Intake
from tests.intake.reply.post import answers, arrive, keys, replies, written


@pytest.fixture
async def tray(intake: Intake) -> list[str]:
    """Two letters wait, Aino's since before Bertta's; their pages, and a clerk at the desk."""
    await intake.take_in(AINO, BERTTA)
    await intake.open_round(await intake.ids())
    first, second = await keys(intake)
    await arrive(intake, written("Melkein normaalisti, mutta <b>kylmä</b> on."), key=first)
    intake.clock.move(minutes=1)
    await arrive(intake, written("Ring mig!"), key=second)
    await intake.sign_in(Role.CLERK)
    return [f"/replies/{row.id}" for row in await replies(intake)]


async def test_what_waits_is_listed_oldest_first_with_its_words(intake: Intake, tray: list[str]) -> None:
    page = await intake.browser.get("/replies?lang=en")

    assert page.status_code == 200
    assert page.text.index("Hattulan Martat") < page.text.index("Forssa Byalag")
    assert "Melkein normaalisti, mutta &lt;b&gt;kylmä" in page.text
    assert all(path in page.text for path in tray)
    assert "Email replies" in page.text


async def test_a_person_says_what_it_means_and_comes_to_the_next(intake: Intake, tray: list[str]) -> None:
    opened = await intake.browser.get(f"{tray[0]}?lang=en")
    sent = await intake.browser.post(tray[0], data={"says": "limited"})
    following = await intake.browser.get(sent.headers["location"])

    assert opened.text.count('type="radio"') == 4
    assert " checked" not in opened.text
    assert (sent.status_code, sent.headers["location"]) == (303, f"{tray[1]}?said=recorded")
    assert "The answer is recorded." in following.text
    [(status, channel, entered_by)] = await answers(intake)
    assert (status, channel, entered_by is not None) == ("limited", "email", True)


async def test_the_last_one_leads_back_to_an_empty_tray(intake: Intake, tray: list[str]) -> None:
    first, last = [await intake.browser.post(path, data={"says": "aside", "reason": "no_answer"}) for path in tray]
    empty = await intake.browser.get(f"{last.headers['location']}&lang=en")
    aside = await intake.browser.get("/replies?state=set_aside&lang=en")

    assert first.headers["location"] == f"{tray[1]}?said=aside"
    assert "No message waits." in empty.text
    assert aside.text.count("It is no answer") == 2


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        ({}, "Choose what the message says."),
        ({"says": "x"}, "Choose what the message says."),
        ({"says": "aside"}, "Choose why the message is set aside."),
        ({"says": "aside", "reason": "x"}, "Choose why the message is set aside."),
    ],
)
async def test_without_a_choice_the_same_page_says_so(
    intake: Intake, tray: list[str], sent: dict[str, str], message: str
) -> None:
    answer = await intake.browser.post(f"{tray[0]}?lang=en", data=sent)

    assert answer.status_code == 422
    assert message in answer.text
    assert 'href="#f-' in answer.text
    assert {row.state for row in await replies(intake)} == {ReplyState.WAITING}


async def test_whoever_comes_second_is_told(intake: Intake, tray: list[str]) -> None:
    await intake.browser.post(tray[0], data={"says": "limited"})
    second = await intake.browser.post(tray[0], data={"says": "normal"})
    told = await intake.browser.get(f"{second.headers['location']}&lang=en")

    assert "Somebody else has already handled that message." in told.text
    assert [status for status, _, _ in await answers(intake)] == ["limited"]


async def test_after_the_round_there_is_nothing_to_record(intake: Intake, tray: list[str]) -> None:
    intake.clock.move(hours=30)
    await arrive(intake, written("Toimimme normaalisti."), key=(await keys(intake))[0])
    late = next(row for row in await replies(intake) if f"/replies/{row.id}" not in tray)

    await intake.sign_in(Role.CLERK)
    page = await intake.browser.get(f"/replies/{late.id}?lang=en")
    refused = await intake.browser.post(f"/replies/{late.id}?lang=en", data={"says": "normal"})

    assert page.text.count('type="radio"') == 1
    assert (refused.status_code, "No answer can be recorded" in refused.text) == (422, True)


async def test_an_older_letter_shows_that_a_newer_answer_stays(intake: Intake, tray: list[str]) -> None:
    intake.clock.move(minutes=5)
    await arrive(intake, written("3"), key=(await keys(intake))[0])

    page = await intake.browser.get(f"{tray[0]}?lang=en")
    refused = await intake.browser.post(tray[0], data={"says": "normal"})

    assert "stays. Set this message aside" in page.text
    assert refused.status_code == 422


async def test_an_exercise_carries_its_banner(intake: Intake) -> None:
    await intake.take_in(AINO)
    await intake.open_round(await intake.ids(), realm=Realm("ex-autumn"))
    await arrive(intake, written("Miten tämä toimii?"), key=(await keys(intake))[0])
    await intake.sign_in(Role.LIAISON)
    [row] = await replies(intake)

    page = await intake.browser.get(f"/replies/{row.id}?lang=en")
    listed = await intake.browser.get("/replies?lang=en")

    assert "EXERCISE – this is not a real situation" in page.text
    assert "EXERCISE" in listed.text


async def test_a_limited_clerk_finds_only_her_own(intake: Intake, tray: list[str]) -> None:
    await intake.sign_in(Role.CLERK, municipalities=frozenset({"061"}), email="bertta@example.org")

    listed = await intake.browser.get("/replies")
    hidden = [await intake.browser.get(tray[0]), await intake.browser.post(tray[0], data={"says": "normal"})]

    assert "Hattulan Martat" not in listed.text
    assert "Forssa Byalag" in listed.text
    assert {answer.status_code for answer in hidden} == {404}


@pytest.mark.parametrize("role", [Role.VIEWER, Role.EDITOR, Role.APPROVER, Role.EXERCISE_LEADER])
async def test_other_roles_do_not_see_letters(intake: Intake, tray: list[str], role: Role) -> None:
    await intake.sign_in(role, email="eero@example.org")

    answers_ = [await intake.browser.get("/replies"), await intake.browser.get(tray[0])]

    assert {answer.status_code for answer in answers_} == {403}


async def test_pages_that_are_not_there_say_so(intake: Intake, tray: list[str]) -> None:
    assert tray
    missing = [
        await intake.browser.get(path) for path in ("/replies/x", "/replies/0199a000-0000-7000-8000-000000000001")
    ]
    odd = await intake.browser.get("/replies?page=-1&state=nothing")

    assert {page.status_code for page in missing} == {404}
    assert odd.status_code == 200
