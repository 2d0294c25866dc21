"""Registry store: associations with their networks and capabilities, and their contacts."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Connection, Index, Select, UniqueConstraint, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped
from sqlmodel import Field, col

from services.intake.registry.model import Plan, name_key
from services.intake.schema import IntakeTable
from shared.clock import Clock
from shared.db import Database, UtcDateTime
from shared.events.intake import AssociationChanged
from shared.outbox import announce_all
from shared.realm import LIVE, Realm

PAGE = 50


class Association(IntakeTable, table=True):
    """An association of the register. `version` grows with every change that others are told of."""

    __tablename__ = "association"
    __table_args__ = (
        UniqueConstraint("realm", "register_number"),
        Index("association_name", "realm", "name_key"),
        Index("association_place", "realm", "municipality", "sector"),
    )

    id: UUID = Field(primary_key=True)
    realm: str
    register_number: str
    name: str
    name_key: str
    municipality: str
    sector: str
    language: str
    retired: bool = False
    merged_into: UUID | None = None
    plan: str = Plan.UNKNOWN.value
    plan_year: int | None = None
    version: int


class Network(IntakeTable, table=True):
    """A group of associations; `names` by locale, `parent` the code of the network of which it is a part."""

    __tablename__ = "network"

    code: str = Field(primary_key=True)
    names: dict[str, str] = Field(sa_type=JSON)
    parent: str | None = None
    retired: bool = False


class AssociationNetwork(IntakeTable, table=True):
    """An association belongs to a network."""

    __tablename__ = "association_network"

    association_id: UUID = Field(primary_key=True)
    network: str = Field(primary_key=True, index=True)


class AssociationCapability(IntakeTable, table=True):
    """What an association can do for others, as the register knows it; `amount` None where nobody counted."""

    __tablename__ = "association_capability"

    association_id: UUID = Field(primary_key=True)
    capability: str = Field(primary_key=True, index=True)
    amount: int | None = None
    note: str = ""


class Contact(IntakeTable, table=True):
    """A person who answers for an association; `position` 1 is asked first."""

    __tablename__ = "contact"
    __table_args__ = (UniqueConstraint("association_id", "position"),)

    id: UUID = Field(primary_key=True)
    association_id: UUID
    position: int
    name: str
    email: str | None = None
    phone: str
    best_time: str = ""
    language: str
    confirmed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    state: str


@dataclass(frozen=True)
class Wanted:
    """Which associations are looked for; `within` are the municipalities that may be seen, empty means all."""

    text: str = ""
    municipality: str = ""
    sector: str = ""
    within: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Found:
    """One page of what was looked for, and how many there are in all."""

    associations: Sequence[Association]
    count: int


class RegistryStore:
    """The register of associations."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def find(self, wanted: Wanted, *, page: int = 1) -> Found:
        """One page of the associations looked for, by name; `page` counts from 1, PAGE to a page."""
        async with self._database.read() as session:
            count = await session.scalar(_matching(select(func.count()).select_from(Association), wanted))
            ordered = _matching(select(Association), wanted).order_by(col(Association.name_key), col(Association.id))
            rows = await session.execute(ordered.offset((page - 1) * PAGE).limit(PAGE))
            return Found(list(rows.scalars()), count or 0)

    async def get(self, association_id: UUID) -> tuple[Association, Sequence[Contact]] | None:
        """The association and its contacts in the order in which they are asked; None if there is none."""
        of_it = select(Contact).where(col(Contact.association_id) == association_id).order_by(col(Contact.position))
        async with self._database.read() as session:
            association = await session.get(Association, association_id)
            contacts = list((await session.execute(of_it)).scalars())
        return (association, contacts) if association else None


def _matching(statement: Select[Any], wanted: Wanted) -> Select[Any]:
    statement = statement.where(col(Association.realm) == LIVE.id)
    if wanted.text:
        statement = statement.where(col(Association.name_key).contains(name_key(wanted.text), autoescape=True))
    if wanted.municipality:
        statement = statement.where(col(Association.municipality) == wanted.municipality)
    if wanted.sector:
        statement = statement.where(col(Association.sector) == wanted.sector)
    if wanted.within:
        statement = statement.where(col(Association.municipality).in_(sorted(wanted.within)))
    return statement


async def tell(session: AsyncSession, association_ids: Iterable[UUID], now: datetime) -> None:
    """Announce these associations as they now stand, at most a few hundred; their `version` has been raised."""
    await session.flush()
    connection = await session.connection()
    await connection.run_sync(tell_all, sorted(association_ids), now)


def tell_all(connection: Connection, association_ids: Iterable[UUID], now: datetime) -> None:
    """The same, inside a synchronous group commit."""
    ids = sorted(association_ids)
    member, able = AssociationNetwork, AssociationCapability
    networks = _codes(connection, ids, owner=col(member.association_id), code=col(member.network))
    capabilities = _codes(connection, ids, owner=col(able.association_id), code=col(able.capability))
    rows = connection.execute(select(Association).where(col(Association.id).in_(ids)).order_by(col(Association.id)))
    announce_all(
        connection,
        [
            AssociationChanged(
                happened_at=now,
                realm=Realm(row.realm),
                association_id=row.id,
                version=row.version,
                name=row.name,
                municipality=row.municipality,
                sector=row.sector,
                networks=tuple(networks[row.id]),
                capabilities=tuple(capabilities[row.id]),
                plan=row.plan,
                plan_year=row.plan_year,
                retired=row.retired,
                merged_into=row.merged_into,
            )
            for row in rows
        ],
    )


def _codes(
    connection: Connection, ids: Sequence[UUID], *, owner: Mapped[UUID], code: Mapped[str]
) -> dict[UUID, list[str]]:
    """The codes of each association, in order."""
    found: defaultdict[UUID, list[str]] = defaultdict(list)
    pairs = select(owner, code).where(owner.in_(ids)).order_by(owner, code)
    for association_id, value in connection.execute(pairs):
        found[association_id].append(value)
    return found
