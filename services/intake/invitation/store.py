"""Invitation store: rounds as they were heard of, invitations with their links, and the wishes for their letters."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, LargeBinary, UniqueConstraint, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, col

from services.intake.invitation.model import (
    NO_ADDRESS,
    NOT_DELIVERED,
    AskedRound,
    Candidate,
    InvitationState,
    Invited,
    LetterState,
    letter,
    next_to_ask,
    not_reached,
    recipient_of,
    reply_key,
)
from services.intake.registry.model import ContactState
from services.intake.registry.store import Association, Contact
from services.intake.schema import IntakeTable
from shared.clock import Clock
from shared.db import Database, UtcDateTime, insert_into
from shared.events import Event
from shared.events.notify import LetterFailed
from shared.events.status import RoundClosed, RoundOpened
from shared.ids import digest, new_id, new_token
from shared.inbox import first_time
from shared.log import logger
from shared.outbox import announce
from shared.realm import LIVE, Realm

log = logger(__name__)

CONSUMER = "invitation"


class RoundRow(IntakeTable, table=True):
    """A round as intake knows it. Its closing may be heard before its opening: then it has no names yet."""

    __tablename__ = "round"

    round_id: UUID = Field(primary_key=True)
    situation_id: UUID
    realm: str
    names: dict[str, str] = Field(sa_type=JSON)
    urgent: bool = False
    closes_at: datetime = Field(sa_type=UtcDateTime)
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Invitation(IntakeTable, table=True):
    """One association asked in one round. `position` is that of the contact asked last, 0 for nobody, and `asked_at`
    when that was; `checkin_id` is its present answer; one that said "not this time" is reminded no more."""

    __tablename__ = "invitation"
    __table_args__ = (UniqueConstraint("realm", "round_id", "association_id"),)

    id: UUID = Field(primary_key=True)
    realm: str
    round_id: UUID
    association_id: UUID
    state: str
    position: int
    letter_state: str
    asked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    declined_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    checkin_id: UUID | None = None


class InvitationToken(IntakeTable, table=True):
    """A link to the answer form, known by its hash only, and the recipient to whom it was sent: a contact by letter,
    or nobody in person, on paper. `reply_hash` is that of the address to which the letter can be answered."""

    __tablename__ = "invitation_token"

    token_hash: bytes = Field(primary_key=True, sa_type=LargeBinary)
    invitation_id: UUID = Field(index=True)
    contact_id: UUID | None
    position: int
    recipient_id: UUID = Field(unique=True)
    reply_hash: bytes | None = Field(default=None, sa_type=LargeBinary, unique=True)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


@dataclass(frozen=True)
class _Asking:
    """An association that is to be asked, and those who can be written to."""

    invited: Invited
    candidates: Sequence[Candidate]


class InvitationStore:
    """Who is asked, and how it goes."""

    def __init__(self, database: Database, *, clock: Clock, public_url: str) -> None:
        self._database = database
        self._clock = clock
        self._public_url = public_url

    async def invite(self, event: RoundOpened) -> None:
        """Ask the associations of this part of a round: an invitation, a link and a letter each, all or nothing.

        Those without any address are told of as not reached. A redelivery, in whatever order, changes nothing.
        """
        async with self._database.write() as session:
            if not await first_time(session, CONSUMER, event.event_id, self._clock.now()):
                return
            asked = await self._heard(session, event)
            if asked.closed_at is not None:
                return
            asking = await self._enter(session, asked, event.association_ids)
            await self._ask(session, asked, asking)

    async def turn_to_next(self, event: LetterFailed) -> None:
        """Ask the next contact of the association whose letter failed; without one it is not reached."""
        now = self._clock.now()
        async with self._database.write() as session:
            if not await first_time(session, CONSUMER, event.event_id, now):
                return
            found = await _invitation_of(session, event.recipient_id)
            if found is None:
                log.warning("a letter failed that nobody here asked for", letter=str(event.letter_id))
                return
            invitation, token = found
            if event.realm == LIVE and token.contact_id:
                await _mark_contact(session, token.contact_id)
            asked = _round_of(await session.get_one(RoundRow, invitation.round_id))
            if token.position == invitation.position and invitation.checkin_id is None:
                await self._turn(session, asked, invitation)

    async def close(self, event: RoundClosed) -> None:
        """Take no more answers in this round, whether its opening has been heard of yet or not."""
        values = {"round_id": event.round_id, "situation_id": event.situation_id, "realm": event.realm.id}
        end = {"closes_at": event.happened_at, "closed_at": event.happened_at}
        statement = insert_into(self._database.dialect, RoundRow).on_conflict_do_update(
            index_elements=["round_id"], set_={"closed_at": event.happened_at}
        )
        async with self._database.write() as session:
            await session.execute(statement, {**values, **end, "names": {}, "urgent": False})

    async def _heard(self, session: AsyncSession, event: RoundOpened) -> AskedRound:
        told = {"names": event.names, "closes_at": event.closes_at, "urgent": event.urgent}
        values = {"round_id": event.round_id, "situation_id": event.situation_id, "realm": event.realm.id, **told}
        statement = (
            insert_into(self._database.dialect, RoundRow)
            .on_conflict_do_update(index_elements=["round_id"], set_=told)
            .returning(col(RoundRow.closed_at))
        )
        closed_at = (await session.execute(statement, values)).scalar_one()
        return AskedRound(event.round_id, event.situation_id, event.realm, event.names, event.closes_at, closed_at)

    async def _enter(self, session: AsyncSession, asked: AskedRound, association_ids: Sequence[UUID]) -> list[_Asking]:
        """Make the invitations that are missing; those made now."""
        names = await _present_names(session, association_ids)
        candidates = await _candidates(session, list(names))
        firsts = {association_id: next_to_ask(candidates[association_id]) for association_id in sorted(names)}
        values = [
            _invitation_values(asked, association_id, first, now=self._clock.now())
            for association_id, first in firsts.items()
        ]
        if not values:
            return []
        statement = insert_into(self._database.dialect, Invitation).on_conflict_do_nothing()
        made = statement.returning(col(Invitation.id), col(Invitation.association_id))
        return [
            _Asking(Invited(invitation_id, association_id, names[association_id]), candidates[association_id])
            for invitation_id, association_id in (await session.execute(made, values)).all()
        ]

    async def _ask(
        self, session: AsyncSession, asked: AskedRound, asking: Sequence[_Asking], *, after: int = 0
    ) -> None:
        """Save the links, and say which letters are wished for and who cannot be written to."""
        now = self._clock.now()
        said: list[Event] = []
        tokens: list[dict[str, Any]] = []
        for one in asking:
            candidate = next_to_ask(one.candidates, after=after)
            if candidate is None:
                reason = NOT_DELIVERED if after else NO_ADDRESS
                said.append(not_reached(asked, one.invited.association_id, reason=reason, now=now))
                continue
            token = new_token()
            tokens.append(_token_values(token, one.invited.invitation_id, candidate))
            link = f"{self._public_url}/c/{token}"
            said.append(letter(asked, one.invited, candidate, link=link, reply=reply_key(token), now=now))
        if tokens:
            await session.execute(insert(InvitationToken), tokens)
        await announce(session, said)

    async def _turn(self, session: AsyncSession, asked: AskedRound, invitation: Invitation) -> None:
        names = await _present_names(session, [invitation.association_id])
        candidates = (await _candidates(session, list(names)))[invitation.association_id]
        following = next_to_ask(candidates, after=invitation.position) if asked.open(self._clock.now()) else None
        after = invitation.position
        await session.execute(
            update(Invitation)
            .where(col(Invitation.id) == invitation.id)
            .values(**_standing(following, after=after, now=self._clock.now()))
        )
        if asked.open(self._clock.now()):
            name = names.get(invitation.association_id, "")
            invited = Invited(invitation.id, invitation.association_id, name)
            await self._ask(session, asked, [_Asking(invited, candidates)], after=after)


async def _present_names(session: AsyncSession, association_ids: Sequence[UUID]) -> dict[UUID, str]:
    """The names of those that are in the register and not retired. The register is the live one in every realm."""
    present = select(col(Association.id), col(Association.name)).where(
        col(Association.id).in_(association_ids), col(Association.retired).is_(False)
    )
    return {row.id: row.name for row in await session.execute(present)}


async def _candidates(session: AsyncSession, association_ids: Sequence[UUID]) -> Mapping[UUID, list[Candidate]]:
    reachable = select(Contact).where(col(Contact.association_id).in_(association_ids), col(Contact.email).is_not(None))
    found: defaultdict[UUID, list[Candidate]] = defaultdict(list)
    for contact in (await session.execute(reachable)).scalars():
        found[contact.association_id].append(
            Candidate(contact.id, contact.position, contact.email or "", contact.language)
        )
    return found


async def _invitation_of(session: AsyncSession, recipient_id: UUID) -> tuple[Invitation, InvitationToken] | None:
    statement = (
        select(Invitation, InvitationToken)
        .join(InvitationToken, col(InvitationToken.invitation_id) == col(Invitation.id))
        .where(col(InvitationToken.recipient_id) == recipient_id)
    )
    found = (await session.execute(statement)).one_or_none()
    return (found[0], found[1]) if found else None


async def _mark_contact(session: AsyncSession, contact_id: UUID) -> None:
    """It is shown, and asked again next time: in a crisis no address is given up silently."""
    await session.execute(update(Contact).where(col(Contact.id) == contact_id).values(state=ContactState.FAILED.value))


def _round_of(row: RoundRow) -> AskedRound:
    return AskedRound(row.round_id, row.situation_id, Realm(row.realm), row.names, row.closes_at, row.closed_at)


def _invitation_values(
    asked: AskedRound, association_id: UUID, first: Candidate | None, *, now: datetime
) -> dict[str, Any]:
    own = {"id": new_id(), "realm": asked.realm.id, "round_id": asked.round_id, "association_id": association_id}
    return {**own, **_standing(first, after=0, now=now)}


def _standing(candidate: Candidate | None, *, after: int, now: datetime) -> dict[str, Any]:
    """How an invitation stands when this contact is asked, or nobody is left after that position."""
    if candidate is None:
        failed = LetterState.FAILED if after else LetterState.NONE
        state = {"state": InvitationState.UNDELIVERABLE.value, "letter_state": failed.value}
        return {**state, "position": after, "asked_at": None}
    return {
        "state": InvitationState.ASKED.value,
        "position": candidate.position,
        "letter_state": LetterState.REQUESTED.value,
        "asked_at": now,
    }


def _token_values(token: str, invitation_id: UUID, candidate: Candidate) -> dict[str, Any]:
    return {
        "token_hash": digest(token),
        "invitation_id": invitation_id,
        "contact_id": candidate.contact_id,
        "position": candidate.position,
        "recipient_id": recipient_of(invitation_id, candidate.position),
        "reply_hash": digest(reply_key(token)),
    }
