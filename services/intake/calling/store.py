"""Calling store: the call list of a round, and who has taken which call."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, String, and_, case, cast, exists, func, or_, select, true, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, col

from services.intake.audit.model import Act
from services.intake.audit.store import record
from services.intake.calling.model import CLAIM, Attempt, Outcome, most_needed
from services.intake.checkin.model import Said
from services.intake.checkin.store import CheckInRow
from services.intake.invitation.model import InvitationState, Tried
from services.intake.invitation.store import Invitation, RoundRow, letters_of
from services.intake.registry.store import Association, AssociationCapability, AssociationNetwork, Contact
from services.intake.rehearsal.store import takes_part
from services.intake.schema import IntakeTable
from shared.audit import Deed
from shared.clock import Clock
from shared.db import Database, UtcDateTime, insert_into
from shared.events.intake import Amount, OperatingStatus
from shared.identity import Sight
from shared.realm import LIVE, Realm
from shared.region import CAPABILITIES

PAGE = 50
TRIED_AT_ONCE = 20
PROMISED, READY, WAITING, WRONG, NO_NUMBER, SIMULATED = range(6)
"""The turns in which calls are made; those after READY cannot be made now, the last never."""


class CallRow(IntakeTable, table=True):
    """The calls to one association in one round: who has it now, and what came of the last one."""

    __tablename__ = "call"

    invitation_id: UUID = Field(primary_key=True)
    realm: str
    claimed_by: UUID | None = Field(default=None, index=True)
    claimed_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    attempts: int = 0
    outcome: str = ""
    tried_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    not_before: datetime | None = Field(default=None, sa_type=UtcDateTime)
    note: str = ""


@dataclass(frozen=True)
class Wanted:
    """Which calls are wanted: of one municipality or all; those who have the capability come before others."""

    municipality: str = ""
    capability: str = ""


@dataclass(frozen=True)
class CallRound:
    """An open round, and how many of those seen have not answered and could not be reached; beside them those whom an
    exercise simulates."""

    round_id: UUID
    realm: Realm
    names: dict[str, str]
    closes_at: datetime
    asked: int = 0
    outstanding: int = 0
    undeliverable: int = 0
    simulated: int = 0


@dataclass(frozen=True)
class Listed:
    """One association on the call list, with the first contact who has a telephone; one that is simulated has none."""

    invitation_id: UUID
    association_id: UUID
    name: str
    municipality: str
    undeliverable: bool
    able: bool
    simulated: bool
    attempts: int
    outcome: Outcome | None
    not_before: datetime | None
    claimed_by: UUID | None
    contact: Contact | None


@dataclass(frozen=True)
class Card:
    """All that the one who calls needs to know."""

    invitation: Invitation
    realm: Realm
    association: Association
    networks: frozenset[str]
    contacts: Sequence[Contact]
    letters: Sequence[Tried]
    call: CallRow | None

    def claimed_by(self, now: datetime) -> UUID | None:
        """Who has this call now."""
        call = self.call
        return call.claimed_by if call and call.claimed_until and call.claimed_until > now else None


class CallStore:
    """The call list."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def rounds(self, sight: Sight) -> list[CallRound]:
        """The open rounds, the one that closes first before the others."""
        now = self._clock.now()
        played = col(Invitation.simulated).is_(False)
        outstanding = and_(played, col(Invitation.checkin_id).is_(None), col(Invitation.declined_at).is_(None))
        undeliverable = and_(outstanding, col(Invitation.state) == InvitationState.UNDELIVERABLE.value)
        statement = (
            select(
                RoundRow,
                *(func.sum(case((one, 1), else_=0)) for one in (played, outstanding, undeliverable, ~played)),
            )
            .join(Invitation, col(Invitation.round_id) == col(RoundRow.round_id))
            .join(Association, col(Association.id) == col(Invitation.association_id))
            .where(col(RoundRow.closed_at).is_(None), col(RoundRow.closes_at) > now, seen_by(sight))
            .group_by(col(RoundRow.round_id))
            .order_by(col(RoundRow.closes_at), col(RoundRow.round_id))
        )
        async with self._database.read() as session:
            return [_round_of(row, *counts) for row, *counts in (await session.execute(statement)).all()]

    async def outstanding(self, sight: Sight) -> int:
        """How many of all open rounds have not answered."""
        return sum(one.outstanding for one in await self.rounds(sight))

    async def round(self, round_id: UUID) -> CallRound | None:
        """The round, without counts; None if there is none, or it takes no answers any more."""
        async with self._database.read() as session:
            row = await session.get(RoundRow, round_id)
        open_still = row is not None and row.closed_at is None and row.closes_at > self._clock.now()
        return _round_of(row) if row is not None and open_still else None

    async def needed(self, round_id: UUID) -> dict[str, int]:
        """How many of those who answered in this round ask for each capability, most first."""
        present = (
            select(col(CheckInRow.needs))
            .join(Invitation, col(Invitation.checkin_id) == col(CheckInRow.id))
            .where(col(Invitation.round_id) == round_id, cast(col(CheckInRow.needs), String) != "[]")
        )
        async with self._database.read() as session:
            lists = (await session.execute(present)).scalars()
            said = [
                Said(status=OperatingStatus.NORMAL, needs=tuple(Amount(**need) for need in needs)) for needs in lists
            ]
        return most_needed(said, [capability.code for capability in CAPABILITIES])

    async def listing(
        self, round_id: UUID, wanted: Wanted, sight: Sight, *, page: int = 1
    ) -> tuple[Sequence[Listed], int]:
        """One page of those who are to be called, in the order in which they are, and how many there are in all."""
        now = self._clock.now()
        listed = _to_call(round_id, wanted, sight, now=now)
        async with self._database.read() as session:
            count = await session.scalar(select(func.count()).select_from(listed.order_by(None).subquery()))
            rows = (await session.execute(listed.offset((page - 1) * PAGE).limit(PAGE))).all()
            realm = Realm(rows[0].realm) if rows else LIVE
            contacts = await _contacts(session, [row.association_id for row in rows if not row.simulated], realm)
        return [_listed_of(row, contacts[row.association_id], now) for row in rows], count or 0

    async def card(self, invitation_id: UUID) -> Card | None:
        """Everything about one call; None if nobody was asked under this id."""
        async with self._database.read() as session:
            invitation = await session.get(Invitation, invitation_id)
            if invitation is None:
                return None
            association = await session.get_one(Association, invitation.association_id)
            member = col(AssociationNetwork.association_id) == association.id
            networks = (await session.execute(select(col(AssociationNetwork.network)).where(member))).scalars()
            asked = [] if invitation.simulated else [association.id]
            contacts = await _contacts(session, asked, Realm(invitation.realm))
            letters = await letters_of(session, [invitation_id])
            return Card(
                invitation=invitation,
                realm=Realm(invitation.realm),
                association=association,
                networks=frozenset(networks),
                contacts=contacts[association.id],
                letters=letters.get(invitation_id, []),
                call=await session.get(CallRow, invitation_id),
            )

    async def next_call(self, round_id: UUID, wanted: Wanted, sight: Sight, *, person_id: UUID) -> UUID | None:
        """The call that this person has already taken, else the best that nobody has, taken for her; None if there
        is none. Of two who ask at once each gets another one."""
        now = self._clock.now()
        to_call = _to_call(round_id, wanted, sight, now=now)
        own = to_call.where(col(CallRow.claimed_by) == person_id, col(CallRow.claimed_until) > now)
        nobodys = to_call.where(
            _turn(now) <= READY, or_(col(CallRow.claimed_until).is_(None), col(CallRow.claimed_until) <= now)
        )
        async with self._database.write() as session:
            mine = (await session.execute(own.limit(1))).first()
            if mine is not None:
                return UUID(str(mine.invitation_id))
            while True:
                best = (await session.execute(nobodys.limit(TRIED_AT_ONCE))).all()
                for row in best:
                    if await self._take(session, row.invitation_id, row.realm, person_id=person_id, now=now):
                        return UUID(str(row.invitation_id))
                if len(best) < TRIED_AT_ONCE:
                    return None

    async def take(self, invitation_id: UUID, *, person_id: UUID) -> bool:
        """Take this very call, and give up any other; False while somebody else has it, and for one that is simulated.
        Taking one's own renews it."""
        async with self._database.write() as session:
            invitation = await session.get_one(Invitation, invitation_id)
            now, realm = self._clock.now(), invitation.realm
            return not invitation.simulated and await self._take(
                session, invitation_id, realm, person_id=person_id, now=now
            )

    async def release(self, invitation_id: UUID, *, person_id: UUID) -> None:
        """Let others have this call; if it is not this person's, nothing changes."""
        own = (col(CallRow.invitation_id) == invitation_id, col(CallRow.claimed_by) == person_id)
        async with self._database.write() as session:
            await session.execute(update(CallRow).where(*own).values(claimed_by=None, claimed_until=None))

    async def tried(self, invitation_id: UUID, attempt: Attempt, *, person_id: UUID) -> None:
        """Keep what came of a call that brought no answer, and let others have the next one."""
        now = self._clock.now()
        async with self._database.write() as session:
            invitation = await session.get_one(Invitation, invitation_id)
            told = {
                "outcome": attempt.outcome.value,
                "note": attempt.note,
                "tried_at": now,
                "not_before": attempt.not_before,
                "claimed_by": None,
                "claimed_until": None,
            }
            statement = insert_into(self._database.dialect, CallRow).on_conflict_do_update(
                index_elements=["invitation_id"], set_={**told, "attempts": col(CallRow.attempts) + 1}
            )
            key = {"invitation_id": invitation_id, "realm": invitation.realm}
            await session.execute(statement, {**key, **told, "attempts": 1})
            details: dict[str, str | int] = {"outcome": attempt.outcome.value}
            await record(session, Deed(now, Act.CALL_TRIED, person_id, str(invitation_id), details))

    async def _take(
        self, session: AsyncSession, invitation_id: UUID, realm: str, *, person_id: UUID, now: datetime
    ) -> bool:
        """The one statement decides: a row comes back only to whoever has the call afterwards."""
        claim = {"claimed_by": person_id, "claimed_until": now + CLAIM}
        free = or_(
            col(CallRow.claimed_until).is_(None),
            col(CallRow.claimed_until) <= now,
            col(CallRow.claimed_by) == person_id,
        )
        statement = (
            insert_into(self._database.dialect, CallRow)
            .on_conflict_do_update(index_elements=["invitation_id"], set_=claim, where=free)
            .returning(col(CallRow.invitation_id))
        )
        fresh = {"invitation_id": invitation_id, "realm": realm, "attempts": 0, "outcome": "", "note": ""}
        taken = (await session.execute(statement, {**fresh, **claim})).first() is not None
        if taken:
            others = (col(CallRow.claimed_by) == person_id, col(CallRow.invitation_id) != invitation_id)
            await session.execute(update(CallRow).where(*others).values(claimed_by=None, claimed_until=None))
        return taken


