"""Reminder store: finds who has not answered, and wishes for their letters."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from services.intake.invitation.model import AskedRound, Candidate, Doors, Invited, reply_key
from services.intake.invitation.store import Invitation, InvitationToken, RoundRow, round_of
from services.intake.registry.store import Association, Contact
from services.intake.rehearsal.store import takes_part
from services.intake.reminder.model import recipient_of, reminder
from shared.clock import Clock
from shared.db import Database, insert_into
from shared.events.status import RoundReminded
from shared.ids import digest, new_token
from shared.outbox import announce

PAGE = 200


@dataclass(frozen=True)
class _Silent:
    """An association that has not answered, and the contact who was asked last, the how manyeth by `turn`."""

    invited: Invited
    candidate: Candidate
    turn: int


class ReminderStore:
    """Reminds the silent."""

    def __init__(self, database: Database, *, clock: Clock, public_url: str) -> None:
        self._database = database
        self._clock = clock
        self._public_url = public_url

    async def remind(self, event: RoundReminded) -> int:
        """Wish for a letter to each that has neither answered nor declined, PAGE in a transaction; how many.

        It goes to the contact who was asked last and is still in the register, in an exercise on its roster as well,
        with a link of its own; all earlier links stay good. Who was reminded with this number already is passed
        over, so a redelivery goes on where the first delivery ended.
        """
        reminded, after = 0, None
        while True:
            async with self._database.write() as session:
                row = await session.get(RoundRow, event.round_id)
                if row is None or not round_of(row).open(self._clock.now()):
                    return reminded
                silent = await _silent(session, event.round_id, after=after)
                reminded += await self._write(session, event, round_of(row), silent)
            if len(silent) < PAGE:
                return reminded
            after = silent[-1].invited.invitation_id

    async def _write(
        self, session: AsyncSession, event: RoundReminded, asked: AskedRound, silent: Sequence[_Silent]
    ) -> int:
        if not silent:
            return 0
        tokens = {recipient_of(one.invited.invitation_id, event.number): new_token() for one in silent}
        values = [
            _token_values(tokens[recipient_of(one.invited.invitation_id, event.number)], one, event) for one in silent
        ]
        statement = insert_into(self._database.dialect, InvitationToken).on_conflict_do_nothing()
        made = statement.returning(col(InvitationToken.recipient_id))
        new = set((await session.execute(made, values)).scalars())
        letters = []
        for one in silent:
            recipient = recipient_of(one.invited.invitation_id, event.number)
            if recipient in new:
                token = tokens[recipient]
                doors = Doors(f"{self._public_url}/c/{token}", reply_key(token))
                letters.append(reminder(event, asked, one.invited, one.candidate, doors=doors))
        await announce(session, letters)
        return len(letters)


def _token_values(token: str, one: _Silent, event: RoundReminded) -> dict[str, Any]:
    return {
        "token_hash": digest(token),
        "invitation_id": one.invited.invitation_id,
        "contact_id": one.candidate.contact_id,
        "position": one.turn,
        "recipient_id": recipient_of(one.invited.invitation_id, event.number),
        "reply_hash": digest(reply_key(token)),
        "asked_at": event.happened_at,
        "reminder": event.number,
    }


async def _silent(session: AsyncSession, round_id: UUID, *, after: UUID | None) -> list[_Silent]:
    """One page of those who can be written to and have not answered, by invitation; its rows are locked."""
    token = InvitationToken
    first_letter = (col(token.reminder) == 0, col(token.asked_at).is_not(None))
    last = (
        select(func.max(col(token.position)))
        .join(Contact, col(Contact.id) == col(token.contact_id))
        .where(col(token.invitation_id) == col(Invitation.id), *first_letter, col(Contact.email).is_not(None))
        .where(takes_part(col(Invitation.realm)))
        .correlate(Invitation)
        .scalar_subquery()
    )
    turn: Any = col(token.position)
    statement: Select[Any] = (
        select(Invitation, Association, Contact, turn)
        .join(Association, col(Association.id) == col(Invitation.association_id))
        .join(token, (col(token.invitation_id) == col(Invitation.id)) & (col(token.position) == last))
        .join(Contact, col(Contact.id) == col(token.contact_id))
        .where(
            col(Invitation.round_id) == round_id,
            col(Invitation.checkin_id).is_(None),
            col(Invitation.declined_at).is_(None),
            col(Association.retired).is_(False),
            *first_letter,
        )
        .order_by(col(Invitation.id))
        .limit(PAGE)
        .with_for_update(of=Invitation)
    )
    if after is not None:
        statement = statement.where(col(Invitation.id) > after)
    return [
        _Silent(
            Invited(invitation.id, association.id, association.name),
            Candidate(contact_.id, contact_.position, contact_.email or "", contact_.language),
            turn,
        )
        for invitation, association, contact_, turn in await session.execute(statement)
    ]
