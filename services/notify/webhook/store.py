"""Store of webhooks: endpoints, each together with its channel."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from services.notify.audit.model import Act
from services.notify.audit.store import record
from services.notify.channel.model import Kind, Wishes
from services.notify.channel.store import ChannelStore
from services.notify.subscribers.store import changed
from services.notify.webhook.model import Endpoint, Wanted, channel_of, key_of, shown
from services.notify.webhook.schema import EndpointRow
from shared.audit import Deed
from shared.clock import Clock
from shared.db import Database

MOST = 50
"""Endpoints of one installation at most."""


class EndpointStore:
    """The partners' systems. `secret` is the installation's own, of which theirs are made."""

    def __init__(self, database: Database, *, clock: Clock, channels: ChannelStore, secret: str) -> None:
        self._database = database
        self._clock = clock
        self._channels = channels
        self._secret = secret

    async def add(self, endpoint_id: UUID, wanted: Wanted, *, by: UUID) -> str | None:
        """Keep an endpoint, which is told what happens from now on; its secret, or None if it is known already or there
        are MOST."""
        now = self._clock.now()
        row = EndpointRow(
            id=endpoint_id,
            label=wanted.label,
            url=wanted.url,
            exercises=wanted.exercises,
            rotated_at=now,
            made_at=now,
            made_by=by,
        )
        async with self._database.write() as session:
            known = set((await session.execute(select(col(EndpointRow.id)).limit(MOST))).scalars())
            if endpoint_id in known or len(known) >= MOST:
                return None
            session.add(row)
            await self._channels.open(session, channel_of(endpoint_id), Wishes(Kind.WEBHOOK, wanted.exercises))
            await session.flush()
            await self._record(session, Act.WEBHOOK_MADE, endpoint_id, by=by, label=wanted.label)
        return shown(key_of(self._secret, endpoint_id, 1))

    async def get(self, endpoint_id: UUID) -> Endpoint | None:
        """One endpoint, or None."""
        async with self._database.read() as session:
            row = await session.get(EndpointRow, endpoint_id)
        return _endpoint(row) if row else None

    async def all(self) -> list[Endpoint]:
        """All endpoints by their labels."""
        async with self._database.read() as session:
            rows = await session.execute(select(EndpointRow).order_by(col(EndpointRow.label)).limit(MOST))
            return [_endpoint(row) for row in rows.scalars()]

    async def change(self, endpoint_id: UUID, wanted: Wanted, *, by: UUID | None = None) -> bool:
        """Keep what was changed; False for no such endpoint. What waits goes to the new address. `by` None is the
        operator."""
        values: dict[str, Any] = {"label": wanted.label, "url": wanted.url, "exercises": wanted.exercises}
        async with self._database.write() as session:
            mine = update(EndpointRow).where(col(EndpointRow.id) == endpoint_id)
            found = await changed(session, mine.values(**values))
            await self._channels.wish(session, channel_of(endpoint_id), Wishes(Kind.WEBHOOK, wanted.exercises))
            if found:
                await self._record(session, Act.WEBHOOK_CHANGED, endpoint_id, by=by, label=wanted.label)
        return found

    async def rotate(self, endpoint: Endpoint, *, by: UUID) -> str | None:
        """Make a new secret, the old one is valid for BOTH_VALID more; None if somebody did so in the meantime."""
        version, now = endpoint.version + 1, self._clock.now()
        mine = (col(EndpointRow.id) == endpoint.endpoint_id, col(EndpointRow.version) == endpoint.version)
        async with self._database.write() as session:
            if not await changed(session, update(EndpointRow).where(*mine).values(version=version, rotated_at=now)):
                return None
            await self._record(session, Act.SECRET_RENEWED, endpoint.endpoint_id, by=by, label=endpoint.label)
        return shown(key_of(self._secret, endpoint.endpoint_id, version))

    async def remove(self, endpoint_id: UUID, *, by: UUID) -> None:
        """Forget the endpoint, and all that was told to it."""
        async with self._database.write() as session:
            gone = delete(EndpointRow).where(col(EndpointRow.id) == endpoint_id).returning(col(EndpointRow.label))
            label = (await session.execute(gone)).scalar_one_or_none()
            await self._channels.close(session, channel_of(endpoint_id))
            if label is not None:
                await self._record(session, Act.WEBHOOK_REMOVED, endpoint_id, by=by, label=label)

    async def _record(self, session: AsyncSession, act: Act, endpoint_id: UUID, *, by: UUID | None, label: str) -> None:
        """Write it to the audit, with the label, which goes when the endpoint does; never the address."""
        await record(session, Deed(self._clock.now(), act, by, str(endpoint_id), {"name": label}))


def _endpoint(row: EndpointRow) -> Endpoint:
    moments: dict[str, datetime] = {"rotated_at": row.rotated_at, "made_at": row.made_at}
    return Endpoint(row.id, row.label, row.url, row.exercises, row.version, **moments)
