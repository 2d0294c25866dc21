"""What an answer tells beside the status: offers and needs, a plan that the register learns of, and "not this time"."""

from typing import Any

import pytest
from sqlalchemy import select, update
from sqlmodel import col

from services.intake.checkin.store import CheckInRow
from services.intake.invitation.store import Invitation
from services.intake.registry.model import Plan
from services.intake.registry.store import Association
from shared.realm import LIVE, Realm
from tests.intake.house import AINO, BERTTA, Intake

MUCH = {
    "status": "limited",
    "need": ["transport", "volunteers"],
    "need-transport": "2",
    "offer": "premises",
    "offer-premises": "1 000",
    "plan": "yes",
}


async def ask(intake: Intake, *, realm: Realm = LIVE) -> str:
    """Aino's link in a round that also asks Bertta; what was said before is forgotten."""
    await intake.take_in(AINO, BERTTA)
    await intake.open_round(await intake.ids(), realm=realm)
    link = await intake.link(0)
    await intake.forget_said()
    return link


async def aino(intake: Intake) -> Association:
    async with intake.database.read() as session:
        return await session.get_one(Association, (await intake.ids())[0])


async def know_plan(intake: Intake, plan: Plan) -> None:
    async with intake.database.write() as session:
        await session.execute(update(Association).values(plan=plan.value))


async def declined(intake: Intake) -> list[Any]:
    async with intake.database.read() as session:
        rows = await session.execute(
            select(col(Invitation.declined_at)).where(col(Invitation.declined_at).is_not(None))
        )
        return list(rows.scalars())


async def test_offers_and_needs_are_recorded_told_and_shown(intake: Intake) -> None:
    link = await ask(intake)

    thanks = await intake.browser.post(link, data=MUCH)

    [event] = await intake.said("checkin_received")
    assert event["needs"] == [{"capability": "transport", "amount": 2}, {"capability": "volunteers", "amount": None}]
    assert event["offers"] == [{"capability": "premises", "amount": 1000}]
    assert "Apua tarvitaan: kuljetus (2), vapaaehtoiset" in thanks.text
    assert "Tarjolla muille: tilat (1\u00a0000)" in thanks.text
    assert "Valmiussuunnitelma: on" in thanks.text


async def test_thanks_in_each_language_name_what_was_said_and_nothing_else(intake: Intake) -> None:
    link = await ask(intake)

    swedish = await intake.browser.post(f"{link}?lang=sv", data=MUCH)
    english = await intake.browser.post(f"{link}?lang=en", data={"status": "normal", "offer": "search", "plan": "no"})

    assert "Hjälp behövs: transport (2), frivilliga" in swedish.text
    assert "Beredskapsplan: finns" in swedish.text
    assert "Offered to others: search" in english.text
    assert "Preparedness plan: no" in english.text
    assert "Help needed" not in english.text


async def test_whoever_changes_the_status_alone_takes_back_no_offer(intake: Intake) -> None:
    link = await ask(intake)
    await intake.browser.post(link, data=MUCH)

    form = await intake.browser.get(link)

    assert 'name="need" value="transport" checked' in form.text
    assert 'name="need-transport" inputmode="numeric" aria-label="Määrä: Kuljetus" value="2"' in form.text
    assert 'name="offer" value="premises" checked' in form.text
    assert "Merkinnät ovat nykyisestä vastauksestanne." in form.text
    assert "Apua tarvitaan: kuljetus (2), vapaaehtoiset" in form.text
    assert 'type="radio" name="status" value="limited" id="f-status-limited">' in form.text
    assert "<details open" not in form.text


async def test_an_amount_that_is_none_comes_back_with_everything_kept(intake: Intake) -> None:
    link = await ask(intake)

    answer = await intake.browser.post(link, data={**MUCH, "need-transport": "<kaksi>", "note": "Tulkaa"})

    assert answer.status_code == 422
    assert await intake.count(CheckInRow) == 0
    assert 'href="#f-need-transport"' in answer.text
    assert 'id="f-need-transport" aria-invalid="true" aria-describedby="f-need-transport-error"' in answer.text
    assert "Kuljetus: kirjoittakaa määrä numeroina, 1–1 000 000." in answer.text
    assert 'value="&lt;kaksi&gt;"' in answer.text
    assert 'value="1 000"' in answer.text
    assert 'id="f-status-limited" checked' in answer.text
    assert '<option value="yes" selected>' in answer.text
    assert "Tulkaa</textarea>" in answer.text
    assert answer.text.count("<details open") == 2


