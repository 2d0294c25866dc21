"""Paper store: the rows of a municipality in the order of its list, and the links on its sheets."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, func, select
from sqlmodel import col

from services.intake.audit.model import Act
from services.intake.audit.store import record
from services.intake.calling.store import seen_by
from services.intake.checkin.store import CheckInRow
from services.intake.invitation.store import Invitation, InvitationToken
from services.intake.paper.model import paper_recipient, paper_token
from services.intake.registry.model import name_key
from services.intake.registry.store import Association, Contact
from services.intake.rehearsal.store import takes_part
from shared.audit import Deed
from shared.clock import Clock
from shared.db import Database, insert_into
from shared.events.intake import Channel, OperatingStatus
from shared.identity import Sight
from shared.ids import digest

PAGE = 50


@dataclass(frozen=True)
class PaperRow:
    """One association on its municipality's list. `number` is its place there, counted from 1, for whoever looks. One
    that an exercise simulates gets no sheet, and nothing is typed for it."""

    number: int
    invitation_id: UUID
    name: str
    language: str
    contact: str
    phone: str
    status: OperatingStatus | None
    reported_at: datetime | None
    channel: Channel | None
    simulated: bool = False


@dataclass(frozen=True)
class Place:
    """How it stands in a municipality: how many were asked, have answered, and have a sheet."""

    municipality: str
    asked: int
    answered: int
    sheets: int


class PaperStore:
    """Lists and sheets."""

    def __init__(self, database: Database, *, clock: Clock, secret: str) -> None:
        self._database = database
        self._clock = clock
        self._secret = secret

    async def places(self, round_id: UUID, sight: Sight) -> list[Place]:
        """The municipalities in which somebody was asked who may be seen."""
        statement = (
            select(
                col(Association.municipality),
                func.count(),
                func.count(col(Invitation.checkin_id)),
                func.count(col(InvitationToken.token_hash)),
            )
            .join(Invitation, col(Invitation.association_id) == col(Association.id))
            .outerjoin(
                InvitationToken,
                (col(InvitationToken.invitation_id) == col(Invitation.id)) & (col(InvitationToken.position) == 0),
            )
            .where(col(Invitation.round_id) == round_id, seen_by(sight))
            .group_by(col(Association.municipality))
            .order_by(col(Association.municipality))
        )
        async with self._database.read() as session:
            return [Place(*row) for row in (await session.execute(statement)).all()]

    async def rows(
        self, round_id: UUID, municipality: str, sight: Sight, *, page: int | None = None
    ) -> tuple[Sequence[PaperRow], int]:
        """The rows of one page, or of the whole list, and how many there are in all."""
        listed = _listed(round_id, municipality, sight)
        async with self._database.read() as session:
            count = await session.scalar(select(func.count()).select_from(listed.order_by(None).subquery()))
            if page is not None:
                listed = listed.offset((page - 1) * PAGE).limit(PAGE)
            return [_row_of(row) for row in (await session.execute(listed)).all()], count or 0

    async def page_of(self, round_id: UUID, municipality: str, sight: Sight, *, find: str) -> tuple[int, UUID] | None:
        """The page, and the association there, whose number or first letters these are; None if there is none."""
        rows, _ = await self.rows(round_id, municipality, sight)
        wanted = name_key(find)
        for place, row in enumerate(rows):
            if str(row.number) == wanted or (not wanted.isdecimal() and name_key(row.name).startswith(wanted)):
                return place // PAGE + 1, row.invitation_id
        return None

    async def make_sheets(self, round_id: UUID, municipality: str, sight: Sight, *, person_id: UUID) -> int:
        """Make the links for the sheets of those who have not answered; how many are new. Making them again changes
        nothing: the links are the same."""
        rows, _ = await self.rows(round_id, municipality, sight)
        values = [self._token_values(row.invitation_id) for row in rows if row.status is None and not row.simulated]
        if not values:
            return 0
        now = self._clock.now()
        statement = insert_into(self._database.dialect, InvitationToken).on_conflict_do_nothing()
        async with self._database.write() as session:
            made = await session.execute(statement.returning(col(InvitationToken.recipient_id)), values)
            new = len(made.all())
            if new:
                details: dict[str, str | int] = {"municipality": municipality, "count": new}
                await record(session, Deed(now, Act.SHEETS_MADE, person_id, str(round_id), details))
        return new

    async def with_sheet(self, rows: Sequence[PaperRow]) -> list[tuple[PaperRow, str]]:
        """Those of the rows whose sheet has been made and whose answer is still missing, with the link's token."""
        waiting = {paper_recipient(row.invitation_id): row for row in rows if row.status is None}
        made = select(col(InvitationToken.recipient_id)).where(
            col(InvitationToken.recipient_id).in_(list(waiting)), col(InvitationToken.revoked_at).is_(None)
        )
        async with self._database.read() as session:
            known = set((await session.execute(made)).scalars())
        return [
            (row, paper_token(self._secret, row.invitation_id))
            for recipient, row in waiting.items()
            if recipient in known
        ]

    def _token_values(self, invitation_id: UUID) -> dict[str, Any]:
        return {
            "token_hash": digest(paper_token(self._secret, invitation_id)),
            "invitation_id": invitation_id,
            "contact_id": None,
            "position": 0,
            "recipient_id": paper_recipient(invitation_id),
            "asked_at": self._clock.now(),
            "failure": "",
        }


def _listed(round_id: UUID, municipality: str, sight: Sight) -> Select[Any]:
    """The rows by name. The numbers are the same for everybody, whatever else may not be seen."""
    columns: list[Any] = [
        col(Invitation.id).label("invitation_id"),
        col(Invitation.checkin_id),
        col(Invitation.realm),
        col(Invitation.simulated),
        col(Association.id).label("association_id"),
        func.row_number().over(order_by=(col(Association.name_key), col(Association.id))).label("number"),
    ]
    numbered = (
        select(*columns)
        .join(Association, col(Association.id) == col(Invitation.association_id))
        .where(col(Invitation.round_id) == round_id, col(Association.municipality) == municipality)
        .subquery()
    )
    first = select(func.min(col(Contact.position))).where(
        col(Contact.association_id) == col(Association.id), takes_part(numbered.c.realm)
    )
    shown: list[Any] = [
        numbered.c.number,
        numbered.c.invitation_id,
        numbered.c.simulated,
        col(Association.name),
        col(Association.language),
        col(Contact.name).label("contact"),
        col(Contact.phone),
        col(CheckInRow.status),
        col(CheckInRow.reported_at),
        col(CheckInRow.channel),
    ]
    return (
        select(*shown)
        .select_from(numbered)
        .join(Association, col(Association.id) == numbered.c.association_id)
        .outerjoin(
            Contact,
            (col(Contact.association_id) == col(Association.id))
            & numbered.c.simulated.is_(False)
            & (col(Contact.position) == first.correlate(Association, numbered).scalar_subquery()),
        )
        .outerjoin(CheckInRow, col(CheckInRow.id) == numbered.c.checkin_id)
        .where(seen_by(sight))
        .order_by(numbered.c.number)
    )


def _row_of(row: Row[Any]) -> PaperRow:
    return PaperRow(
        number=row.number,
        invitation_id=row.invitation_id,
        name=row.name,
        language=row.language,
        contact=row.contact or "",
        phone=row.phone or "",
        status=OperatingStatus(row.status) if row.status else None,
        reported_at=row.reported_at,
        channel=Channel(row.channel) if row.channel else None,
        simulated=row.simulated,
    )
