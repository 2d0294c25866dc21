"""People and their rights: a change is written down, and ends the sessions that hold other rights."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import delete, select

from services.intake.access.model import PersonEntry, SignedIn
from services.intake.access.store import Person, SessionRow, SignInLink
from services.intake.audit.model import Act
from shared.identity import Role
from tests.intake.house import Intake

AINO = PersonEntry("Aino", "aino@example.org", frozenset({Role.LIAISON}), frozenset({"082"}))


async def enter(intake: Intake, email: str = "aino@example.org") -> SignedIn | None:
    link = await intake.app.state.access.operator_link(email, timedelta(minutes=5))
    signed_in: SignedIn | None = await intake.app.state.access.sign_in(link.rsplit("/", 1)[1], browser="")
    return signed_in


async def acts(intake: Intake) -> list[Act]:
    """What was written down, oldest first."""
    return [row.deed.act for row in reversed(await intake.app.state.audit.page())]


async def test_a_person_is_one_whatever_the_case_of_the_address(intake: Intake) -> None:
    first = await intake.app.state.access.add_person(AINO)
    second = await intake.app.state.access.add_person(replace(AINO, email=" AINO@example.org", name="Aino K."))

    assert first == second
    async with intake.database.read() as session:
        assert [person.name for person in (await session.execute(select(Person))).scalars()] == ["Aino K."]
    assert await acts(intake) == [Act.PERSON_ADDED, Act.PERSON_CHANGED]


async def test_adding_the_same_person_again_changes_nothing(intake: Intake) -> None:
    await intake.app.state.access.add_person(AINO)
    await intake.app.state.access.add_person(AINO)

    assert await acts(intake) == [Act.PERSON_ADDED]


async def test_the_operator_s_link_signs_in_anywhere_once(intake: Intake) -> None:
    await intake.app.state.access.add_person(AINO)
    link = await intake.app.state.access.operator_link("Aino@example.org", timedelta(hours=1))
    token = link.rsplit("/", 1)[1]

    signed_in = await intake.app.state.access.sign_in(token, browser="")

    assert signed_in is not None
    assert (signed_in.roles, signed_in.municipalities) == (AINO.roles, AINO.municipalities)
    assert signed_in.valid_until == intake.clock.now() + timedelta(hours=12)
    assert await intake.app.state.access.sign_in(token, browser="") is None
    assert await acts(intake) == [Act.PERSON_ADDED, Act.LINK_MADE, Act.SIGNED_IN]


async def test_there_is_no_link_for_nobody(intake: Intake) -> None:
    with pytest.raises(LookupError):
        await intake.app.state.access.operator_link("nobody@example.org", timedelta(hours=1))


@pytest.mark.parametrize(
    "after",
    [
        replace(AINO, roles=frozenset({Role.VIEWER})),
        replace(AINO, municipalities=frozenset()),
        replace(AINO, retired=True),
    ],
)
async def test_other_rights_end_the_sessions_that_are_open(intake: Intake, after: PersonEntry) -> None:
    await intake.app.state.access.add_person(AINO)
    signed_in = await enter(intake)
    assert signed_in is not None

    await intake.app.state.access.add_person(after)

    [event] = await intake.said("session_ended")
    assert event["session_id"] == str(signed_in.session_id)


async def test_another_name_ends_no_session(intake: Intake) -> None:
    await intake.app.state.access.add_person(AINO)
    await enter(intake)

    await intake.app.state.access.add_person(replace(AINO, name="Aino K."))

    assert await intake.said("session_ended") == []


async def test_somebody_who_left_after_asking_does_not_come_in(intake: Intake) -> None:
    await intake.app.state.access.add_person(AINO)
    link = await intake.app.state.access.operator_link("aino@example.org", timedelta(hours=1))
    await intake.app.state.access.add_person(replace(AINO, retired=True))

    assert await intake.app.state.access.sign_in(link.rsplit("/", 1)[1], browser="") is None


async def test_signing_out_twice_is_told_once(intake: Intake) -> None:
    await intake.app.state.access.add_person(AINO)
    signed_in = await enter(intake)
    assert signed_in is not None

    for _ in range(2):
        await intake.app.state.access.sign_out(signed_in.session_id, person_id=signed_in.person_id)
    await intake.app.state.access.sign_out(uuid4(), person_id=signed_in.person_id)

    assert len(await intake.said("session_ended")) == 1
    assert (await acts(intake))[-1] == Act.SIGNED_OUT


async def test_old_links_and_sessions_are_forgotten(intake: Intake) -> None:
    await intake.app.state.access.add_person(AINO)
    await enter(intake)

    intake.clock.move(hours=30)
    await intake.app.state.access.forget_old()
    assert (await intake.count(SignInLink), await intake.count(SessionRow)) == (0, 1)

    intake.clock.move(hours=24 * 31)
    await intake.app.state.access.forget_old()
    assert await intake.count(SessionRow) == 0


async def test_the_audit_shows_no_address_and_is_whole(intake: Intake) -> None:
    await intake.app.state.access.add_person(AINO)
    await enter(intake)

    assert await intake.app.state.audit.first_break() is None
    assert "aino" not in str(await intake.app.state.audit.page()).casefold()


async def test_signing_in_for_nobody_is_not_written_down(intake: Intake) -> None:
    async with intake.database.write() as session:
        await session.execute(delete(Person))

    await intake.app.state.access.ask_link("nobody@example.org", browser="b")

    assert await acts(intake) == []