@pytest.mark.parametrize(
    ("known", "has_one", "after"),
    [(Plan.DRAFT, True, Plan.MADE), (Plan.UNKNOWN, False, Plan.NONE), (Plan.MADE, False, Plan.MADE)],
)
async def test_the_register_learns_of_a_plan_and_tells_only_what_changed(
    intake: Intake, known: Plan, has_one: bool, after: Plan
) -> None:
    link = await ask(intake)
    await know_plan(intake, known)
    before = await aino(intake)

    await intake.browser.post(link, data={"status": "normal", "plan": "yes" if has_one else "no"})

    now = await aino(intake)
    told = [(event["association_id"], event["plan"]) for event in await intake.said("association_changed")]
    assert now.plan == after
    assert now.version == before.version + (known is not after)
    assert told == ([(str(now.id), after)] if known is not after else [])


async def test_what_is_not_said_of_a_plan_changes_nothing(intake: Intake) -> None:
    link = await ask(intake)

    await intake.browser.post(link, data={"status": "normal", "plan": ""})
    await intake.browser.post(link, data={"status": "normal", "plan": "perhaps"})

    assert (await aino(intake)).plan == Plan.UNKNOWN
    assert await intake.said("association_changed") == []


async def test_an_exercise_leaves_the_register_as_it_is(intake: Intake) -> None:
    link = await ask(intake, realm=Realm("ex-autumn"))

    thanks = await intake.browser.post(link, data=MUCH)

    assert "Valmiussuunnitelma: on" in thanks.text
    assert (await aino(intake)).plan == Plan.UNKNOWN
    assert await intake.said("association_changed") == []


async def test_not_this_time_is_noted_once_told_once_and_said_on_the_form(intake: Intake) -> None:
    link = await ask(intake)

    first = await intake.browser.post(f"{link}/not-this-time")
    intake.clock.move(minutes=1)
    second = await intake.browser.post(f"{link}/not-this-time?lang=sv")
    form = await intake.browser.get(link)

    [event] = await intake.said("association_declined")
    assert (first.status_code, first.headers["location"]) == (303, link)
    assert (second.status_code, second.headers["location"]) == (303, f"{link}?lang=sv")
    assert event["association_id"] == str((await intake.ids())[0])
    assert await declined(intake) == [intake.clock.now().replace(minute=0)]
    assert "Yhdistyksenne on ilmoittanut: ei tällä kertaa." in form.text
    assert "not-this-time" not in form.text


async def test_an_answer_takes_not_this_time_back(intake: Intake) -> None:
    link = await ask(intake)
    await intake.browser.post(f"{link}/not-this-time")

    await intake.browser.post(link, data={"status": "normal"})

    assert await declined(intake) == []
    assert "ei tällä kertaa" not in (await intake.browser.get(link)).text


async def test_whoever_has_answered_stays_with_that(intake: Intake) -> None:
    link = await ask(intake)
    await intake.browser.post(link, data={"status": "normal"})

    answer = await intake.browser.post(f"{link}/not-this-time")

    assert answer.status_code == 303
    assert await declined(intake) == []
    assert await intake.said("association_declined") == []


async def test_looking_declines_nothing(intake: Intake) -> None:
    link = await ask(intake)

    answers = [await intake.browser.request(method, f"{link}/not-this-time") for method in ("GET", "HEAD")]

    assert [answer.status_code for answer in answers] == [405, 405]
    assert await declined(intake) == []


async def test_in_an_exercise_it_is_declined_there(intake: Intake) -> None:
    link = await ask(intake, realm=Realm("ex-autumn"))

    await intake.browser.post(f"{link}/not-this-time")

    [event] = await intake.said("association_declined")
    assert event["realm"] == "ex-autumn"
    assert "HARJOITUS" in (await intake.browser.get(link)).text
