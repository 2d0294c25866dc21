"""The people page: adding, changing, limiting and retiring, and what it ends."""

import asyncio
import re
from typing import Any
from uuid import UUID

import pytest
from httpx import ASGITransport, AsyncClient, Response
from sqlalchemy import insert

from services.intake.access.model import PersonEntry
from services.intake.audit.model import Act
from services.intake.people.model import Known, Refusal, fingerprint
from services.intake.registry.store import Network
from shared.identity import Role
from tests.intake.house import ADDRESS, Intake

AINO = {"name": "Aino Kuura", "email": "aino@example.org", "roles": ["liaison", "clerk"], "language": "sv"}


@pytest.fixture
async def ylva(intake: Intake) -> UUID:
    """An administrator, signed in in the browser."""
    return await intake.sign_in(Role.ADMINISTRATOR, email="ylva@example.org")


async def person(intake: Intake, email: str = "aino@example.org") -> Known:
    found: list[Known] = await intake.app.state.people.everybody()
    return next(known for known in found if known.entry.email == email)


async def change(intake: Intake, known: Known, **values: Any) -> Response:
    """Send the person's form with these fields otherwise than they are."""
    entry = known.entry
    form = {
        "name": entry.name,
        "email": entry.email,
        "roles": sorted(entry.roles),
        "municipalities": sorted(entry.municipalities),
        "language": entry.language,
        "seen": fingerprint(entry),
    }
    return await intake.browser.post(f"/people/{known.person_id}?lang=en", data={**form, **values})


async def acts(intake: Intake) -> list[Act]:
    return [link.deed.act for link in await intake.app.state.audit.page()]


async def test_a_person_is_added_and_stands_in_the_list(intake: Intake, ylva: UUID) -> None:
    added = await intake.browser.post("/people/new", data={**AINO, "municipalities": ["082", "999"]})
    listed = await intake.browser.get("/people?lang=en")

    aino = await person(intake)
    assert (added.status_code, added.headers["location"]) == (303, "/people?said=added")
    assert aino.entry.roles == {Role.LIAISON, Role.CLERK}
    assert aino.entry.municipalities == {"082"}
    assert aino.entry.language == "sv"
    assert "Aino Kuura" in listed.text
    assert "Hattula" in listed.text
    [deed] = [link.deed for link in await intake.app.state.audit.page() if link.deed.act == Act.PERSON_ADDED][:1]
    assert (deed.actor, deed.subject) == (ylva, str(aino.person_id))


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ({"name": " \t "}, "#f-name"),
        ({"email": "nobody"}, "#f-email"),
        ({"email": "a b@example.org"}, "#f-email"),
        ({"roles": []}, "#f-roles"),
        ({"roles": ["king"]}, "#f-roles"),
        ({"roles": ["administrator"], "municipalities": ["082"]}, "#f-municipalities"),
    ],
)
async def test_what_is_wrong_is_said_and_what_was_written_is_kept(
    intake: Intake, ylva: UUID, wrong: dict[str, Any], where: str
) -> None:
    answer = await intake.browser.post("/people/new", data={**AINO, **wrong})

    assert answer.status_code == 422
    assert f'href="{where}"' in answer.text
    assert "aino@example.org" in answer.text or "email" in wrong
    assert [known.person_id for known in await intake.app.state.people.everybody()] == [ylva]


@pytest.mark.usefixtures("ylva")
async def test_an_address_is_one_person_s(intake: Intake) -> None:
    await intake.browser.post("/people/new", data=AINO)

    again = await intake.browser.post("/people/new", data={**AINO, "email": "AINO@example.org"})
    other = await change(intake, await person(intake), email="Ylva@example.org")

    assert (again.status_code, other.status_code) == (422, 422)


@pytest.mark.usefixtures("ylva")
async def test_other_rights_end_the_person_s_sessions_here_at_once(intake: Intake) -> None:
    await intake.app.state.access.add_person(PersonEntry("Aino", "aino@example.org", frozenset({Role.CLERK})))
    async with AsyncClient(transport=ASGITransport(app=intake.app), base_url=ADDRESS) as browser:
        theirs = Intake(intake.app, intake.clock, browser)
        await theirs.sign_in(Role.CLERK)
        await change(intake, await person(intake), name="Aino K.")
        kept = await browser.get("/registry")

        await change(intake, await person(intake), roles=["clerk", "liaison"])
        ended = await browser.get("/registry")

    assert (kept.status_code, ended.status_code) == (200, 303)
    assert len(await intake.said("session_ended")) == 1


@pytest.mark.usefixtures("ylva")
async def test_an_administrator_ends_a_person_s_sessions(intake: Intake) -> None:
    async with AsyncClient(transport=ASGITransport(app=intake.app), base_url=ADDRESS) as browser:
        await Intake(intake.app, intake.clock, browser).sign_in(Role.CLERK)
        aino = await person(intake)
        page = await intake.browser.get(f"/people/{aino.person_id}")

        ended = await intake.browser.post(f"/people/{aino.person_id}/sessions/end")

        assert aino.sessions == 1
        assert f"/people/{aino.person_id}/sessions/end" in page.text
        assert ended.status_code == 303
        assert (await browser.get("/registry")).status_code == 303
    assert (await acts(intake))[0] == Act.SESSIONS_ENDED


async def test_nobody_shuts_everybody_out(intake: Intake, ylva: UUID) -> None:
    me = await person(intake, "ylva@example.org")

    answers = [
        await change(intake, me, roles=["clerk"]),
        await change(intake, me, retired="yes"),
        await change(intake, me, roles=["administrator"], municipalities=["082"]),
    ]

    assert [answer.status_code for answer in answers] == [422, 422, 422]
    assert (await person(intake, "ylva@example.org")) == me
    assert ylva == me.person_id


