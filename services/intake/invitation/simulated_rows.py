"""Simulated rows (format): the invitations of associations that nobody plays in an exercise, and their links."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from services.intake.invitation.model import (
    NO_ADDRESS,
    NOT_DELIVERED,
    AskedRound,
    InvitationState,
    LetterState,
    not_reached,
    recipient_of,
    simulated_asked,
)
from services.intake.invitation.schema import Invitation, InvitationToken
from services.intake.registry.store import Association, Contact
from shared.events.exercise import SimulatedNotReached
from shared.events.intake import SimulatedLink
from shared.ids import digest, new_token
from shared.outbox import announce

FAILURE = "simulated"
"""What is kept as the reason of a letter that did not arrive because the exercise says so."""


async def ask_simulated(
    session: AsyncSession, asked: AskedRound, invited: Mapping[UUID, UUID], *, turn: int, now: datetime
) -> None:
    """Save a link for each of these associations, by invitation, and tell the exercise, which answers for them."""
    if not invited:
        return
    places = await _municipalities(session, list(invited.values()))
    tokens = {invitation_id: new_token() for invitation_id in sorted(invited)}
    rows = [_token_values(token, invitation_id, turn=turn, now=now) for invitation_id, token in tokens.items()]
    await session.execute(insert(InvitationToken), rows)
    links = [
        SimulatedLink(
            association_id=invited[invitation_id], municipality=places[invited[invitation_id]], path=f"/c/{token}"
        )
        for invitation_id, token in tokens.items()
    ]
    await announce(session, simulated_asked(asked, links, turn=turn, now=now))


async def turn_simulated(session: AsyncSession, event: SimulatedNotReached, asked: AskedRound, now: datetime) -> None:
    """What a letter that failed brings about: the association's next contact is asked, as far as it has one; the
    association is not reached if it has none. One that answered is left in peace, as is one that was turned before."""
    found = await _waiting(session, event)
    marks = [recipient_of(one.id, event.turn) for one in found]
    of_them = col(InvitationToken.recipient_id).in_(marks)
    await session.execute(update(InvitationToken).where(of_them).values(failed_at=now, failure=FAILURE))
    letters = await _letters(session, [one.association_id for one in found])
    following = {one.id: one.association_id for one in found if letters.get(one.association_id, 0) > event.turn}
    lost = [one for one in found if one.id not in following]
    await _stand(session, list(following), {"position": event.turn + 1, "asked_at": now})
    unreached = {"state": InvitationState.UNDELIVERABLE.value, "letter_state": LetterState.FAILED.value}
    await _stand(session, [one.id for one in lost], unreached)
    await ask_simulated(session, asked, following, turn=event.turn + 1, now=now)
    reasons = {one.association_id: NOT_DELIVERED if letters.get(one.association_id) else NO_ADDRESS for one in lost}
    await announce(session, [not_reached(asked, key, reason=reason, now=now) for key, reason in reasons.items()])


async def _waiting(session: AsyncSession, event: SimulatedNotReached) -> Sequence[Invitation]:
    """Those of the event that are simulated, wait for an answer, and were asked in this turn last."""
    statement = (
        select(Invitation)
        .where(
            col(Invitation.realm) == event.realm.id,
            col(Invitation.round_id) == event.round_id,
            col(Invitation.association_id).in_(event.association_ids),
            col(Invitation.simulated),
            col(Invitation.position) == event.turn,
            col(Invitation.state) == InvitationState.ASKED.value,
            col(Invitation.checkin_id).is_(None),
            col(Invitation.declined_at).is_(None),
        )
        .order_by(col(Invitation.id))
        .with_for_update()
    )
    return (await session.execute(statement)).scalars().all()


async def _municipalities(session: AsyncSession, association_ids: Sequence[UUID]) -> dict[UUID, str]:
    of_them = col(Association.id).in_(association_ids)
    rows = await session.execute(select(col(Association.id), col(Association.municipality)).where(of_them))
    return {row.id: row.municipality for row in rows}


async def _letters(session: AsyncSession, association_ids: Sequence[UUID]) -> dict[UUID, int]:
    """How many letters each would get in the live realm, one after the other, if none arrived."""
    of_them = (col(Contact.association_id).in_(association_ids), col(Contact.email).is_not(None))
    counted = select(col(Contact.association_id), func.count()).where(*of_them).group_by(col(Contact.association_id))
    return {row[0]: row[1] for row in await session.execute(counted)}


async def _stand(session: AsyncSession, invitation_ids: Sequence[UUID], values: dict[str, Any]) -> None:
    if invitation_ids:
        await session.execute(update(Invitation).where(col(Invitation.id).in_(invitation_ids)).values(**values))


def _token_values(token: str, invitation_id: UUID, *, turn: int, now: datetime) -> dict[str, Any]:
    return {
        "token_hash": digest(token),
        "invitation_id": invitation_id,
        "contact_id": None,
        "position": turn,
        "recipient_id": recipient_of(invitation_id, turn),
        "asked_at": now,
        "failure": "",
        "reminder": 0,
    }
