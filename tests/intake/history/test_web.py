"""What was answered: shown to the holder of a link without names, to the staff with them, and each in its realm."""

from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from sqlalchemy import insert, select
from sqlmodel import col
from starlette.responses import Response

from services.intake.checkin.model import Accepted, Answer, Said
from services.intake.history.store import OF_ROUND, PAGE
from services.intake.invitation.store import Invitation
from services.intake.registry.store import AssociationNetwork
from shared.events.intake import Channel, OperatingStatus
from shared.identity import Role, Staff
from shared.ids import new_id
from shared.partner_keys import Scope
from shared.realm import Realm
from tests.intake.house import ADDRESS, AINO, Intake
from tests.intake.partner.keys import BASE, make_key


async def aino(intake: Intake) -> UUID:
    """Aino's association, entered in the register."""
    await intake.take_in(AINO)
    [association_id] = await intake.ids()
    return association_id


async def by_phone(intake: Intake, clerk: UUID, *, note: str = "") -> None:
    """The clerk records what was said on the phone."""
    async with intake.database.read() as session:
        invitation_id = (await session.execute(select(col(Invitation.id)))).scalars().first()
    assert invitation_id is not None
    answer = Answer(
        door=invitation_id,
        form_id=new_id(),
        said=Said(status=OperatingStatus.SUSPENDED, note=note),
        at=intake.clock.now(),
        channel=Channel.PHONE,
        entered_by=clerk,
    )
    assert isinstance(await intake.app.state.checkin.put(answer), Accepted)


async def test_a_contact_sees_every_answer_and_how_it_came_but_no_name(intake: Intake) -> None:
    await intake.open_round([await aino(intake)])
    link = await intake.link()
    clerk = await intake.sign_in(Role.CLERK, email="cecilia@example.org")
    await intake.browser.post(link, data={"status": "normal", "note": "<b>Ovi auki</b>", "offer": "search"})
    intake.clock.move(seconds=59)
    await by_phone(intake, clerk)

    page = await intake.browser.get(f"{link}/history")

    assert page.status_code == 200
    assert page.text.index("Toimintamme on keskeytynyt") < page.text.index("Toimimme normaalisti")
    assert "20.00. Puhelimitse, kirjannut järjestöneuvottelukunnan toimisto." in page.text
    assert "20.00. Tällä linkillä." in page.text
    assert page.text.count("Kaksi eri vastausta minuutin sisällä") == 2
    assert "Viesti: &lt;b&gt;Ovi auki&lt;/b&gt;" in page.text
    assert "Tarjolla muille: etsintä" in page.text
    assert "Aino" not in page.text


async def test_before_the_first_answer_there_is_nothing_to_see(intake: Intake) -> None:
    await intake.open_round([await aino(intake)])
    link = await intake.link()

    page = await intake.browser.get(f"{link}/history?lang=sv")

    assert "Inga svar har kommit ännu." in page.text
    assert f'href="{link}?lang=sv"' in page.text
    assert f"{link}/history" not in (await intake.browser.get(link)).text


async def test_a_link_shows_the_answers_of_its_own_round_alone(intake: Intake) -> None:
    association_id = await aino(intake)
    await intake.open_round([association_id])
    await intake.open_round([association_id], realm=Realm("ex-autumn"))
    links = [await intake.link(number) for number in (0, 1)]
    await intake.browser.post(links[0], data={"status": "normal"})
    await intake.browser.post(links[1], data={"status": "suspended"})

    live, exercise = [await intake.browser.get(f"{link}/history") for link in links]

    assert "Toimintamme on keskeytynyt" not in live.text
    assert "HARJOITUS" not in live.text
    assert "Toimimme normaalisti" not in exercise.text
    assert "HARJOITUS" in exercise.text


async def test_the_staff_see_who_answered_and_who_entered_it(intake: Intake) -> None:
    association_id = await aino(intake)
    await intake.open_round([association_id])
    link = await intake.link()
    await intake.browser.post(link, data={"status": "normal", "plan": "yes"})
    intake.clock.move(minutes=2)
    await intake.browser.post(link, data={"status": "normal", "plan": "no"})
    intake.clock.move(minutes=2)
    clerk = await intake.sign_in(Role.CLERK, email="cecilia@example.org")
    await by_phone(intake, clerk, note="<i>Sanoi</i> näin")

    page = await intake.browser.get(f"/registry/{association_id}/answers")

    assert page.status_code == 200
    assert "Vastauksia: 3." in page.text
    assert "Myrsky. 21.11.2026 20.00. Linkillä, Aino Kuura." in page.text
    assert "Puhelimitse, kirjannut Aino." in page.text
    assert "&lt;i&gt;Sanoi&lt;/i&gt; näin" in page.text
    assert page.text.count("Rekisterissä on tieto suunnitelmasta") == 1
    assert "minuutin sisällä" not in page.text
    assert (
        f'href="/registry/{association_id}/answers"' in (await intake.browser.get(f"/registry/{association_id}")).text
    )