def seen_by(sight: Sight) -> ColumnElement[bool]:
    """The condition that an association may be seen."""
    if not sight.limited:
        return true()
    members = select(col(AssociationNetwork.association_id)).where(
        col(AssociationNetwork.network).in_(sorted(sight.networks))
    )
    return or_(col(Association.municipality).in_(sorted(sight.municipalities)), col(Association.id).in_(members))


def _to_call(round_id: UUID, wanted: Wanted, sight: Sight, *, now: datetime) -> Select[Any]:
    """Who has neither answered nor declined, in the order in which they are called.

    First the calls that were promised for now; then whom no letter reached, who can do what is needed most, and of
    whom nothing has been heard for longest. Last who cannot be called now: tried lately, wrong number, no number.
    """
    able = exists().where(
        col(AssociationCapability.association_id) == col(Association.id),
        col(AssociationCapability.capability) == wanted.capability,
    )
    heard = (
        select(func.max(col(CheckInRow.reported_at)))
        .where(col(CheckInRow.association_id) == col(Association.id), col(CheckInRow.realm) == col(Invitation.realm))
        .correlate(Association, Invitation)
        .scalar_subquery()
    )
    undeliverable = col(Invitation.state) == InvitationState.UNDELIVERABLE.value
    columns: list[Any] = [
        col(Invitation.id).label("invitation_id"),
        col(Invitation.realm),
        undeliverable.label("undeliverable"),
        able.label("able"),
        col(Invitation.simulated),
        col(Association.id).label("association_id"),
        col(Association.name),
        col(Association.municipality),
        col(CallRow.attempts),
        col(CallRow.outcome),
        col(CallRow.not_before),
        col(CallRow.claimed_by),
        col(CallRow.claimed_until),
    ]
    statement = (
        select(*columns)
        .select_from(Invitation)
        .join(Association, col(Association.id) == col(Invitation.association_id))
        .outerjoin(CallRow, col(CallRow.invitation_id) == col(Invitation.id))
        .where(
            col(Invitation.round_id) == round_id,
            col(Invitation.checkin_id).is_(None),
            col(Invitation.declined_at).is_(None),
            col(Association.retired).is_(False),
            seen_by(sight),
        )
        .order_by(
            _turn(now),
            case((undeliverable, 0), else_=1),
            case((able, 0), else_=1),
            heard.nulls_first(),
            col(Association.name_key),
            col(Invitation.id),
        )
    )
    return statement.where(col(Association.municipality) == wanted.municipality) if wanted.municipality else statement


