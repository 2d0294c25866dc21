"""The call list: who comes first, and that each call is one person's at a time."""

import asyncio
from datetime import time
from uuid import UUID

import pytest
from sqlalchemy import update
from sqlmodel import col

from services.intake.audit.model import Act
from services.intake.calling.model import Outcome
from services.intake.calling.store import Wanted
from services.intake.invitation.store import Invitation
from shared.identity import Sight
from shared.ids import new_id
from tests.intake.calling.people import EVERYWHERE, ask_all, calls, can, invitation_of, names, note_call, set_contacts
from tests.intake.house import Intake, Round

LIISA, MATTI = new_id(), new_id()
MARTAT, BYALAG, KYLASEURA = "Hattulan Martat", "Forssa Byalag", "Lopen Kyläseura"
PALOKUNTA, PARTIO = "Hattulan Palokunta", "Hattulan Partio"


@pytest.fixture
async def opened(intake: Intake) -> Round:
    return await ask_all(intake)


async def next_call(intake: Intake, opened: Round, person_id: UUID = LIISA, **wanted: str) -> UUID | None:
    return await calls(intake).next_call(opened.round_id, Wanted(**wanted), EVERYWHERE, person_id=person_id)


async def test_whom_no_letter_reached_comes_first_and_who_has_no_number_last(intake: Intake, opened: Round) -> None:
    assert await names(intake, opened) == [KYLASEURA, MARTAT, PALOKUNTA, PARTIO, BYALAG]


async def test_who_can_do_what_is_needed_comes_before_others_of_the_same_kind(intake: Intake, opened: Round) -> None:
    await can(intake, PALOKUNTA, "transport")

    assert await names(intake, opened, capability="transport") == [KYLASEURA, PALOKUNTA, MARTAT, PARTIO, BYALAG]
    assert await names(intake, opened, capability="transport", municipality="082") == [PALOKUNTA, MARTAT, PARTIO]


async def test_who_was_heard_of_lately_comes_after_who_never_was(intake: Intake, opened: Round) -> None:
    await intake.browser.post(await intake.link(0), data={"status": "normal"})
    intake.clock.move(hours=1)
    again = await intake.open_round(await intake.ids())

    assert await names(intake, again) == [KYLASEURA, PALOKUNTA, MARTAT, PARTIO, BYALAG]
    assert MARTAT not in await names(intake, opened)


async def test_who_declined_is_not_called(intake: Intake, opened: Round) -> None:
    martat = await invitation_of(intake, MARTAT)
    async with intake.database.write() as session:
        mine = col(Invitation.id) == martat
        await session.execute(update(Invitation).where(mine).values(declined_at=intake.clock.now()))

    assert MARTAT not in await names(intake, opened)


async def test_what_is_needed_most_is_counted_from_the_answers(intake: Intake, opened: Round) -> None:
    await intake.browser.post(await intake.link(0), data={"status": "limited", "need": "transport"})
    await intake.browser.post(await intake.link(1), data={"status": "normal"})

    assert await calls(intake).needed(opened.round_id) == {"transport": 1}


async def test_the_next_call_is_kept_until_it_is_settled(intake: Intake, opened: Round) -> None:
    first = await next_call(intake, opened)
    intake.clock.move(minutes=14)

    assert first == await invitation_of(intake, KYLASEURA)
    assert await next_call(intake, opened) == first
    assert await next_call(intake, opened, MATTI) == await invitation_of(intake, MARTAT)


async def test_a_call_that_was_left_lying_goes_to_another(intake: Intake, opened: Round) -> None:
    first = await next_call(intake, opened)
    intake.clock.move(minutes=15)

    assert await next_call(intake, opened, MATTI) == first


async def test_a_released_call_is_free_and_only_its_owner_can_release_it(intake: Intake, opened: Round) -> None:
    first = await next_call(intake, opened)
    assert first is not None
    await calls(intake).release(first, person_id=MATTI)
    kept = await calls(intake).take(first, person_id=MATTI)
    await calls(intake).release(first, person_id=LIISA)

    assert kept is False
    assert await calls(intake).take(first, person_id=MATTI)


async def test_whoever_takes_another_call_gives_up_the_first(intake: Intake, opened: Round) -> None:
    first = await next_call(intake, opened)
    palokunta = await invitation_of(intake, PALOKUNTA)

    assert await calls(intake).take(palokunta, person_id=LIISA)
    assert await next_call(intake, opened, MATTI) == first


async def test_nobody_gets_what_cannot_be_called_now(intake: Intake, opened: Round) -> None:
    outcomes = (Outcome.NO_ANSWER, Outcome.CALL_BACK, Outcome.WRONG_NUMBER)
    for name, outcome in zip((KYLASEURA, MARTAT, PALOKUNTA), outcomes, strict=True):
        await note_call(intake, await invitation_of(intake, name), outcome, person_id=LIISA, at=time(23))

    none_left = await next_call(intake, opened)
    intake.clock.move(hours=1)
    after_an_hour = await next_call(intake, opened)
    intake.clock.move(hours=2)
    at_eleven = await next_call(intake, opened)

    assert none_left is None
    assert after_an_hour == await invitation_of(intake, KYLASEURA)
    assert at_eleven == await invitation_of(intake, MARTAT)
    assert (await names(intake, opened))[2] == PALOKUNTA


@pytest.mark.usefixtures("opened")
async def test_attempts_are_counted_and_written_down(intake: Intake) -> None:
    martat = await invitation_of(intake, MARTAT)
    for _ in range(3):
        await note_call(intake, martat, Outcome.NO_ANSWER, person_id=LIISA)

    card = await calls(intake).card(martat)
    deeds = [row.deed for row in await intake.app.state.audit.page() if row.deed.actor == LIISA]

    assert card is not None
    assert card.call is not None
    assert (card.call.attempts, card.call.outcome) == (3, "no_answer")
    assert [(deed.act, deed.actor, deed.subject) for deed in deeds] == [(Act.CALL_TRIED, LIISA, str(martat))] * 3


async def test_who_is_limited_sees_their_own_alone(intake: Intake, opened: Round) -> None:
    loppi, silta = Sight(frozenset({"433"})), Sight(networks=frozenset({"silta"}))

    seen, count = await calls(intake).listing(opened.round_id, Wanted(), loppi)
    in_network, _ = await calls(intake).listing(opened.round_id, Wanted(), silta)
    [counted] = await calls(intake).rounds(loppi)

    assert ([one.name for one in seen], count) == ([KYLASEURA], 1)
    assert list(in_network) == []
    assert (counted.asked, counted.outstanding, counted.undeliverable) == (1, 1, 1)
    assert await calls(intake).rounds(silta) == []


async def test_two_at_once_never_get_the_same_call(intake: Intake, opened: Round) -> None:
    await set_contacts(intake, phone="040 1")

    taken = await asyncio.gather(*(next_call(intake, opened, new_id()) for _ in range(4)))

    assert len(set(taken) - {None}) == 4
