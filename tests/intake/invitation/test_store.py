"""Asking: whoever can be asked is asked once, whatever the bus does; whoever cannot is told of."""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlmodel import col

from services.intake.invitation.handlers import InvitationHandlers
from services.intake.invitation.store import Invitation, InvitationToken
from services.intake.registry.store import Association, Contact
from shared.events.notify import LetterFailed, LetterReturned
from shared.events.status import RoundClosed
from shared.ids import digest, new_id
from shared.realm import LIVE, Realm
from tests.intake.house import ADDRESS, AINO, BERTTA, CECILIA, Intake, Round, round_opened

EXERCISE = Realm("ex-autumn")


async def invitations(intake: Intake) -> Sequence[Invitation]:
    async with intake.database.read() as session:
        return list((await session.execute(select(Invitation))).scalars())


def failed(opened: Round, letter: dict[str, Any], intake: Intake) -> LetterFailed:
    return LetterFailed(
        happened_at=intake.clock.now(),
        realm=opened.realm,
        letter_id=opened.round_id,
        recipient_id=letter["recipient_id"],
        kind="checkin",
        reason="550 no such user",
    )


async def fail(intake: Intake, opened: Round, number: int = -1) -> None:
    """Say that the letter of that number did not arrive."""
    letter = (await intake.said("bulk"))[number]
    await InvitationHandlers(intake.app.state.invitation).on_letter_failed(failed(opened, letter, intake))


async def close(intake: Intake, opened: Round) -> None:
    await InvitationHandlers(intake.app.state.invitation).on_round_closed(
        RoundClosed(
            happened_at=intake.clock.now(),
            realm=opened.realm,
            situation_id=opened.situation_id,
            round_id=opened.round_id,
        )
    )


async def test_each_association_gets_one_letter_in_its_language_and_the_unreachable_are_told_of(
    intake: Intake,
) -> None:
    await intake.take_in(AINO, BERTTA, CECILIA)
    ids = await intake.ids()

    opened = await intake.open_round(ids)

    aino, bertta = await intake.said("bulk")
    [cecilia] = await intake.said("association_not_reached")
    assert (aino["address"], aino["locale"]) == ("aino@example.org", "fi")
    assert (bertta["address"], bertta["locale"]) == ("bertta@example.org", "sv")
    assert (cecilia["association_id"], cecilia["reason"]) == (str(ids[2]), "no address")
    assert {row.state for row in await invitations(intake)} == {"asked", "undeliverable"}
    assert aino["letter_id"] == str(opened.round_id)


async def test_a_link_is_kept_as_its_hash_only(intake: Intake) -> None:
    await intake.take_in(AINO)
    await intake.open_round(await intake.ids())

    token = (await intake.link()).rsplit("/", 1)[1]

    async with intake.database.read() as session:
        [row] = (await session.execute(select(InvitationToken))).scalars()
    assert row.token_hash == digest(token)
    assert (await intake.said("bulk"))[0]["personal"]["link"] == f"{ADDRESS}/c/{token}"


async def test_parts_in_any_order_told_twice_and_at_once_ask_everybody_once(intake: Intake) -> None:
    await intake.take_in(*(f"Seura {n};{n};Hattula;;;s{n}@example.org" for n in range(1, 31)))
    ids = await intake.ids()
    opened = Round(new_id(), new_id(), intake.clock.now().replace(hour=23), LIVE)
    parts = [
        round_opened(opened, ids[start : start + 10], intake.clock.now(), part=number, parts=3)
        for number, start in enumerate((0, 10, 20), 1)
    ]
    overlapping = round_opened(opened, ids[5:25], intake.clock.now(), part=4, parts=3)

    told = [parts[2], overlapping, parts[0], parts[2], parts[1], overlapping]
    await asyncio.gather(*(intake.app.state.invitation.invite(event) for event in told))

    letters = await intake.said("bulk")
    assert len(letters) == 30
    assert len({letter["recipient_id"] for letter in letters}) == 30
    assert {row.association_id for row in await invitations(intake)} == set(ids)


async def test_the_unknown_and_the_retired_are_not_asked(intake: Intake) -> None:
    await intake.take_in(AINO, BERTTA)
    aino, _ = ids = await intake.ids()
    async with intake.database.write() as session:
        await session.execute(update(Association).where(col(Association.id) == aino).values(retired=True))

    await intake.open_round([*ids, new_id()])

    assert [letter["address"] for letter in await intake.said("bulk")] == ["bertta@example.org"]
    assert await intake.said("association_not_reached") == []


