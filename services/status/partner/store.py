"""Store: the keys of partners that open the picture, known by their hashes only."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import JSON, LargeBinary, or_, select
from sqlmodel import Field, col

from services.status.schema import StatusTable
from shared.clock import Clock
from shared.db import Database, UtcDateTime, insert_into
from shared.events.intake import PartnerKeyChanged
from shared.identity import Sight
from shared.ids import digest
from shared.partner_keys import Partner, opens, prefix_of, scopes_of


class PartnerKeyRow(StatusTable, table=True):
    """A key as intake told of it. Whose it is stands there alone."""

    __tablename__ = "partner_key"

    id: UUID = Field(primary_key=True)
    prefix: str = Field(index=True)
    key_hash: bytes = Field(sa_type=LargeBinary)
    scopes: list[str] = Field(sa_type=JSON)
    municipalities: list[str] = Field(sa_type=JSON)
    networks: list[str] = Field(sa_type=JSON)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    revoked: bool = False


KEYS = StatusTable.metadata.tables["partner_key"]


class PartnerStore:
    """Keys, and whether they are good."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def know(self, event: PartnerKeyChanged) -> None:
        """Remember the key. One that was revoked stays so, in whichever order events come."""
        values = {
            "id": event.key_id,
            "prefix": event.prefix,
            "key_hash": bytes.fromhex(event.key_hash),
            "scopes": sorted(scopes_of(event.scopes)),
            "municipalities": [*event.municipalities],
            "networks": [*event.networks],
            "expires_at": event.expires_at,
            "revoked": event.revoked,
        }
        statement = insert_into(self._database.dialect, PartnerKeyRow)
        revoking = {"revoked": or_(KEYS.c.revoked, statement.excluded.revoked)}
        async with self._database.write() as session:
            await session.execute(statement.on_conflict_do_update(index_elements=["id"], set_=revoking), values)

    async def partner(self, key: str) -> Partner | None:
        """Whose key this is, if it is good now."""
        wanted = select(PartnerKeyRow).where(col(PartnerKeyRow.prefix) == (prefix_of(key) or ""))
        async with self._database.read() as session:
            rows = (await session.execute(wanted)).scalars().all()
        now, given = self._clock.now(), digest(key)
        for row in rows:
            if opens(row.key_hash, given) and not row.revoked and now < row.expires_at:
                sight = Sight(frozenset(row.municipalities), frozenset(row.networks))
                return Partner(row.id, scopes_of(row.scopes), sight)
        return None
