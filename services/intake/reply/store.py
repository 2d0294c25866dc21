"""Reply store: letters that came, the answers that they were, and those that wait for a person. Texts only are kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import ColumnElement, Connection, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from services.intake.audit.model import Act
from services.intake.audit.store import record
from services.intake.checkin.model import Answer, Refused
from services.intake.checkin.store import CheckInRow, put
from services.intake.invitation.store import Invitation, InvitationToken, RoundRow
from services.intake.registry.store import Association, AssociationNetwork
from services.intake.reply.model import Arrived, Interpretation, ReplyState, Standing, Why, said
from services.intake.reply.reply_rows import take_all
from services.intake.reply.schema import ReplyRow
from shared.audit import Deed
from shared.clock import Clock
from shared.db import Database
from shared.events.intake import Channel, OperatingStatus
from shared.identity import Sight, Staff

PAGE = 20


@dataclass(frozen=True)
class Reply:
    """A letter with its association and its round, for a page. `answered_at` is when the association answered last."""

    row: ReplyRow
    association_id: UUID
    association: str
    municipality: str
    names: dict[str, str]
    open: bool
    answered_at: datetime | None


@dataclass(frozen=True)
class Decided:
    """What became of a person's interpretation."""

    done: bool
    refused: Why | None = None


class ReplyStore:
    """Letters that answer ours."""

    def __init__(self, database: Database, *, clock: Clock, public_url: str) -> None:
        self._database = database
        self._clock = clock
        self._public_url = public_url
        self._take = database.group(self._take_all)

    async def known(self, door: bytes) -> bool:
        """True if letters to the address with this key's hash are taken."""
        taken = select(col(InvitationToken.reply_hash)).where(
            col(InvitationToken.reply_hash) == door, col(InvitationToken.revoked_at).is_(None)
        )
        async with self._database.read() as session:
            return (await session.execute(taken)).first() is not None

    async def take(self, arrived: Arrived) -> Standing | None:
        """Keep a letter, with the answer that it is if it is plain, and the letter that tells its writer.

        Returns once all of that is on disk, in one transaction. None if the letter is here already, or its address
        is unknown.
        """
        return await self._take(arrived)

    async def close(self) -> None:
        """Return when all that waits is kept."""
        await self._take.close()

    async def waiting_count(self, sight: Sight) -> int:
        """How many letters wait for a person, of those that this one may see."""
        counted = _joined(select(func.count(col(ReplyRow.id)))).where(*_seen_by(sight), _in_state(ReplyState.WAITING))
        async with self._database.read() as session:
            return int((await session.execute(counted)).scalar_one())

    async def page(self, staff: Staff, state: ReplyState, *, number: int = 1) -> tuple[list[Reply], int]:
        """One page of the letters in this state, and how many there are: those that wait oldest first, others newest.

        `number` counts from 1, PAGE to a page.
        """
        oldest_first = (col(ReplyRow.received_at), col(ReplyRow.id))
        order = oldest_first if state is ReplyState.WAITING else tuple(part.desc() for part in oldest_first)
        wanted = (*_seen_by(staff.sight), _in_state(state))
        async with self._database.read() as session:
            count = await session.scalar(_joined(select(func.count(col(ReplyRow.id)))).where(*wanted))
            shown = _replies().where(*wanted).order_by(*order).offset((number - 1) * PAGE).limit(PAGE)
            return [self._reply(found) for found in await session.execute(shown)], count or 0

    async def get(self, staff: Staff, reply_id: UUID) -> Reply | None:
        """One letter; None if there is none that this person may see."""
        async with self._database.read() as session:
            found = await session.execute(_replies().where(col(ReplyRow.id) == reply_id, *_seen_by(staff.sight)))
            return next((self._reply(one) for one in found), None)

    async def next_waiting(self, staff: Staff) -> UUID | None:
        """The oldest letter that waits."""
        replies, _ = await self.page(staff, ReplyState.WAITING)
        return replies[0].row.id if replies else None

    async def decide(self, reply: Reply, made: Interpretation) -> Decided:
        """Record what a person made of a waiting letter, the answer and the audit with it.

        Not done if somebody else was quicker, or refused with the reason why no answer is taken any more.
        """
        now = self._clock.now()
        try:
            async with self._database.write() as session:
                if not await _claimed(session, reply.row.id, made, now):
                    return Decided(done=False)
                if made.status is not None:
                    await _answer(session, reply, made, status=made.status)
                await record(session, _deed(reply.row.id, made, now))
        except _NotTakenError as error:
            return Decided(done=False, refused=error.why)
        return Decided(done=True)

    def _reply(self, found: Any) -> Reply:
        row, association_id, name, municipality, names, closes_at, closed_at, answered_at = found
        still_open = closed_at is None and row.received_at < closes_at
        return Reply(row, association_id, name, municipality, names, still_open, answered_at)

    def _take_all(self, connection: Connection, arrivals: Sequence[Arrived]) -> Sequence[Standing | None]:
        return take_all(connection, arrivals, now=self._clock.now(), public_url=self._public_url)


