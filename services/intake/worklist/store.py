"""Work list store: addresses that failed, and associations that nobody can reach."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlmodel import col

from services.intake.calling.model import Outcome
from services.intake.calling.store import CallRow, seen_by
from services.intake.invitation.store import Invitation, InvitationToken
from services.intake.registry.model import ContactState
from services.intake.registry.store import Association, Contact
from shared.clock import Clock
from shared.db import Database
from shared.identity import Sight
from shared.realm import LIVE

SHOWN = 50


@dataclass(frozen=True)
class FailedAddress:
    """A contact whose last letter did not arrive: when, and what the mail server said, as far as it is known."""

    association_id: UUID
    association: str
    municipality: str
    contact: str
    email: str
    failed_at: datetime | None
    failure: str


@dataclass(frozen=True)
class Unreachable:
    """An association without any address that works and without a telephone number."""

    association_id: UUID
    name: str
    municipality: str


class WorkListStore:
    """Reads what waits; it owns no table."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def failed(self, sight: Sight, *, page: int = 1) -> tuple[Sequence[FailedAddress], int]:
        """One page of the failed addresses, the latest first, and how many there are."""
        found = _failed(sight)
        async with self._database.read() as session:
            count = await session.scalar(select(func.count()).select_from(found.order_by(None).subquery()))
            rows = await session.execute(found.offset((page - 1) * SHOWN).limit(SHOWN))
            return [FailedAddress(*row) for row in rows.all()], count or 0

    async def unreachable(self, sight: Sight, *, page: int = 1) -> tuple[Sequence[Unreachable], int]:
        """One page, by name, of the associations that can neither be written to nor called, and how many there are."""
        found = _unreachable(sight)
        async with self._database.read() as session:
            count = await session.scalar(select(func.count()).select_from(found.order_by(None).subquery()))
            rows = await session.execute(found.offset((page - 1) * SHOWN).limit(SHOWN))
            return [Unreachable(*row) for row in rows.all()], count or 0

    async def failed_count(self, sight: Sight) -> int:
        """How many addresses failed."""
        return (await self.failed(sight))[1]

    async def unreachable_count(self, sight: Sight) -> int:
        """How many associations nobody can reach."""
        return (await self.unreachable(sight))[1]

    async def wrong_numbers(self, sight: Sight) -> int:
        """How many associations that have not answered were called under a wrong number."""
        statement = (
            select(func.count(func.distinct(col(Association.id))))
            .join(Invitation, col(Invitation.association_id) == col(Association.id))
            .join(CallRow, col(CallRow.invitation_id) == col(Invitation.id))
            .where(
                col(CallRow.outcome) == Outcome.WRONG_NUMBER.value,
                col(Invitation.checkin_id).is_(None),
                _in_register(sight),
            )
        )
        async with self._database.read() as session:
            return await session.scalar(statement) or 0


def _failed(sight: Sight) -> Select[Any]:
    latest = (
        select(func.max(col(InvitationToken.failed_at)))
        .where(col(InvitationToken.contact_id) == col(Contact.id))
        .correlate(Contact)
        .scalar_subquery()
    )
    columns: list[Any] = [
        col(Association.id),
        col(Association.name),
        col(Association.municipality),
        col(Contact.name),
        col(Contact.email),
        func.max(col(InvitationToken.failed_at)).label("at"),
        func.coalesce(func.max(col(InvitationToken.failure)), ""),
    ]
    of_it = and_(col(InvitationToken.contact_id) == col(Contact.id), col(InvitationToken.failed_at) == latest)
    return (
        select(*columns)
        .select_from(Contact)
        .join(Association, col(Association.id) == col(Contact.association_id))
        .outerjoin(InvitationToken, of_it)
        .where(col(Contact.state) == ContactState.FAILED.value, col(Contact.email).is_not(None), _in_register(sight))
        .group_by(
            col(Association.id),
            col(Association.name),
            col(Association.municipality),
            col(Association.name_key),
            col(Contact.id),
            col(Contact.name),
            col(Contact.email),
        )
        .order_by(func.max(col(InvitationToken.failed_at)).desc().nulls_last(), col(Association.name_key))
    )


def _unreachable(sight: Sight) -> Select[Any]:
    works = and_(col(Contact.email).is_not(None), col(Contact.state) != ContactState.FAILED.value)
    reachable = exists().where(col(Contact.association_id) == col(Association.id), or_(works, col(Contact.phone) != ""))
    columns: list[Any] = [col(Association.id), col(Association.name), col(Association.municipality)]
    return select(*columns).where(~reachable, _in_register(sight)).order_by(col(Association.name_key))


def _in_register(sight: Sight) -> ColumnElement[bool]:
    return and_(col(Association.realm) == LIVE.id, col(Association.retired).is_(False), seen_by(sight))
