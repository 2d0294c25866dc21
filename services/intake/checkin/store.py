"""Check-in store: answers as they were received, many in one transaction."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Connection, Executable, Row, Select, bindparam, null, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, col

from services.intake.audit.model import Act
from services.intake.audit.store import record_all
from services.intake.checkin.model import (
    Accepted,
    Answer,
    CheckIn,
    Invited,
    Refused,
    Repeated,
    Said,
    accept,
    decline,
    plan_after,
    rehearsed,
)
from services.intake.invitation.model import AskedRound
from services.intake.invitation.store import Invitation, InvitationToken, RoundRow
from services.intake.registry.model import Plan
from services.intake.registry.store import Association, Contact, tell_all
from services.intake.schema import IntakeTable
from shared.audit import Deed
from shared.db import Database, UtcDateTime
from shared.events.intake import Amount, Channel, OperatingStatus
from shared.ids import digest
from shared.outbox import announce, announce_all
from shared.realm import Realm
from shared.rows import RowWriter

PACE = 0.03
"""Seconds by which each of a crowd that answers waits longer for the thank-you: one commit for six of them costs what
one for two of them costs, and leaves the processor to all that follows from an answer."""


class CheckInRow(IntakeTable, table=True):
    """One answer of an association. Never changed: a later answer is another row."""

    __tablename__ = "checkin"

    id: UUID = Field(primary_key=True)
    realm: str
    association_id: UUID = Field(index=True)
    situation_id: UUID
    round_id: UUID = Field(index=True)
    form_id: UUID
    status: str
    until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    note: str
    offers: list[dict[str, Any]] = Field(sa_type=JSON)
    needs: list[dict[str, Any]] = Field(sa_type=JSON)
    plan: bool | None = None
    reported_at: datetime = Field(sa_type=UtcDateTime)
    channel: str
    contact_id: UUID | None = None
    entered_by: UUID | None = None


class CheckInStore:
    """The door by which answers come in."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._group = database.group(put, pace=PACE)

    async def invited(self, token: str) -> Invited | None:
        """Where this link leads; None if it is unknown."""
        async with self._database.read() as session:
            return await _invited(session, digest(token))

    async def of_invitation(self, invitation_id: UUID) -> Invited | None:
        """The association asked under this id, for whoever brings its answer; None if nobody was."""
        async with self._database.read() as session:
            return await _invited(session, invitation_id)

    async def put(self, answer: Answer) -> Accepted | Repeated | Refused:
        """Record an answer; returns once it is on disk together with the event that tells of it."""
        return await self._group(answer)

    async def decline(self, token: str, now: datetime) -> Invited | None:
        """Note "not this time": the association is reminded no more in this round, until it answers. Where the link
        leads, as it was found; None if it is unknown. An answer that was given stands, and saying it twice is once."""
        async with self._database.write() as session:
            invited = await _invited(session, digest(token))
            told = decline(invited, now) if invited else None
            if invited and told and await _claim_declining(session, invited.invitation_id, now):
                await announce(session, [told])
            return invited

    async def close(self) -> None:
        """Return when all that waits is recorded."""
        await self._group.close()


def put(connection: Connection, answers: Sequence[Answer]) -> Sequence[Accepted | Repeated | Refused]:
    """Record all answers in the connection's transaction; the outcome of each, in order."""
    found = _found(connection, {answer.door for answer in answers})
    present = {invited.invitation_id: invited.present for invited in found.values()}
    decisions: list[Accepted | Repeated | Refused] = []
    for answer in answers:
        invited = found.get(answer.door)
        if invited is not None and invited.present is not present[invited.invitation_id]:
            invited = replace(invited, present=present[invited.invitation_id])  # by an answer of this same group
        decision = accept(answer, invited)
        if isinstance(decision, Accepted):
            present[decision.invited.invitation_id] = decision.checkin
        decisions.append(decision)
    _save(connection, [decision for decision in decisions if isinstance(decision, Accepted)])
    return decisions