@pytest.mark.usefixtures("ylva")
async def test_a_retired_person_is_out_and_stays_in_the_list(intake: Intake) -> None:
    await intake.browser.post("/people/new", data=AINO)

    await change(intake, await person(intake), retired="yes")
    await intake.browser.post("/sign-in", data={"email": "aino@example.org"})

    assert (await person(intake)).entry.retired
    assert await intake.said("urgent") == []


@pytest.mark.usefixtures("ylva")
async def test_a_change_made_meanwhile_is_not_overwritten(intake: Intake) -> None:
    await intake.browser.post("/people/new", data=AINO)
    seen = await person(intake)
    await change(intake, seen, name="Aino K.")

    late = await change(intake, seen, name="Aino Kuura-Sumu")

    assert late.status_code == 422
    assert "Somebody else changed this person meanwhile" in late.text
    assert "Aino Kuura-Sumu" in late.text
    assert (await person(intake)).entry.name == "Aino K."


async def test_two_administrators_cannot_take_the_role_from_each_other_at_once(intake: Intake) -> None:
    for name in ("ylva", "olli"):
        entry = PersonEntry(name, f"{name}@example.org", frozenset({Role.ADMINISTRATOR}))
        await intake.app.state.access.add_person(entry)
    pair = [await person(intake, "ylva@example.org"), await person(intake, "olli@example.org")]
    store = intake.app.state.people

    outcomes = await asyncio.gather(
        *(
            store.change(
                them.person_id,
                PersonEntry(them.entry.name, them.entry.email, frozenset({Role.CLERK})),
                seen=fingerprint(them.entry),
                by=me.person_id,
            )
            for me, them in (pair, pair[::-1])
        )
    )

    assert sorted(isinstance(outcome, Refusal) for outcome in outcomes) == [False, True]


@pytest.mark.usefixtures("ylva")
async def test_somebody_is_limited_to_a_network(intake: Intake) -> None:
    async with intake.database.write() as session:
        names = {"fi": "SILTA-verkosto"}
        await session.execute(insert(Network), {"code": "silta", "names": names, "parent": None, "retired": False})

    form = await intake.browser.get("/people/new?lang=en")
    await intake.browser.post("/people/new", data={**AINO, "networks": ["silta"]})

    assert "SILTA-verkosto" in form.text
    assert (await person(intake)).entry.networks == {"silta"}


async def test_an_administrator_with_limits_keeps_no_people(intake: Intake) -> None:
    await intake.sign_in(Role.ADMINISTRATOR, municipalities=frozenset({"082"}))

    assert [(await intake.browser.get(path)).status_code for path in ("/people", "/audit", "/partners")] == [403] * 3


@pytest.mark.usefixtures("ylva")
async def test_nobody_is_found_under_an_unknown_id(intake: Intake) -> None:
    unknown = "0199a000-0000-7000-8000-000000000001"

    assert (await intake.browser.get(f"/people/{unknown}")).status_code == 404
    assert (await intake.browser.post(f"/people/{unknown}", data=AINO)).status_code == 404


async def test_one_s_own_page_shows_and_ends_one_s_sessions(intake: Intake) -> None:
    agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    intake.browser.headers["user-agent"] = agent
    await intake.sign_in(Role.VIEWER)
    async with AsyncClient(transport=ASGITransport(app=intake.app), base_url=ADDRESS) as browser:
        await Intake(intake.app, intake.clock, browser).sign_in(Role.VIEWER)
        page = await intake.browser.get("/me?lang=en")
        [action] = set(re.findall(r"/me/sessions/[\w-]{36}/end", page.text))

        ended = await intake.browser.post(action)

        assert ended.status_code == 303
        assert (await browser.get("/me")).status_code == 303
        assert (await intake.browser.get("/me")).status_code == 200
    assert "Firefox, Linux" in page.text
    assert "Open sessions: 2" in page.text


async def test_one_signs_out_everywhere_else(intake: Intake) -> None:
    await intake.sign_in(Role.VIEWER)
    async with AsyncClient(transport=ASGITransport(app=intake.app), base_url=ADDRESS) as browser:
        await Intake(intake.app, intake.clock, browser).sign_in(Role.VIEWER)

        await intake.browser.post("/me/sessions/end-others")

        assert (await browser.get("/me")).status_code == 303
    assert (await intake.browser.get("/me")).status_code == 200


async def test_a_session_of_somebody_else_is_not_ended_by_its_id(intake: Intake) -> None:
    await intake.sign_in(Role.VIEWER)
    async with AsyncClient(transport=ASGITransport(app=intake.app), base_url=ADDRESS) as browser:
        bertta = await Intake(intake.app, intake.clock, browser).sign_in(Role.VIEWER, email="bertta@example.org")
        [hers] = await intake.app.state.access.sessions_of(bertta)

        await intake.browser.post(f"/me/sessions/{hers.session_id}/end")

        assert (await browser.get("/me")).status_code == 200


async def test_one_chooses_one_s_own_language(intake: Intake) -> None:
    await intake.sign_in(Role.VIEWER)

    answer = await intake.browser.post("/me/language", data={"language": "sv"})
    page = await intake.browser.get(answer.headers["location"])

    assert (await person(intake)).entry.language == "sv"
    assert 'lang="sv"' in page.text
    assert (await intake.browser.get("/me")).headers["content-language"] == "sv"
