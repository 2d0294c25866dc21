"""History store: reads the answers of an association, newest first. It owns no table and changes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, select
from sqlmodel import col

from services.intake.access.store import Person
from services.intake.checkin.store import RECORDED, CheckInRow, checkin_of
from services.intake.history.model import Past, contradicting
from services.intake.invitation.store import RoundRow
from services.intake.partner.store import ApiKey
from services.intake.registry.model import Plan
from services.intake.registry.store import Association, AssociationNetwork, Contact
from shared.db import Database
from shared.realm import Realm

PAGE = 20
OF_ROUND = 20
"""So many of one round are shown to a contact, the newest."""


@dataclass(frozen=True)
class Owner:
    """Whose answers they are, where it belongs and what the register knows of its plan. `realms` are those in which it
    has answered."""

    association_id: UUID
    name: str
    municipality: str
    networks: tuple[str, ...]
    plan: Plan
    realms: tuple[Realm, ...]


@dataclass(frozen=True)
class History:
    """Some answers, newest first, how many there are in all, and which of these contradict each other."""

    answers: Sequence[Past]
    count: int
    contradicting: frozenset[UUID]


class HistoryStore:
    """What was answered, and by whom."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def owner(self, association_id: UUID) -> Owner | None:
        """The association; None if there is none."""
        networks = select(col(AssociationNetwork.network)).where(
            col(AssociationNetwork.association_id) == association_id
        )
        realms = select(col(CheckInRow.realm)).where(col(CheckInRow.association_id) == association_id).distinct()
        async with self._database.read() as session:
            found = await session.get(Association, association_id)
            if found is None:
                return None
            return Owner(
                association_id=found.id,
                name=found.name,
                municipality=found.municipality,
                networks=tuple((await session.execute(networks)).scalars()),
                plan=Plan(found.plan),
                realms=tuple(Realm(name) for name in sorted((await session.execute(realms)).scalars())),
            )

    async def of_association(self, association_id: UUID, *, realm: Realm, page: int = 1) -> History:
        """One page of all its answers in a realm; `page` counts from 1, PAGE to a page."""
        mine = (col(CheckInRow.association_id) == association_id, col(CheckInRow.realm) == realm.id)
        return await self._read(mine, start=(page - 1) * PAGE, size=PAGE)

    async def of_round(self, association_id: UUID, round_id: UUID, *, realm: Realm) -> History:
        """Its newest answers in one round."""
        mine = (col(CheckInRow.association_id) == association_id, col(CheckInRow.realm) == realm.id)
        return await self._read((*mine, col(CheckInRow.round_id) == round_id), start=0, size=OF_ROUND)

    async def _read(self, which: tuple[ColumnElement[bool], ...], *, start: int, size: int) -> History:
        """With one more at either end, so that what contradicts across pages shows on both."""
        before = min(start, 1)
        async with self._database.read() as session:
            count = await session.scalar(select(func.count()).select_from(CheckInRow).where(*which))
            rows = await session.execute(_ANSWERS.where(*which).offset(start - before).limit(before + size + 1))
            around = [
                Past(checkin_of(row), row.round_id, row.names or {}, row.contact or "", row.clerk or "") for row in rows
            ]
        return History(around[before : before + size], count or 0, contradicting(around))


_ANSWERS: Select[Any] = (
    select(
        *RECORDED,
        col(CheckInRow.round_id),
        col(RoundRow.names),
        col(Contact.name).label("contact"),
        func.coalesce(col(Person.name), col(ApiKey.name)).label("clerk"),
    )
    .select_from(CheckInRow)
    .outerjoin(RoundRow, col(RoundRow.round_id) == col(CheckInRow.round_id))
    .outerjoin(Contact, col(Contact.id) == col(CheckInRow.contact_id))
    .outerjoin(Person, col(Person.id) == col(CheckInRow.entered_by))
    .outerjoin(ApiKey, col(ApiKey.id) == col(CheckInRow.entered_by))
    .order_by(col(CheckInRow.reported_at).desc(), col(CheckInRow.id).desc())
)
