"""Contacts who are moved or removed while a round runs: whoever was not asked is asked, and nobody twice."""

from datetime import timedelta
from uuid import UUID

import pytest

from services.intake.contacts.model import Verdict
from services.intake.contacts.store import ContactStore
from services.intake.registry.model import Card
from shared.events.status import RoundReminded
from shared.ids import new_id
from tests.intake.desk import record_of
from tests.intake.house import AINO, Intake, Round

PATIENCE = timedelta(hours=4)
FIRST, SECOND, THIRD = "aino@example.org", "second@example.org", "third@example.org"


@pytest.fixture
async def hattula(intake: Intake) -> UUID:
    """Aino's association at ten in the morning, with a second and a third contact."""
    intake.clock.move(hours=-10)
    await intake.take_in(AINO)
    [association_id] = await intake.ids()
    await intake.add_contact(association_id, 2, SECOND)
    await intake.add_contact(association_id, 3, THIRD)
    return association_id


async def edit(intake: Intake, association_id: UUID, address: str, *, places: int = 0) -> None:
    """A clerk moves the contact with this address by so many places, or removes it."""
    record = await record_of(intake, association_id)
    [contact] = [contact for contact in record.contacts if contact.email == address]
    store = ContactStore(intake.database, clock=intake.clock)
    one, version = (association_id, contact.id), record.association.version
    if places:
        verdict = await store.move(*one, places=places, version=version, by=new_id())
    else:
        verdict = await store.remove(*one, version=version, by=new_id())
    assert verdict is Verdict.SAVED


async def turn(intake: Intake) -> None:
    """Four silent hours pass."""
    intake.clock.move(hours=4)
    await intake.app.state.invitation.turn_silent(after=PATIENCE)


async def asked(intake: Intake) -> list[str]:
    return [letter["address"] for letter in await intake.said("bulk")]


async def remind(intake: Intake, opened: Round) -> None:
    event = RoundReminded(
        happened_at=intake.clock.now(),
        realm=opened.realm,
        situation_id=opened.situation_id,
        round_id=opened.round_id,
        number=1,
    )
    await intake.app.state.reminders.remind(event)


async def test_when_the_asked_one_is_removed_the_one_who_moves_up_is_asked(intake: Intake, hattula: UUID) -> None:
    await intake.open_round([hattula], hours=72)
    await edit(intake, hattula, FIRST)

    for _ in range(3):
        await turn(intake)

    assert await asked(intake) == [FIRST, SECOND, THIRD]


async def test_when_the_asked_one_is_moved_down_nobody_is_asked_twice_or_passed_over(
    intake: Intake, hattula: UUID
) -> None:
    await intake.open_round([hattula], hours=72)
    await edit(intake, hattula, FIRST, places=2)

    for _ in range(3):
        await turn(intake)

    letters = await intake.said("bulk")
    assert await asked(intake) == [FIRST, SECOND, THIRD]
    assert len({letter["recipient_id"] for letter in letters}) == 3
    assert "Aino Kuura" in letters[1]["personal"]["earlier"]


async def test_whoever_is_moved_before_the_asked_one_is_still_asked(intake: Intake, hattula: UUID) -> None:
    await intake.open_round([hattula], hours=72)
    await turn(intake)
    await edit(intake, hattula, THIRD, places=-2)

    await turn(intake)

    assert await asked(intake) == [FIRST, SECOND, THIRD]


async def test_whoever_is_added_in_the_place_of_a_removed_one_is_asked(intake: Intake, hattula: UUID) -> None:
    await intake.open_round([hattula], hours=72)
    await turn(intake)
    for address in (SECOND, THIRD):
        await edit(intake, hattula, address)
    version = (await record_of(intake, hattula)).association.version
    store = ContactStore(intake.database, clock=intake.clock)
    await store.add(hattula, Card("Dora", "dora@example.org"), version=version, by=new_id())

    await turn(intake)

    assert await asked(intake) == [FIRST, SECOND, "dora@example.org"]


async def test_a_silent_association_whose_contacts_are_removed_is_not_told_unreachable(
    intake: Intake, hattula: UUID
) -> None:
    await intake.open_round([hattula], hours=72)
    for address in (FIRST, SECOND, THIRD):
        await edit(intake, hattula, address)

    await turn(intake)

    assert await intake.said("association_not_reached") == []


@pytest.mark.parametrize("removed", [False, True])
async def test_a_reminder_goes_to_whoever_was_asked_last_and_is_still_there(
    intake: Intake, hattula: UUID, *, removed: bool
) -> None:
    opened = await intake.open_round([hattula], hours=72)
    await turn(intake)
    await edit(intake, hattula, SECOND, places=0 if removed else -1)

    await remind(intake, opened)

    assert await asked(intake) == [FIRST, SECOND, FIRST if removed else SECOND]