def _found(connection: Connection, doors: set[bytes | UUID]) -> dict[bytes | UUID, Invited]:
    """Where these doors lead. Rounds are read apart: all answers of a group are mostly to the same one."""
    hashes = [door for door in doors if isinstance(door, bytes)]
    ids = [door for door in doors if isinstance(door, UUID)]
    rows: dict[bytes | UUID, Row[Any]] = {}
    if hashes:
        rows |= {row.token_hash: row for row in connection.execute(_BY_TOKEN, {"hashes": hashes}).all()}
    if ids:
        rows |= {row.invitation_id: row for row in connection.execute(_BY_INVITATION, {"ids": ids}).all()}
    rounds = _rounds(connection, {row.round_id for row in rows.values()})
    return {door: _invited_of(row, rounds[row.round_id]) for door, row in rows.items()}


def _rounds(connection: Connection, ids: set[UUID]) -> dict[UUID, AskedRound]:
    if not ids:
        return {}
    rows = connection.execute(_ROUNDS, {"ids": sorted(ids)}).all()
    return {
        row.round_id: AskedRound(row.round_id, row.situation_id, Realm(row.realm), {}, row.closes_at, row.closed_at)
        for row in rows
    }


def _save(connection: Connection, accepted: Sequence[Accepted]) -> None:
    if not accepted:
        return
    _RECORD(connection, [_row_values(decision) for decision in accepted])
    latest = {decision.invited.invitation_id: decision.checkin.checkin_id for decision in accepted}
    connection.execute(_POINT_TO, [{"invitation": key, "checkin": latest[key]} for key in sorted(latest)])
    told = [decision.event for decision in accepted]
    announce_all(connection, [*told, *rehearsed(told)])
    _note_plans(connection, accepted)
    record_all(connection, [entered for decision in accepted if (entered := _entered(decision))])


def _note_plans(connection: Connection, accepted: Sequence[Accepted]) -> None:
    """Bring what was said of preparedness plans into the register, and tell where it changed. An exercise leaves the
    register alone: there is one, and it is the live one."""
    said: defaultdict[UUID, list[bool]] = defaultdict(list)
    for decision in accepted:
        if decision.checkin.said.plan is not None and decision.invited.asked.realm.live:
            said[decision.invited.association_id].append(decision.checkin.said.plan)
    if not said:
        return
    changed: dict[UUID, Plan] = {}
    for association_id, known in connection.execute(_PLANS_TO_CHANGE, {"ids": sorted(said)}).all():
        plan = Plan(known)
        for has_one in said[association_id]:
            plan = plan_after(plan, has_one=has_one)
        if plan.value != known:
            changed[association_id] = plan
    if changed:
        connection.execute(_CHANGE_PLAN, [{"association": key, "known": plan.value} for key, plan in changed.items()])
        tell_all(connection, changed, accepted[-1].checkin.reported_at)


def _entered(decision: Accepted) -> Deed | None:
    """The deed of whoever of the staff brought the answer; what it says stands in its own row."""
    checkin = decision.checkin
    if checkin.entered_by is None:
        return None
    details: dict[str, str | int] = {
        "channel": checkin.channel.value,
        "association": str(decision.invited.association_id),
        "round": str(decision.invited.asked.round_id),
    }
    return Deed(checkin.reported_at, Act.ANSWER_ENTERED, checkin.entered_by, str(checkin.checkin_id), details)


def _row_values(decision: Accepted) -> dict[str, Any]:
    said = decision.checkin.said
    return {
        "id": decision.checkin.checkin_id,
        "realm": decision.invited.asked.realm.id,
        "association_id": decision.invited.association_id,
        "situation_id": decision.invited.asked.situation_id,
        "round_id": decision.invited.asked.round_id,
        "form_id": decision.checkin.form_id,
        "status": said.status.value,
        "until": said.until,
        "note": said.note,
        "offers": [amount.model_dump() for amount in said.offers],
        "needs": [amount.model_dump() for amount in said.needs],
        "plan": said.plan,
        "reported_at": decision.checkin.reported_at,
        "channel": decision.checkin.channel.value,
        "contact_id": decision.checkin.contact_id,
        "entered_by": decision.checkin.entered_by,
    }


RECORDED: tuple[Any, ...] = (
    col(CheckInRow.id).label("checkin_id"),
    col(CheckInRow.form_id),
    col(CheckInRow.status),
    col(CheckInRow.until),
    col(CheckInRow.note),
    col(CheckInRow.offers),
    col(CheckInRow.needs),
    col(CheckInRow.plan),
    col(CheckInRow.reported_at),
    col(CheckInRow.channel),
    col(CheckInRow.contact_id).label("answered_by"),
    col(CheckInRow.entered_by),
)
"""The columns of which `checkin_of` makes an answer."""