async def test_answers_of_an_exercise_stand_apart_under_its_banner(intake: Intake) -> None:
    association_id = await aino(intake)
    await intake.open_round([association_id])
    await intake.open_round([association_id], realm=Realm("ex-autumn"))
    await intake.browser.post(await intake.link(1), data={"status": "suspended"})
    await intake.sign_in(Role.LIAISON)
    path = f"/registry/{association_id}/answers"

    live, exercise = await intake.browser.get(path), await intake.browser.get(f"{path}?realm=ex-autumn")
    unknown = await intake.browser.get(f"{path}?realm=ex-spring&page=x")

    assert "Vastauksia ei vielä ole." in live.text
    assert "HARJOITUS" not in live.text
    assert f'href="{path}?realm=ex-autumn"' in live.text
    assert "Toimintamme on keskeytynyt" in exercise.text
    assert "HARJOITUS" in exercise.text
    assert f'href="{path}?realm=live"' in exercise.text
    assert "HARJOITUS" not in unknown.text


async def test_many_answers_come_in_pages_and_contradict_across_them(intake: Intake) -> None:
    association_id = await aino(intake)
    await intake.open_round([association_id])
    link = await intake.link()
    for number in range(PAGE + 1):
        intake.clock.move(seconds=30 if number == 1 else 300)
        status = "suspended" if number == 0 else "normal"
        await intake.browser.post(link, data={"status": status, "note": f"viesti {number}."})
    of_link = await intake.browser.get(f"{link}/history")
    await intake.sign_in(Role.ADMINISTRATOR)

    pages = [await intake.browser.get(f"/registry/{association_id}/answers?page={page}") for page in (1, 2)]

    assert [f"viesti {number}." in pages[0].text for number in range(PAGE + 1)] == [False] + [True] * PAGE
    assert [f"viesti {number}." in pages[1].text for number in range(PAGE + 1)] == [True] + [False] * PAGE
    assert [page.text.count("minuutin sisällä") for page in pages] == [1, 1]
    assert f"Vastauksia on {PAGE + 1}. Niistä näkyy {OF_ROUND} uusinta." in of_link.text
    assert of_link.text.count("viesti ") == OF_ROUND


def hold_session(intake: Intake, *, municipalities: set[str], networks: set[str]) -> None:
    """Give the browser the session of a liaison who may see these alone."""
    until = intake.clock.now() + timedelta(hours=1)
    liaison = frozenset({Role.LIAISON})
    staff = Staff(new_id(), new_id(), liaison, until, frozenset(municipalities), frozenset(networks))
    reply, sessions = Response(), intake.app.state.sessions
    sessions.sign_in(reply, staff)
    intake.browser.cookies.extract_cookies(
        httpx.Response(200, headers=reply.headers, request=httpx.Request("GET", ADDRESS))
    )


async def test_a_limited_role_sees_its_own_alone(intake: Intake) -> None:
    association_id = await aino(intake)
    async with intake.database.write() as session:
        await session.execute(insert(AssociationNetwork), {"association_id": association_id, "network": "silta"})
    seen = []
    for municipalities, networks in (({"082"}, set()), ({"061"}, set()), (set(), {"silta"}), ({"061"}, {"kylat"})):
        hold_session(intake, municipalities=municipalities, networks=networks)
        seen.append((await intake.browser.get(f"/registry/{association_id}/answers")).status_code)

    assert seen == [200, 404, 200, 404]


@pytest.mark.parametrize("path", ["x", str(new_id())], ids=["no id", "an unknown id"])
async def test_an_association_that_is_not_there_is_not_found(intake: Intake, path: str) -> None:
    await intake.sign_in(Role.CLERK)

    assert (await intake.browser.get(f"/registry/{path}/answers")).status_code == 404


async def test_other_roles_are_shown_no_answers(intake: Intake) -> None:
    association_id = await aino(intake)
    await intake.sign_in(Role.EDITOR, Role.VIEWER)

    assert (await intake.browser.get(f"/registry/{association_id}/answers")).status_code == 403


async def test_an_answer_of_a_partner_s_system_names_the_partner_for_the_staff_alone(intake: Intake) -> None:
    association_id = await aino(intake)
    opened = await intake.open_round([association_id])
    key = await make_key(intake, Scope.CHECKIN_WRITE)
    wish = {"association_id": str(association_id), "status": "limited"}
    await intake.browser.post(
        f"{BASE}/rounds/{opened.round_id}/checkins", json=wish, headers={**key, "idempotency-key": "1"}
    )
    await intake.sign_in(Role.LIAISON)

    staff = await intake.browser.get(f"/registry/{association_id}/answers")
    contact = await intake.browser.get(f"{await intake.link()}/history")

    assert "Kumppanin järjestelmästä, kirjannut Rescue department." in staff.text
    assert "Rescue department" not in contact.text
