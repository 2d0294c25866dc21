"""Registry store: associations with their networks and capabilities, and their contacts."""

from collections import defaultdict
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    ColumnElement,
    Connection,
    Index,
    UniqueConstraint,
    and_,
    false,
    func,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped
from sqlmodel import Field, col

from services.intake.registry.model import Ability, Card, ContactState, Plan, Wanted, name_key, register_key
from services.intake.schema import IntakeTable
from shared.clock import Clock
from shared.db import Database, UtcDateTime
from shared.events.intake import AssociationChanged
from shared.identity import Sight, Staff
from shared.ids import new_id
from shared.outbox import announce_all
from shared.realm import LIVE, Realm
from shared.region import SUB_REGIONS

PAGE = 50


class Association(IntakeTable, table=True):
    """An association of the register. `version` grows with every change that others are told of."""

    __tablename__ = "association"
    __table_args__ = (
        UniqueConstraint("realm", "register_number"),
        Index("association_name", "realm", "name_key"),
        Index("association_place", "realm", "municipality", "sector"),
        Index("association_merged", "merged_into"),
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


class Proposal(IntakeTable, table=True):
    """What a contact asks for and a clerk decides; `address` is the new one, None for a contact who leaves."""

    __tablename__ = "proposal"
    __table_args__ = (Index("proposal_open", "decided_at", "id"),)

    id: UUID = Field(primary_key=True)
    association_id: UUID = Field(index=True)
    contact_id: UUID
    kind: str
    address: str | None = None
    proposed_at: datetime = Field(sa_type=UtcDateTime)
    decided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    accepted: bool | None = None


@dataclass(frozen=True)
class Found:
    """One page of what was looked for, and how many there are in all."""

    associations: Sequence[Association]
    count: int


@dataclass(frozen=True)
class Record:
    """All that the register holds of one association; the contacts in the order in which they are asked."""

    association: Association
    contacts: Sequence[Contact]
    networks: Sequence[str]
    abilities: Sequence[Ability]
    proposals: Sequence[Proposal] = ()
    merged: Sequence[Association] = ()


@dataclass(frozen=True)
class Proposed:
    """An open proposal with the association that it is about."""

    proposal: Proposal
    association_name: str
    municipality: str


class RegistryStore:
    """The register of associations."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def find(self, wanted: Wanted, *, page: int = 1) -> Found:
        """One page of the associations looked for, by name; `page` counts from 1, PAGE to a page."""
        which = matching(wanted)
        rows = (
            select(Association)
            .where(which)
            .order_by(col(Association.name_key), col(Association.id))
            .offset((page - 1) * PAGE)
            .limit(PAGE)
        )
        async with self._database.read() as session:
            count = await session.scalar(select(func.count()).select_from(Association).where(which))
            return Found(list((await session.execute(rows)).scalars()), count or 0)

    async def get(self, association_id: UUID) -> tuple[Association, Sequence[Contact]] | None:
        """The association and its contacts in the order in which they are asked; None if there is none."""
        async with self._database.read() as session:
            association = await session.get(Association, association_id)
            contacts = await contacts_of(session, association_id)
        return (association, contacts) if association else None

    async def record(self, association_id: UUID, *, staff: Staff) -> Record | None:
        """All that is known of the association; None if there is none, or none that this person may see."""
        async with self._database.read() as session:
            found = await record_of(session, association_id)
        return found if found and staff.sees(found.association.municipality, found.networks) else None

    async def networks(self) -> Sequence[Network]:
        """All networks, retired ones too, by code."""
        async with self._database.read() as session:
            return list((await session.execute(select(Network).order_by(col(Network.code)))).scalars())

    async def proposals(self, *, staff: Staff | Sight, page: int = 1) -> tuple[Sequence[Proposed], int]:
        """One page of the proposals that wait for a clerk, oldest first, PAGE to a page; and how many wait in all."""
        rows = (
            select(Proposal, col(Association.name), col(Association.municipality))
            .join(Association, col(Association.id) == col(Proposal.association_id))
            .where(col(Proposal.decided_at).is_(None), in_sight(staff.municipalities, staff.networks))
            .order_by(col(Proposal.id))
        )
        async with self._database.read() as session:
            found = [Proposed(*row) for row in await session.execute(rows.offset((page - 1) * PAGE).limit(PAGE))]
        return found, await self.proposed(staff)

    async def proposed(self, sight: Staff | Sight) -> int:
        """How many proposals wait for a clerk, of those that may be seen."""
        waiting = (
            select(func.count())
            .select_from(Proposal)
            .join(Association, col(Association.id) == col(Proposal.association_id))
            .where(col(Proposal.decided_at).is_(None), in_sight(sight.municipalities, sight.networks))
        )
        async with self._database.read() as session:
            return int((await session.execute(waiting)).scalar_one())


def in_sight(municipalities: Set[str], networks: Set[str]) -> ColumnElement[bool]:
    """The condition for associations that may be seen: in one of these places or networks; none named: all."""
    if not municipalities and not networks:
        return true()
    member = select(col(AssociationNetwork.association_id)).where(col(AssociationNetwork.network).in_(sorted(networks)))
    return or_(
        col(Association.municipality).in_(sorted(municipalities)) if municipalities else false(),
        col(Association.id).in_(member) if networks else false(),
    )


def matching(wanted: Wanted) -> ColumnElement[bool]:
    """The condition for the associations that are looked for."""
    conditions = [col(Association.realm) == LIVE.id, in_sight(wanted.within, wanted.of)]
    if wanted.text:
        named = col(Association.name_key).contains(name_key(wanted.text), autoescape=True)
        numbered = col(Association.register_number).startswith(register_key(wanted.text), autoescape=True)
        conditions.append(or_(named, numbered) if register_key(wanted.text) else named)
    if wanted.municipality:
        conditions.append(col(Association.municipality) == wanted.municipality)
    if wanted.sub_region:
        places = [code for area in SUB_REGIONS if area.code == wanted.sub_region for code in area.municipalities]
        conditions.append(col(Association.municipality).in_(places))
    if wanted.sector:
        conditions.append(col(Association.sector) == wanted.sector)
    if wanted.plan:
        conditions.append(col(Association.plan) == wanted.plan)
    if wanted.retired != "all":
        conditions.append(col(Association.retired).is_(bool(wanted.retired)))
    return and_(*conditions, *_belonging(wanted))


def _belonging(wanted: Wanted) -> Iterable[ColumnElement[bool]]:
    """The conditions on what belongs to an association."""
    if wanted.network:
        members = select(col(AssociationNetwork.association_id))
        yield col(Association.id).in_(members.where(col(AssociationNetwork.network) == wanted.network))
    if wanted.capability:
        able = select(col(AssociationCapability.association_id))
        yield col(Association.id).in_(able.where(col(AssociationCapability.capability) == wanted.capability))
    if wanted.contact:
        contact = select(col(Contact.id)).where(col(Contact.association_id) == col(Association.id))
        none = wanted.contact == "none"
        yield ~contact.exists() if none else contact.where(col(Contact.state) == wanted.contact).exists()


async def contacts_of(session: AsyncSession, association_id: UUID) -> list[Contact]:
    """The association's contacts in the order in which they are asked."""
    of_it = select(Contact).where(col(Contact.association_id) == association_id).order_by(col(Contact.position))
    return list((await session.execute(of_it)).scalars())


async def record_of(session: AsyncSession, association_id: UUID) -> Record | None:
    """All that is known of the association; None if there is none."""
    association = await session.get(Association, association_id)
    if association is None:
        return None
    able, member = AssociationCapability, AssociationNetwork
    abilities = select(able).where(col(able.association_id) == association_id).order_by(col(able.capability))
    networks = select(col(member.network)).where(col(member.association_id) == association_id)
    open_ones = select(Proposal).where(
        col(Proposal.association_id) == association_id, col(Proposal.decided_at).is_(None)
    )
    merged = select(Association).where(col(Association.merged_into) == association_id)
    return Record(
        association=association,
        contacts=await contacts_of(session, association_id),
        networks=sorted((await session.execute(networks)).scalars()),
        abilities=[
            Ability(row.capability, row.amount, row.note) for row in (await session.execute(abilities)).scalars()
        ],
        proposals=list((await session.execute(open_ones.order_by(col(Proposal.id)))).scalars()),
        merged=list((await session.execute(merged.order_by(col(Association.name_key)))).scalars()),
    )


async def claim(session: AsyncSession, association_id: UUID, *, version: int, **values: Any) -> bool:
    """Raise the version, and change these columns, if nobody has changed the association since it had that version.

    Whatever belongs to the association, its contacts too, is changed in the transaction of a claim that succeeded:
    so that of two who looked at the same, only the first writes.
    """
    changed = await session.execute(
        update(Association)
        .where(col(Association.id) == association_id, col(Association.version) == version)
        .values(version=version + 1, **values)
        .returning(col(Association.id))
    )
    return changed.scalar_one_or_none() is not None


def new_contact(own: UUID, card: Card, *, position: int) -> dict[str, Any]:
    """The row of a contact whose address nobody has confirmed yet."""
    return {
        "id": new_id(),
        "association_id": own,
        "position": position,
        "state": ContactState.UNCONFIRMED.value,
        "name": card.name,
        "email": card.email or None,
        "phone": card.phone,
        "best_time": card.best_time,
        "language": card.language,
    }


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
