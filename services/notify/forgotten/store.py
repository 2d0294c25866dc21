"""Store of the forgotten: the keyed hashes of erased addresses."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, col

from services.notify.schema import NotifyTable
from shared.db import UtcDateTime, insert_into
from shared.erased import keyed_hash


class ErasedAddress(NotifyTable, table=True):
    """An erased address, by its keyed hash. `scrub_at` is when the files are to be cleaned of her (None: they are), and
    `subscriber_id` whose letters are looked for then once more."""

    __tablename__ = "erased_address"

    hash: str = Field(primary_key=True)
    erased_at: datetime = Field(sa_type=UtcDateTime)
    subscriber_id: UUID | None = None
    scrub_at: datetime | None = Field(default=None, sa_type=UtcDateTime, index=True)


class Forgotten:
    """Which addresses were erased. All within the caller's transaction."""

    def __init__(self, secret: str) -> None:
        self._secret = secret

    async def among(self, session: AsyncSession, addresses: Collection[str]) -> frozenset[str]:
        """Those of these addresses that were erased, spelled as given."""
        hashes = {address: keyed_hash(self._secret, address) for address in addresses}
        wanted = col(ErasedAddress.hash).in_(sorted(hashes.values()))
        found = set((await session.execute(select(col(ErasedAddress.hash)).where(wanted))).scalars())
        return frozenset(address for address, hash_ in hashes.items() if hash_ in found)

    async def add(
        self, session: AsyncSession, address: str, *, subscriber_id: UUID | None, now: datetime, scrub_at: datetime
    ) -> None:
        """Remember that the address was erased, and that the files are to be cleaned of it."""
        key = keyed_hash(self._secret, address)
        values = {"erased_at": now, "subscriber_id": subscriber_id, "scrub_at": scrub_at}
        statement = insert_into(session.get_bind().dialect.name, ErasedAddress).on_conflict_do_nothing()
        await session.execute(statement, {"hash": key, **values})
        await session.execute(update(ErasedAddress).where(col(ErasedAddress.hash) == key).values(values))

    def key(self, address: str) -> str:
        """The keyed hash of this address."""
        return keyed_hash(self._secret, address)

    async def named_again(self, session: AsyncSession, addresses: Collection[str], *, scrub_at: datetime) -> None:
        """A list that is kept for a while names these erased addresses: clean the files once it is gone."""
        hashes = sorted(keyed_hash(self._secret, address) for address in addresses)
        clean = (col(ErasedAddress.hash).in_(hashes), col(ErasedAddress.scrub_at).is_(None))
        await session.execute(update(ErasedAddress).where(*clean).values(scrub_at=scrub_at))

    async def lift(self, session: AsyncSession, address: str) -> None:
        """Forget that it was erased: the person has come back by herself."""
        hers = col(ErasedAddress.hash) == keyed_hash(self._secret, address)
        await session.execute(delete(ErasedAddress).where(hers))
