"""Store: a copy of the registry without people, kept up by the registry's own events."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Connection, Index, and_, bindparam, func, or_, select
from sqlmodel import Field

from services.status.association.model import Filter, Traits
from services.status.schema import Codes, StatusTable, has_code
from shared.db import Database, insert_into
from shared.events.intake import AssociationChanged
from shared.identity import Within
from shared.realm import LIVE
from shared.rows import RowReader


class AssociationRow(StatusTable, table=True):
    """What this service knows of the registry: names and places of associations, never of people."""

    __tablename__ = "association"
    __table_args__ = (Index("association_place", "realm", "municipality", "sector"),)

    realm: str = Field(primary_key=True)
    association_id: UUID = Field(primary_key=True)
    version: int = Field(sa_type=BigInteger)
    name: str
    municipality: str
    sector: str
    networks: tuple[str, ...] = Field(default=(), sa_type=Codes)
    capabilities: tuple[str, ...] = Field(default=(), sa_type=Codes)
    retired: bool = False
    merged_into: UUID | None = None


ASSOCIATION = StatusTable.metadata.tables["association"]
TOLD = ("version", "name", "municipality", "sector", "networks", "capabilities", "retired", "merged_into")


@dataclass(frozen=True)
class Association:
    """An association's name, what it is counted by, and what became of it."""

    id: UUID
    name: str
    traits: Traits
    retired: bool
    merged_into: UUID | None


class AssociationStore:
    """Knows the registry as its events tell it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def count(self, asked: Filter) -> int:
        """How many a round with this filter would ask now."""
        statement = select(func.count()).select_from(ASSOCIATION).where(within(asked))
        async with self._database.read() as session:
            return int((await session.execute(statement)).scalar_one())

    async def names(self, ids: Collection[UUID]) -> dict[UUID, str]:
        """The names of these, as far as they are known."""
        async with self._database.read() as session:
            connection = await session.connection()
            return {one.id: one.name for one in (await connection.run_sync(associations, ids)).values()}


def within(asked: Filter) -> ColumnElement[bool]:
    """The condition for the registry's associations that a filter lets through. The registry is one for all realms:
    an exercise asks real associations about an invented situation."""
    conditions = [
        ASSOCIATION.c.realm == LIVE,
        ASSOCIATION.c.retired.is_(False),
        ASSOCIATION.c.municipality.in_(sorted(asked.municipalities)),
        ASSOCIATION.c.sector.in_(sorted(asked.sectors)),
    ]
    if asked.networks:
        conditions.append(or_(*(has_code(ASSOCIATION.c.networks, code) for code in asked.networks)))
    if asked.capabilities:
        conditions.append(or_(*(has_code(ASSOCIATION.c.capabilities, code) for code in asked.capabilities)))
    return and_(*conditions)


def in_sight(within: Within) -> tuple[ColumnElement[bool], ...]:
    """The conditions for the registry's associations that somebody may see by name: one municipality or network of
    theirs is enough."""
    if within is None:
        return ()
    of_networks = (has_code(ASSOCIATION.c.networks, code) for code in sorted(within.networks))
    return (or_(ASSOCIATION.c.municipality.in_(sorted(within.municipalities)), *of_networks),)


def ids_in_sight(within: Within, column: ColumnElement[UUID]) -> tuple[ColumnElement[bool], ...]:
    """The same for a table that holds ids of associations in this column."""
    if within is None:
        return ()
    seen = select(ASSOCIATION.c.association_id).where(ASSOCIATION.c.realm == LIVE, *in_sight(within))
    return (column.in_(seen),)


_KNOWN = RowReader(
    select(
        *(ASSOCIATION.c.association_id, ASSOCIATION.c.name, ASSOCIATION.c.retired, ASSOCIATION.c.merged_into),
        *(ASSOCIATION.c.municipality, ASSOCIATION.c.sector, ASSOCIATION.c.networks, ASSOCIATION.c.capabilities),
    ).where(ASSOCIATION.c.realm == LIVE, ASSOCIATION.c.association_id.in_(bindparam("ids", expanding=True)))
)


def associations(connection: Connection, ids: Iterable[UUID]) -> dict[UUID, Association]:
    """What is known of these; those that are not known are left out."""
    wanted = sorted(set(ids))
    return {
        id_: Association(id_, name, Traits(*traits), retired=bool(retired), merged_into=merged_into)
        for id_, name, retired, merged_into, *traits in (_KNOWN(connection, ids=wanted) if wanted else ())
    }


def remember(connection: Connection, events: Sequence[AssociationChanged]) -> None:
    """Keep the newest version of each of these associations."""
    newest: dict[tuple[str, UUID], dict[str, Any]] = {}
    for event in sorted(events, key=lambda event: event.version):
        newest[event.realm, event.association_id] = event.model_dump(include={"realm", "association_id", *TOLD})
    statement = insert_into(connection.dialect.name, AssociationRow)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["realm", "association_id"],
            set_={name: statement.excluded[name] for name in TOLD},
            where=statement.excluded.version > ASSOCIATION.c.version,
        ),
        [newest[key] for key in sorted(newest)],
    )