async def test_the_first_contact_with_an_address_is_asked(intake: Intake) -> None:
    await intake.take_in(CECILIA)
    [cecilia] = await intake.ids()
    await intake.add_contact(cecilia, 3, "third@example.org")
    await intake.add_contact(cecilia, 2, "second@example.org")

    await intake.open_round([cecilia])

    assert [letter["address"] for letter in await intake.said("bulk")] == ["second@example.org"]


async def test_the_realm_is_carried_on_and_keeps_rounds_apart(intake: Intake) -> None:
    await intake.take_in(AINO, CECILIA)
    ids = await intake.ids()

    await intake.open_round(ids, realm=EXERCISE)

    said = [*await intake.said("bulk"), *await intake.said("simulated_asked")]
    assert [event["realm"] for event in said] == [EXERCISE, EXERCISE]
    assert {row.realm for row in await invitations(intake)} == {EXERCISE}


async def test_when_a_letter_fails_the_next_contact_is_asked_with_a_link_of_its_own(intake: Intake) -> None:
    await intake.take_in(AINO)
    [aino] = await intake.ids()
    await intake.add_contact(aino, 2, None)
    await intake.add_contact(aino, 3, "third@example.org")
    opened = await intake.open_round([aino])

    await fail(intake, opened)

    first, second = await intake.said("bulk")
    assert second["address"] == "third@example.org"
    assert second["letter_id"] == first["letter_id"]
    assert second["recipient_id"] != first["recipient_id"]
    assert second["personal"]["link"] != first["personal"]["link"]
    assert await intake.said("association_not_reached") == []


async def test_when_nobody_is_left_the_association_is_told_of_as_not_reached(intake: Intake) -> None:
    await intake.take_in(AINO)
    [aino] = await intake.ids()
    await intake.add_contact(aino, 2, "second@example.org")
    opened = await intake.open_round([aino])

    await fail(intake, opened)
    await fail(intake, opened)

    [event] = await intake.said("association_not_reached")
    [row] = await invitations(intake)
    assert (event["association_id"], event["reason"]) == (str(aino), "no letter could be delivered")
    assert (row.state, row.letter_state) == ("undeliverable", "failed")


async def test_a_failure_told_twice_turns_once(intake: Intake) -> None:
    await intake.take_in(AINO)
    [aino] = await intake.ids()
    await intake.add_contact(aino, 2, "second@example.org")
    opened = await intake.open_round([aino])
    [letter] = await intake.said("bulk")
    event = failed(opened, letter, intake)

    await intake.app.state.invitation.turn_to_next(event)
    await intake.app.state.invitation.turn_to_next(event)
    await intake.app.state.invitation.turn_to_next(failed(opened, letter, intake))

    assert len(await intake.said("bulk")) == 2
    assert await intake.said("association_not_reached") == []


async def test_a_contact_whose_letter_failed_is_marked_and_asked_again_next_time(intake: Intake) -> None:
    await intake.take_in(AINO)
    ids = await intake.ids()
    opened = await intake.open_round(ids)

    await fail(intake, opened)
    await intake.forget_said()
    await intake.open_round(ids)

    async with intake.database.read() as session:
        assert (await session.execute(select(col(Contact.state)))).scalar_one() == "failed"
    assert len(await intake.said("bulk")) == 1


def came_back(opened: Round, letter: dict[str, Any], intake: Intake) -> LetterReturned:
    """The letter was sent, and came back just now."""
    told = failed(opened, letter, intake).model_dump(exclude={"event_id"}) | {"reason": "returned: hard 5.1.1"}
    return LetterReturned.model_validate(told)


async def test_when_a_letter_came_back_the_next_contact_is_asked_once(intake: Intake) -> None:
    await intake.take_in(AINO)
    [aino] = await intake.ids()
    await intake.add_contact(aino, 2, "second@example.org")
    opened = await intake.open_round([aino])
    [letter] = await intake.said("bulk")
    handlers = InvitationHandlers(intake.app.state.invitation)
    event = came_back(opened, letter, intake)

    await handlers.on_letter_returned(event)
    await handlers.on_letter_returned(event)
    await handlers.on_letter_returned(event.model_copy(update={"event_id": new_id()}))
    await handlers.on_letter_returned(event.model_copy(update={"event_id": new_id(), "kind": "guidance"}))

    assert [wish["address"] for wish in await intake.said("bulk")][1:] == ["second@example.org"]
    assert await intake.said("association_not_reached") == []


