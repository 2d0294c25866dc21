"""Store: a copy of the registry's networks, kept up by its events."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, select
from sqlmodel import Field, col

from services.status.network.model import Network
from services.status.schema import StatusTable
from shared.db import Database, UtcDateTime, insert_into
from shared.events.intake import NetworkChanged


class NetworkRow(StatusTable, table=True):
    """A network as it was told last. The registry is one for all realms, and so are its networks."""

    __tablename__ = "network"

    realm: str = Field(primary_key=True)
    code: str = Field(primary_key=True)
    names: dict[str, str] = Field(sa_type=JSON)
    parent: str | None = None
    retired: bool = False
    told_at: datetime = Field(sa_type=UtcDateTime)


NETWORK = StatusTable.metadata.tables["network"]


class NetworkStore:
    """Knows the networks as the registry tells them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def know(self, event: NetworkChanged) -> None:
        """Remember what is told, unless something newer is known: events may come in any order, and again."""
        values: dict[str, Any] = event.model_dump(include={"realm", "code", "names", "parent", "retired"})
        statement = insert_into(self._database.dialect, NetworkRow)
        told = ("names", "parent", "retired", "told_at")
        newer = statement.on_conflict_do_update(
            index_elements=["realm", "code"],
            set_={name: statement.excluded[name] for name in told},
            where=statement.excluded.told_at >= NETWORK.c.told_at,
        )
        async with self._database.write() as session:
            await session.execute(newer, {**values, "told_at": event.happened_at})

    async def list_all(self) -> list[Network]:
        """All networks by code, those that are retired among them: figures of the past may name them."""
        async with self._database.read() as session:
            rows = (await session.execute(select(NetworkRow).order_by(col(NetworkRow.code)))).scalars()
            return [Network(row.code, row.names, row.parent, retired=row.retired) for row in rows]

    async def names(self, locale: str) -> dict[str, str]:
        """The names for a locale by code."""
        return {network.code: network.name(locale) for network in await self.list_all()}

    async def options(self, locale: str) -> list[tuple[str, str]]:
        """Code and name of those that are not retired, by name, as the options of a select."""
        named = [(network.code, network.name(locale)) for network in await self.list_all() if not network.retired]
        return sorted(named, key=lambda option: option[1].casefold())
