"""Store: a copy of the registry without people, kept up by the registry's own events."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import JSON, BigInteger, Connection, select
from sqlmodel import Field

from services.exercise.association.model import Association, Register
from services.exercise.schema import ExerciseTable
from shared.db import Database, UtcDateTime, insert_into
from shared.events.intake import AssociationChanged, NetworkChanged
from shared.realm import LIVE


class AssociationRow(ExerciseTable, table=True):
    """An association as it was told last: names and places, never of people."""

    __tablename__ = "association"

    realm: str = Field(primary_key=True)
    association_id: UUID = Field(primary_key=True)
    version: int = Field(sa_type=BigInteger)
    name: str
    municipality: str
    sector: str
    networks: list[str] = Field(sa_type=JSON)
    retired: bool = False
    merged_into: UUID | None = None


class NetworkRow(ExerciseTable, table=True):
    """A network as it was told last."""

    __tablename__ = "network"

    realm: str = Field(primary_key=True)
    code: str = Field(primary_key=True)
    names: dict[str, str] = Field(sa_type=JSON)
    told_at: datetime = Field(sa_type=UtcDateTime)


ASSOCIATION = ExerciseTable.metadata.tables["association"]
NETWORK = ExerciseTable.metadata.tables["network"]
TOLD = ("version", "name", "municipality", "sector", "networks", "retired", "merged_into")


class AssociationStore:
    """Knows the registry as its events tell it, in any order and however often."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._know = database.group(_remember)

    async def know(self, event: AssociationChanged) -> None:
        """Remember the association as this version tells it, unless a newer one is known."""
        await self._know(event)

    async def know_network(self, event: NetworkChanged) -> None:
        """Remember the network's names as they are told, unless newer ones are known."""
        statement = insert_into(self._database.dialect, NetworkRow)
        newer = statement.on_conflict_do_update(
            index_elements=["realm", "code"],
            set_={name: statement.excluded[name] for name in ("names", "told_at")},
            where=statement.excluded.told_at >= NETWORK.c.told_at,
        )
        values = {"realm": event.realm.id, "code": event.code, "names": event.names, "told_at": event.happened_at}
        async with self._database.write() as session:
            await session.execute(newer, values)


def register(connection: Connection) -> Register:
    """All that is known of the registry. It is one for all realms: an exercise asks real associations."""
    known = ASSOCIATION.c
    rows = connection.execute(
        select(
            *(known.association_id, known.name, known.municipality, known.sector),
            *(known.networks, known.retired, known.merged_into),
        ).where(known.realm == LIVE.id)
    )
    names = connection.execute(select(NETWORK.c.code, NETWORK.c.names).where(NETWORK.c.realm == LIVE.id))
    return Register(
        {
            id_: Association(id_, name, municipality, sector, tuple(networks), retired, merged_into)
            for id_, name, municipality, sector, networks, retired, merged_into in rows
        },
        {row.code: row.names for row in names},
    )


def _remember(connection: Connection, events: Sequence[AssociationChanged]) -> list[None]:
    newest = {event.association_id: event for event in sorted(events, key=lambda event: event.version)}
    statement = insert_into(connection.dialect.name, AssociationRow)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["realm", "association_id"],
            set_={name: statement.excluded[name] for name in TOLD},
            where=statement.excluded.version > ASSOCIATION.c.version,
        ),
        [
            {
                "realm": event.realm.id,
                "association_id": event.association_id,
                **{name: getattr(event, name) for name in TOLD},
                "networks": sorted(event.networks),
            }
            for _, event in sorted(newest.items())
        ],
    )
    return [None] * len(events)
