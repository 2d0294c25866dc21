"""Store: a copy of the registry without people, kept up by the registry's own events."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Connection, Index, and_, func, select
from sqlmodel import Field

from services.status.schema import StatusTable
from shared.db import Database, insert_into
from shared.events.intake import AssociationChanged
from shared.realm import LIVE


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
    retired: bool = False


ASSOCIATION = StatusTable.metadata.tables["association"]
TOLD = ("version", "name", "municipality", "sector", "retired")


@dataclass(frozen=True)
class Association:
    """An association's name and place."""

    id: UUID
    name: str
    municipality: str
    sector: str


class AssociationStore:
    """Knows the registry as its events tell it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._know = database.group(_write)

    async def know(self, event: AssociationChanged) -> None:
        """Remember the association as this version tells it, unless a newer one is known."""
        await self._know(event)

    async def count(self, municipalities: Iterable[str], sectors: Iterable[str]) -> int:
        """How many a round with this filter would ask now."""
        statement = select(func.count()).select_from(ASSOCIATION).where(within(municipalities, sectors))
        async with self._database.read() as session:
            return int((await session.execute(statement)).scalar_one())


def within(municipalities: Iterable[str], sectors: Iterable[str]) -> ColumnElement[bool]:
    """The condition for the registry's associations of these municipalities and sectors. The registry is one for all
    realms: an exercise asks real associations about an invented situation."""
    return and_(
        ASSOCIATION.c.realm == LIVE,
        ASSOCIATION.c.retired.is_(False),
        ASSOCIATION.c.municipality.in_(sorted(municipalities)),
        ASSOCIATION.c.sector.in_(sorted(sectors)),
    )


def associations(connection: Connection, ids: Iterable[UUID]) -> dict[UUID, Association]:
    """What is known of these; those that are not known are left out."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    rows = connection.execute(
        select(
            ASSOCIATION.c.association_id, ASSOCIATION.c.name, ASSOCIATION.c.municipality, ASSOCIATION.c.sector
        ).where(ASSOCIATION.c.realm == LIVE, ASSOCIATION.c.association_id.in_(wanted))
    )
    return {row[0]: Association(*row) for row in rows}


def _write(connection: Connection, events: Sequence[AssociationChanged]) -> list[None]:
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
    return [None] * len(events)
