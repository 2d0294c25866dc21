"""Associations that are called in tests, and what is read of them."""

import re
from collections.abc import Sequence
from datetime import time
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlmodel import col

from services.intake.calling.model import Outcome, attempt
from services.intake.calling.store import CallStore, Wanted
from services.intake.invitation.store import Invitation
from services.intake.registry.store import Association, AssociationCapability, Contact
from shared.identity import Sight
from shared.realm import LIVE, Realm
from tests.intake.house import AINO, BERTTA, CECILIA, Intake, Round

DAGNY = "Hattulan Palokunta;1004;Hattula;Muut;Dagny Räntä;dagny@example.org;040 4;suomi"
EINO = "Hattulan Partio;1005;Hattula;Muut;;;;suomi"
"""Aino and Dagny have an address and a number, Bertta an address, Cecilia a number, Eino neither."""

EVERYWHERE = Sight()
HIDDEN_ID = re.compile(r'name="checkin_id" value="([0-9a-f-]{36})"')


async def ask_all(intake: Intake, *, realm: Realm = LIVE) -> Round:
    """A round that asks Aino, Bertta, Cecilia, Dagny and Eino."""
    await intake.take_in(AINO, BERTTA, CECILIA, DAGNY, EINO)
    return await intake.open_round(await intake.ids(), realm=realm)


def calls(intake: Intake) -> CallStore:
    store: CallStore = intake.app.state.calls
    return store


async def invitation_of(intake: Intake, name: str) -> UUID:
    async with intake.database.read() as session:
        found = await session.execute(
            select(col(Invitation.id))
            .join(Association, col(Association.id) == col(Invitation.association_id))
            .where(col(Association.name) == name)
        )
        return found.scalar_one()


async def names(intake: Intake, opened: Round, **wanted: str) -> list[str]:
    """The call list's associations, in order."""
    listed, _ = await calls(intake).listing(opened.round_id, Wanted(**wanted), EVERYWHERE)
    return [one.name for one in listed]


async def can(intake: Intake, name: str, capability: str) -> None:
    async with intake.database.write() as session:
        found = await session.execute(select(col(Association.id)).where(col(Association.name) == name))
        values: dict[str, Any] = {"association_id": found.scalar_one(), "capability": capability, "note": ""}
        await session.execute(insert(AssociationCapability), values)


async def set_contacts(intake: Intake, **values: Any) -> None:
    async with intake.database.write() as session:
        await session.execute(update(Contact).values(**values))


async def note_call(
    intake: Intake, invitation_id: UUID, outcome: Outcome, *, person_id: UUID, at: time | None = None
) -> None:
    what = attempt(outcome, "", at=at, now=intake.clock.now())
    await calls(intake).tried(invitation_id, what, person_id=person_id)


def in_order(text: str, words: Sequence[str]) -> bool:
    """True if these words stand in the text one after another."""
    places = [text.find(word) for word in words]
    return -1 not in places and places == sorted(places)