class _NotTakenError(Exception):
    """The answer is not taken: undo all of it."""

    def __init__(self, why: Why) -> None:
        super().__init__(why)
        self.why = why


def _joined(statement: Any) -> Any:
    """A query over letters with their association and round, and the association's present answer."""
    return (
        statement.select_from(ReplyRow)
        .join(Invitation, col(Invitation.id) == col(ReplyRow.invitation_id))
        .join(RoundRow, col(RoundRow.round_id) == col(Invitation.round_id))
        .join(Association, col(Association.id) == col(Invitation.association_id))
        .outerjoin(CheckInRow, col(CheckInRow.id) == col(Invitation.checkin_id))
    )


def _replies() -> Any:
    round_ = (col(RoundRow.names), col(RoundRow.closes_at), col(RoundRow.closed_at))
    association = (col(Association.id), col(Association.name), col(Association.municipality))
    return _joined(select(ReplyRow, *association, *round_, col(CheckInRow.reported_at)))


def _in_state(state: ReplyState) -> ColumnElement[bool]:
    return col(ReplyRow.state) == state.value


def _seen_by(sight: Sight) -> list[ColumnElement[bool]]:
    """What a limited person may see: one of her municipalities or networks is enough."""
    if not sight.limited:
        return []
    members = select(col(AssociationNetwork.association_id)).where(
        col(AssociationNetwork.network).in_(sorted(sight.networks))
    )
    return [or_(col(Association.municipality).in_(sorted(sight.municipalities)), col(Association.id).in_(members))]


async def _claimed(session: AsyncSession, reply_id: UUID, made: Interpretation, now: datetime) -> bool:
    """Take a waiting letter; False if somebody else has it."""
    state = ReplyState.INTERPRETED if made.status else ReplyState.SET_ASIDE
    values = {"state": state.value, "status": made.status, "decided_at": now, "decided_by": made.by}
    if made.aside:
        values["why"] = made.aside.value
    claim = update(ReplyRow).where(col(ReplyRow.id) == reply_id, _in_state(ReplyState.WAITING)).values(values)
    taken = await session.execute(claim.returning(col(ReplyRow.id)))
    return taken.first() is not None


async def _answer(session: AsyncSession, reply: Reply, made: Interpretation, *, status: OperatingStatus) -> None:
    """Put the answer that a person read from the letter; as of when it came.

    Raises _NotTakenError if it is refused, or if a newer one is there.
    """
    answer = Answer(
        door=reply.row.invitation_id,
        form_id=uuid5(reply.row.id, "reply"),
        said=said(status, reply.row.words),
        at=reply.row.received_at,
        channel=Channel.EMAIL,
        contact_id=reply.row.contact_id,
        entered_by=made.by,
        brief=True,
    )
    present = select(col(CheckInRow.reported_at)).join(Invitation, col(Invitation.checkin_id) == col(CheckInRow.id))
    answered_at = await session.scalar(present.where(col(Invitation.id) == reply.row.invitation_id))
    if answered_at is not None and answered_at > reply.row.received_at:
        raise _NotTakenError(Why.OVERTAKEN)
    connection = await session.connection()
    [outcome] = await connection.run_sync(put, [answer])
    if isinstance(outcome, Refused):
        raise _NotTakenError(Why.CLOSED)
    noted = update(ReplyRow).where(col(ReplyRow.id) == reply.row.id).values(checkin_id=outcome.checkin.checkin_id)
    await session.execute(noted)


def _deed(reply_id: UUID, made: Interpretation, now: datetime) -> Deed:
    if made.status is not None:
        return Deed(now, Act.REPLY_INTERPRETED, made.by, str(reply_id), {"status": made.status.value})
    return Deed(now, Act.REPLY_SET_ASIDE, made.by, str(reply_id), {"reason": str(made.aside)})