def _invitations(*columns: Any) -> Select[Any]:
    """Invitations with their association and present answer, and these columns."""
    return (
        select(
            *columns,
            col(Invitation.id).label("invitation_id"),
            col(Invitation.declined_at),
            col(Invitation.round_id),
            col(Association.id).label("association_id"),
            col(Association.name),
            *RECORDED,
        )
        .select_from(Invitation)
        .join(Association, col(Association.id) == col(Invitation.association_id))
        .outerjoin(CheckInRow, col(CheckInRow.id) == col(Invitation.checkin_id))
    )


def _by_token() -> Executable:
    own = (col(InvitationToken.token_hash), col(InvitationToken.revoked_at), col(InvitationToken.contact_id))
    return (
        _invitations(*own, col(Contact.language))
        .join(InvitationToken, col(InvitationToken.invitation_id) == col(Invitation.id))
        .outerjoin(Contact, col(Contact.id) == col(InvitationToken.contact_id))
        .where(col(InvitationToken.token_hash).in_(bindparam("hashes", expanding=True)))
    )


def _by_invitation() -> Executable:
    """By its id, for whoever brings an answer: no link is asked for, so none can be revoked."""
    nobody = (null().label("revoked_at"), null().label("contact_id"))
    return _invitations(*nobody, col(Association.language)).where(
        col(Invitation.id).in_(bindparam("ids", expanding=True))
    )


_RECORD = RowWriter(CheckInRow, rest=lambda statement: statement.on_conflict_do_nothing())
_BY_TOKEN = _by_token()
_BY_INVITATION = _by_invitation()
_ROUNDS = select(
    col(RoundRow.round_id),
    col(RoundRow.situation_id),
    col(RoundRow.realm),
    col(RoundRow.closes_at),
    col(RoundRow.closed_at),
).where(col(RoundRow.round_id).in_(bindparam("ids", expanding=True)))
_POINT_TO = (
    update(Invitation)
    .where(col(Invitation.id) == bindparam("invitation"))
    .values(checkin_id=bindparam("checkin"), declined_at=None)
)
_PLANS_TO_CHANGE = (
    select(col(Association.id), col(Association.plan))
    .where(col(Association.id).in_(bindparam("ids", expanding=True)))
    .order_by(col(Association.id))
    .with_for_update()
)
_CHANGE_PLAN = (
    update(Association)
    .where(col(Association.id) == bindparam("association"))
    .values(plan=bindparam("known"), version=col(Association.version) + 1)
)


async def _invited(session: AsyncSession, door: bytes | UUID) -> Invited | None:
    connection = await session.connection()
    return (await connection.run_sync(_found, {door})).get(door)


async def _claim_declining(session: AsyncSession, invitation_id: UUID, now: datetime) -> bool:
    """True if it is noted by this very call: an answer, or another press of the button, may have come first."""
    statement = (
        update(Invitation)
        .where(
            col(Invitation.id) == invitation_id,
            col(Invitation.checkin_id).is_(None),
            col(Invitation.declined_at).is_(None),
        )
        .values(declined_at=now)
        .returning(col(Invitation.id))
    )
    return (await session.execute(statement)).first() is not None


def _invited_of(row: Row[Any], asked: AskedRound) -> Invited:
    return Invited(
        invitation_id=row.invitation_id,
        asked=asked,
        association_id=row.association_id,
        association_name=row.name,
        language=row.language or "fi",
        revoked=row.revoked_at is not None,
        contact_id=row.contact_id,
        present=checkin_of(row) if row.checkin_id else None,
        declined=row.declined_at is not None,
    )


def checkin_of(row: Row[Any]) -> CheckIn:
    """The answer in a row that has the columns `RECORDED`."""
    return CheckIn(
        checkin_id=row.checkin_id,
        form_id=row.form_id,
        said=Said(
            status=OperatingStatus(row.status),
            until=row.until,
            note=row.note,
            offers=tuple(Amount(**amount) for amount in row.offers),
            needs=tuple(Amount(**amount) for amount in row.needs),
            plan=row.plan,
        ),
        reported_at=row.reported_at,
        channel=Channel(row.channel),
        contact_id=row.answered_by,
        entered_by=row.entered_by,
    )
