"""Invitation store: rounds as they were heard of, invitations with their links, and the wishes for their letters."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from services.intake.invitation.earlier_line import earlier_line
from services.intake.invitation.model import (
    NO_ADDRESS,
    NOT_DELIVERED,
    AskedRound,
    Candidate,
    Doors,
    InvitationState,
    Invited,
    LetterState,
    Tried,
    letter,
    may_turn,
    next_to_ask,
    not_reached,
    recipient_of,
    reply_key,
    standing_without_next,
)
from services.intake.invitation.schema import Invitation, InvitationToken, RoundRow
from services.intake.invitation.simulated_rows import ask_simulated, turn_simulated
from services.intake.registry.model import ContactState
from services.intake.registry.store import Association, Contact
from services.intake.rehearsal.store import goes_on, takes_part
from shared.clock import Clock
from shared.db import Database, insert_into
from shared.events import Event
from shared.events.exercise import ExerciseEnded, SimulatedNotReached
from shared.events.notify import LetterFailed, LetterReturned
from shared.events.status import RoundClosed, RoundOpened
from shared.i18n import locale_or
from shared.ids import digest, new_id, new_token
from shared.inbox import first_time
from shared.log import logger
from shared.outbox import announce
from shared.realm import LIVE, Realm

__all__ = ["Invitation", "InvitationStore", "InvitationToken", "RoundRow", "letters_of"]

log = logger(__name__)

CONSUMER = "invitation"
TURNED_AT_ONCE = 100
REASON_LIMIT = 200


@dataclass(frozen=True)
class _Asking:
    """An association that is to be asked, those who can be written to and those who were, `asked` in number. One that
    is `simulated` gets no letter."""

    invited: Invited
    candidates: Sequence[Candidate]
    tried: Sequence[Tried] = ()
    asked: int = 0
    simulated: bool = False

    @property
    def following(self) -> Candidate | None:
        """Who is asked now."""
        return next_to_ask(self.candidates, self.tried)


class InvitationStore:
    """Who is asked, and how it goes."""

    def __init__(self, database: Database, *, clock: Clock, public_url: str) -> None:
        self._database = database
        self._clock = clock
        self._public_url = public_url

    async def invite(self, event: RoundOpened) -> None:
        """Ask the associations of this part of a round: an invitation, a link and a letter each, all or nothing.

        Those without any address are told of as not reached. In an exercise whoever has no contact on its roster is
        simulated, and gets no letter. A redelivery, in whatever order, changes nothing. Raises RosterNotHeardError
        as long as it is not known who takes part.
        """
        async with self._database.write() as session:
            if not await first_time(session, CONSUMER, event.event_id, self._clock.now()):
                return
            asked = await self._heard(session, event)
            if asked.closed_at is not None or not await goes_on(session, event.realm):
                return
            asking = await self._enter(session, asked, event.association_ids)
            simulated = {one.invited.invitation_id: one.invited.association_id for one in asking if one.simulated}
            await ask_simulated(session, asked, simulated, turn=1, now=self._clock.now())
            await self._ask(session, asked, [one for one in asking if not one.simulated])

    async def turn_to_next(self, event: LetterFailed | LetterReturned) -> None:
        """Ask the next contact of the association whose letter failed or came back; without one it is not reached.

        One who answered, or does not want to be asked, is left in peace.
        """
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
                await _mark_contact(session, token.contact_id, asked_at=token.asked_at or now)
            await _mark_letter(session, token, reason=event.reason, now=now)
            last = token.position == invitation.position or invitation.state == InvitationState.SILENT
            if last and invitation.checkin_id is None and invitation.declined_at is None:
                asked = round_of(await session.get_one(RoundRow, invitation.round_id))
                await self._turn(session, asked, [invitation])

    async def turn_simulated(self, event: SimulatedNotReached) -> None:
        """The same for simulated associations, of which the exercise says that their letters would not arrive."""
        now = self._clock.now()
        async with self._database.write() as session:
            row = await session.get(RoundRow, event.round_id)
            if await first_time(session, CONSUMER, event.event_id, now) and row and round_of(row).open(now):
                await turn_simulated(session, event, round_of(row), now)

    async def turn_silent(self, *, after: timedelta) -> bool:
        """Ask the next contacts where the last asked one has been silent for so long; True if there may be more.

        The links of those asked before stay good. Where nobody is left, the invitation becomes silent.
        """
        now = self._clock.now()
        async with self._database.write() as session:
            running = await session.execute(
                select(RoundRow).where(col(RoundRow.closed_at).is_(None), col(RoundRow.closes_at) > now)
            )
            rounds = [asked for asked in map(round_of, running.scalars()) if may_turn(asked, now)]
            silent = await _silent_since(session, now - after, [asked.round_id for asked in rounds])
            for asked in rounds:
                await self._turn(session, asked, [one for one in silent if one.round_id == asked.round_id])
        return len(silent) == TURNED_AT_ONCE

    async def close(self, event: RoundClosed) -> None:
        """Take no more answers in this round, whether its opening has been heard of yet or not."""
        values = {"round_id": event.round_id, "situation_id": event.situation_id, "realm": event.realm.id}
        end = {"closes_at": event.happened_at, "closed_at": event.happened_at}
        statement = insert_into(self._database.dialect, RoundRow).on_conflict_do_update(
            index_elements=["round_id"], set_={"closed_at": event.happened_at}
        )
        async with self._database.write() as session:
            await session.execute(statement, {**values, **end, "names": {}, "urgent": False})

    async def end(self, event: ExerciseEnded) -> None:
        """Take no more answers in any round of its realm: with the exercise its roster is forgotten."""
        running = (col(RoundRow.realm) == event.realm.id, col(RoundRow.closed_at).is_(None))
        async with self._database.write() as session:
            await session.execute(update(RoundRow).where(*running).values(closed_at=event.happened_at))

    async def _heard(self, session: AsyncSession, event: RoundOpened) -> AskedRound:
        told = {"names": event.names, "closes_at": event.closes_at, "urgent": event.urgent}
        values = {"round_id": event.round_id, "situation_id": event.situation_id, "realm": event.realm.id, **told}
        statement = (
            insert_into(self._database.dialect, RoundRow)
            .on_conflict_do_update(index_elements=["round_id"], set_=told)
            .returning(col(RoundRow.closed_at))
        )
        closed_at = (await session.execute(statement, values)).scalar_one()
        return AskedRound(
            event.round_id, event.situation_id, event.realm, event.names, event.closes_at, closed_at, event.urgent
        )

    async def _enter(self, session: AsyncSession, asked: AskedRound, association_ids: Sequence[UUID]) -> list[_Asking]:
        """Make the invitations that are missing; those made now."""
        names = await _present_names(session, association_ids)
        candidates = await _candidates(session, list(names), asked.realm)
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
            _Asking(
                Invited(invitation_id, association_id, names[association_id]),
                candidates[association_id],
                simulated=_simulated(asked, firsts[association_id]),
            )
            for invitation_id, association_id in (await session.execute(made, values)).all()
        ]

    async def _ask(self, session: AsyncSession, asked: AskedRound, asking: Sequence[_Asking]) -> None:
        """Save the links, and say which letters are wished for and who cannot be written to."""
        now = self._clock.now()
        said: list[Event] = []
        tokens: list[dict[str, Any]] = []
        for one in asking:
            candidate = one.following
            if candidate is None:
                reason = NOT_DELIVERED if one.asked else NO_ADDRESS
                said.append(not_reached(asked, one.invited.association_id, reason=reason, now=now))
                continue
            token, turn = new_token(), one.asked + 1
            tokens.append(_token_values(token, one.invited.invitation_id, candidate, turn=turn, now=now))
            earlier = earlier_line(one.tried, locale_or(candidate.language))
            doors = Doors(f"{self._public_url}/c/{token}", reply_key(token))
            said.append(letter(asked, one.invited, candidate, doors=doors, now=now, turn=turn, earlier=earlier))
        if tokens:
            await session.execute(insert(InvitationToken), tokens)
        await announce(session, said)

    async def _turn(self, session: AsyncSession, asked: AskedRound, invitations: Sequence[Invitation]) -> None:
        """Turn to the next contact of each; say of those who became unreachable just now that they are."""
        now = self._clock.now()
        values: list[dict[str, Any]] = []
        asking: list[_Asking] = []
        for invitation, one in zip(invitations, await _next_of(session, asked, invitations), strict=True):
            following = one.following if asked.open(now) else None
            state = standing_without_next(one.tried)
            values.append({"id": invitation.id, **_standing(following, invitation, state, now=now)})
            newly = state is InvitationState.UNDELIVERABLE and invitation.state != state
            if asked.open(now) and (following or newly):
                asking.append(one)
        if values:
            await session.execute(update(Invitation), values)
        await self._ask(session, asked, asking)


async def _present_names(session: AsyncSession, association_ids: Sequence[UUID]) -> dict[UUID, str]:
    """The names of those that are in the register and not retired. The register is the live one in every realm."""
    present = select(col(Association.id), col(Association.name)).where(
        col(Association.id).in_(association_ids), col(Association.retired).is_(False)
    )
    return {row.id: row.name for row in await session.execute(present)}


async def _candidates(
    session: AsyncSession, association_ids: Sequence[UUID], realm: Realm
) -> Mapping[UUID, list[Candidate]]:
    reachable = select(Contact).where(
        col(Contact.association_id).in_(association_ids), col(Contact.email).is_not(None), takes_part(realm)
    )
    found: defaultdict[UUID, list[Candidate]] = defaultdict(list)
    for contact in (await session.execute(reachable)).scalars():
        found[contact.association_id].append(
            Candidate(contact.id, contact.position, contact.email or "", contact.language)
        )
    return found


async def _next_of(session: AsyncSession, asked: AskedRound, invitations: Sequence[Invitation]) -> list[_Asking]:
    """For each invitation its association, with whom to ask next and who was asked before."""
    names = await _present_names(session, [one.association_id for one in invitations])
    candidates = await _candidates(session, list(names), asked.realm)
    tried = await letters_of(session, [one.id for one in invitations])
    return [
        _Asking(
            Invited(one.id, one.association_id, names.get(one.association_id, "")),
            candidates.get(one.association_id, []),
            tried.get(one.id, []),
            one.position,
        )
        for one in invitations
    ]


async def letters_of(session: AsyncSession, invitation_ids: Sequence[UUID]) -> dict[UUID, list[Tried]]:
    """The letters that first asked the contacts of these invitations, first to last."""
    token = InvitationToken
    rows = await session.execute(
        select(token, col(Contact.name))
        .outerjoin(Contact, col(Contact.id) == col(token.contact_id))
        .where(
            col(token.invitation_id).in_(invitation_ids), col(token.reminder) == 0, col(token.contact_id).is_not(None)
        )
        .order_by(col(token.position))
    )
    found: defaultdict[UUID, list[Tried]] = defaultdict(list)
    for sent, name in rows:
        tried = Tried(sent.position, name or "", sent.asked_at, sent.failed_at, sent.contact_id)
        found[sent.invitation_id].append(tried)
    return found


async def _silent_since(session: AsyncSession, moment: datetime, round_ids: Sequence[UUID]) -> list[Invitation]:
    """The longest silent of these rounds. They are locked, so that each is turned by one replica only."""
    if not round_ids:
        return []
    statement = (
        select(Invitation)
        .where(
            col(Invitation.round_id).in_(round_ids),
            col(Invitation.state) == InvitationState.ASKED.value,
            col(Invitation.checkin_id).is_(None),
            col(Invitation.declined_at).is_(None),
            col(Invitation.simulated).is_(False),
            col(Invitation.asked_at) <= moment,
        )
        .order_by(col(Invitation.asked_at), col(Invitation.id))
        .limit(TURNED_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    return list((await session.execute(statement)).scalars())


async def _invitation_of(session: AsyncSession, recipient_id: UUID) -> tuple[Invitation, InvitationToken] | None:
    statement = (
        select(Invitation, InvitationToken)
        .join(InvitationToken, col(InvitationToken.invitation_id) == col(Invitation.id))
        .where(col(InvitationToken.recipient_id) == recipient_id)
        .with_for_update(of=Invitation)
    )
    found = (await session.execute(statement)).one_or_none()
    return (found[0], found[1]) if found else None


async def _mark_letter(session: AsyncSession, token: InvitationToken, *, reason: str, now: datetime) -> None:
    values = {"failed_at": now, "failure": reason[:REASON_LIMIT]}
    of_it = col(InvitationToken.token_hash) == token.token_hash
    await session.execute(update(InvitationToken).where(of_it).values(**values))


async def _mark_contact(session: AsyncSession, contact_id: UUID, *, asked_at: datetime) -> None:
    """It is shown, and asked again next time: in a crisis no address is given up silently. An old letter that comes
    back says nothing of details that were confirmed since it was wished for."""
    unconfirmed = or_(col(Contact.confirmed_at).is_(None), col(Contact.confirmed_at) <= asked_at)
    marked = update(Contact).where(col(Contact.id) == contact_id, unconfirmed)
    await session.execute(marked.values(state=ContactState.FAILED.value))


def round_of(row: RoundRow) -> AskedRound:
    """The round that a row tells of."""
    closing = (row.closes_at, row.closed_at)
    return AskedRound(row.round_id, row.situation_id, Realm(row.realm), row.names, *closing, row.urgent)


def _invitation_values(
    asked: AskedRound, association_id: UUID, first: Candidate | None, *, now: datetime
) -> dict[str, Any]:
    own: dict[str, Any] = {"id": new_id(), "realm": asked.realm.id, "round_id": asked.round_id}
    own |= {"association_id": association_id, "simulated": _simulated(asked, first)}
    if first is not None or own["simulated"]:
        return {**own, **_asked(1, now=now)}
    nobody = {"state": InvitationState.UNDELIVERABLE.value, "letter_state": LetterState.NONE.value}
    return {**own, **nobody, "position": 0, "asked_at": None}


def _simulated(asked: AskedRound, first: Candidate | None) -> bool:
    """True for an association of which nobody takes part in the exercise."""
    return first is None and not asked.realm.live


def _standing(
    following: Candidate | None, invitation: Invitation, otherwise: InvitationState, *, now: datetime
) -> dict[str, Any]:
    """How an invitation stands when this contact is asked next, or nobody is left."""
    if following is not None:
        return _asked(invitation.position + 1, now=now)
    failed = otherwise is InvitationState.UNDELIVERABLE
    letter_state = LetterState.FAILED.value if failed else invitation.letter_state
    stays = {"position": invitation.position, "asked_at": invitation.asked_at}
    return {"state": otherwise.value, "letter_state": letter_state, **stays}


def _asked(turn: int, *, now: datetime) -> dict[str, Any]:
    return {
        "state": InvitationState.ASKED.value,
        "position": turn,
        "letter_state": LetterState.REQUESTED.value,
        "asked_at": now,
    }


def _token_values(token: str, invitation_id: UUID, candidate: Candidate, *, turn: int, now: datetime) -> dict[str, Any]:
    return {
        "token_hash": digest(token),
        "invitation_id": invitation_id,
        "contact_id": candidate.contact_id,
        "position": turn,
        "recipient_id": recipient_of(invitation_id, turn),
        "asked_at": now,
        "reply_hash": digest(reply_key(token)),
    }