async def test_an_old_letter_says_nothing_of_details_that_were_confirmed_since(intake: Intake) -> None:
    await intake.take_in(AINO)
    opened = await intake.open_round(await intake.ids())
    [letter] = await intake.said("bulk")
    async with intake.database.write() as session:
        values = {"state": "confirmed", "confirmed_at": intake.clock.move(days=2)}
        await session.execute(update(Contact).values(**values))

    await InvitationHandlers(intake.app.state.invitation).on_letter_returned(came_back(opened, letter, intake))

    async with intake.database.read() as session:
        assert (await session.execute(select(col(Contact.state)))).scalar_one() == "confirmed"


async def test_a_letter_that_the_gate_held_back_in_an_exercise_marks_nobody(intake: Intake) -> None:
    await intake.take_in(AINO)
    opened = await intake.open_round(await intake.ids(), realm=EXERCISE)

    await fail(intake, opened)

    async with intake.database.read() as session:
        assert (await session.execute(select(col(Contact.state)))).scalar_one() == "unconfirmed"


async def test_who_has_answered_is_not_asked_again(intake: Intake) -> None:
    await intake.take_in(AINO)
    [aino] = await intake.ids()
    await intake.add_contact(aino, 2, "second@example.org")
    opened = await intake.open_round([aino])
    await intake.browser.post(await intake.link(), data={"status": "normal"})

    await fail(intake, opened)

    assert len(await intake.said("bulk")) == 1


async def test_after_the_end_of_the_round_nobody_more_is_asked(intake: Intake) -> None:
    await intake.take_in(AINO)
    [aino] = await intake.ids()
    await intake.add_contact(aino, 2, "second@example.org")
    opened = await intake.open_round([aino])
    intake.clock.move(hours=24)

    await fail(intake, opened)

    [row] = await invitations(intake)
    assert len(await intake.said("bulk")) == 1
    assert await intake.said("association_not_reached") == []
    assert row.state == "undeliverable"


async def test_other_letters_and_letters_of_nobody_are_no_concern(intake: Intake) -> None:
    await intake.take_in(AINO)
    opened = await intake.open_round(await intake.ids())
    [letter] = await intake.said("bulk")
    event = failed(opened, letter, intake)
    handlers = InvitationHandlers(intake.app.state.invitation)

    await handlers.on_letter_failed(event.model_copy(update={"kind": "guidance"}))
    await handlers.on_letter_failed(event.model_copy(update={"event_id": new_id(), "recipient_id": new_id()}))

    assert await intake.said("association_not_reached") == []


async def test_a_closing_that_is_heard_first_keeps_the_round_closed(intake: Intake) -> None:
    await intake.take_in(AINO)
    ids: Sequence[UUID] = await intake.ids()
    opened = Round(new_id(), new_id(), intake.clock.now().replace(hour=23), LIVE)

    await close(intake, opened)
    await intake.app.state.invitation.invite(round_opened(opened, ids, intake.clock.now()))

    assert await invitations(intake) == []
    assert await intake.said("bulk") == []


async def test_a_part_that_is_heard_after_the_closing_asks_nobody_more(intake: Intake) -> None:
    await intake.take_in(AINO, BERTTA)
    aino, bertta = await intake.ids()
    opened = await intake.open_round([aino])

    await close(intake, opened)
    await intake.app.state.invitation.invite(round_opened(opened, [bertta], intake.clock.now(), part=2, parts=2))

    assert len(await intake.said("bulk")) == 1
    assert (await intake.browser.get(await intake.link())).status_code == 404


async def test_the_whole_region_is_asked_in_a_few_statements(intake: Intake) -> None:
    await intake.take_in(*(f"Seura {n};{n};Hattula;;;s{n}@example.org" for n in range(1, 501)))

    await intake.open_round(await intake.ids())

    assert await intake.count(Invitation) == await intake.count(InvitationToken) == 500
    assert len(await intake.said("bulk")) == 500