def _turn(now: datetime) -> ColumnElement[int]:
    due = or_(col(CallRow.not_before).is_(None), col(CallRow.not_before) <= now)
    return case(
        (col(Invitation.simulated), SIMULATED),
        (~_has_phone(), NO_NUMBER),
        (col(CallRow.outcome) == Outcome.WRONG_NUMBER.value, WRONG),
        (and_(col(CallRow.outcome) == Outcome.CALL_BACK.value, due), PROMISED),
        (due, READY),
        else_=WAITING,
    )


def _has_phone() -> ColumnElement[bool]:
    known = (col(Contact.association_id) == col(Association.id), col(Contact.phone) != "")
    return exists().where(*known, takes_part(col(Invitation.realm)))


async def _contacts(
    session: AsyncSession, association_ids: Sequence[UUID], realm: Realm
) -> defaultdict[UUID, list[Contact]]:
    """Their contacts who take part in this realm, in the order in which they are asked."""
    found: defaultdict[UUID, list[Contact]] = defaultdict(list)
    of_them = select(Contact).where(col(Contact.association_id).in_(association_ids), takes_part(realm))
    for contact in (await session.execute(of_them.order_by(col(Contact.position)))).scalars():
        found[contact.association_id].append(contact)
    return found


def _round_of(row: RoundRow, *counts: int) -> CallRound:
    return CallRound(row.round_id, Realm(row.realm), row.names, row.closes_at, *counts)


def _listed_of(row: Row[Any], contacts: Sequence[Contact], now: datetime) -> Listed:
    claimed = row.claimed_until is not None and row.claimed_until > now
    return Listed(
        invitation_id=row.invitation_id,
        association_id=row.association_id,
        name=row.name,
        municipality=row.municipality,
        undeliverable=bool(row.undeliverable),
        able=bool(row.able),
        simulated=row.simulated,
        attempts=row.attempts or 0,
        outcome=Outcome(row.outcome) if row.outcome else None,
        not_before=row.not_before,
        claimed_by=row.claimed_by if claimed else None,
        contact=next((contact for contact in contacts if contact.phone), None),
    )
