"""Store of situations as status tells them: events may come in any order and more than once."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import JSON, ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, col

from services.notify.schema import NotifyTable
from shared.db import Database, UtcDateTime, insert_into
from shared.events.status import SituationChanged, SituationClosed, SituationOpened
from shared.i18n import N_, Locale, texts
from shared.realm import LIVE, Realm

UNTOLD = datetime(1970, 1, 1, tzinfo=UTC)
"""For a situation whose end was heard before its beginning."""

MARK = N_("EXERCISE:")
SHOWN = 50
KINDS = 500


class KnownSituation(NotifyTable, table=True):
    """A situation of status. `told_at` is the time of the newest telling that is applied."""

    __tablename__ = "known_situation"

    realm: str = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    kind: str
    names: dict[str, str] = Field(sa_type=JSON)
    municipalities: list[str] = Field(sa_type=JSON)
    told_at: datetime = Field(sa_type=UtcDateTime)
    closed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


@dataclass(frozen=True)
class Situation:
    """An open situation. No municipality means the whole region."""

    realm: Realm
    situation_id: UUID
    kind: str
    names: dict[str, str]
    municipalities: frozenset[str]
    told_at: datetime

    def name(self, locale: str) -> str:
        """Its name in this language, else in Finnish."""
        return self.names.get(locale) or self.names.get("fi", "")

    def marked(self, locale: Locale) -> str:
        """The same as it is told apart from others: that of an exercise says so first."""
        name = self.name(locale.value)
        return name if self.realm.live else f"{texts(locale)(MARK)} {name}"


class SituationStore:
    """The situations that notify was told of."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def tell(self, event: SituationOpened | SituationChanged) -> None:
        """Keep what is told, unless something newer is known."""
        told = {
            "kind": event.kind,
            "names": event.names,
            "municipalities": sorted(event.municipalities),
            "told_at": event.happened_at,
        }
        statement = insert_into(self._database.dialect, KnownSituation).values(
            realm=event.realm, id=event.situation_id, **told
        )
        newer = statement.on_conflict_do_update(
            index_elements=["realm", "id"], set_=told, where=col(KnownSituation.told_at) < event.happened_at
        )
        async with self._database.write() as session:
            await session.execute(newer)

    async def close(self, event: SituationClosed) -> None:
        """Remember that it is over, also when its beginning has not been heard yet."""
        statement = insert_into(self._database.dialect, KnownSituation).values(
            realm=event.realm,
            id=event.situation_id,
            kind="",
            names={},
            municipalities=[],
            told_at=UNTOLD,
            closed_at=event.happened_at,
        )
        over = statement.on_conflict_do_update(index_elements=["realm", "id"], set_={"closed_at": event.happened_at})
        async with self._database.write() as session:
            await session.execute(over)

    async def open_ones(self, realm: Realm = LIVE) -> list[Situation]:
        """The open situations of this realm, at most SHOWN, the one told of last first."""
        return await self._open(col(KnownSituation.realm) == realm)

    async def rehearsed(self) -> list[Situation]:
        """The same of all exercises."""
        return await self._open(col(KnownSituation.realm) != LIVE)

    async def known(self, ids: Collection[UUID]) -> dict[UUID, Situation]:
        """These situations, open or over, as far as they are known."""
        async with self._database.read() as session:
            rows = await session.execute(select(KnownSituation).where(col(KnownSituation.id).in_(sorted(ids))))
            return {row.id: _situation(row) for row in rows.scalars()}

    async def _open(self, where: ColumnElement[bool]) -> list[Situation]:
        async with self._database.read() as session:
            rows = await session.execute(
                select(KnownSituation)
                .where(where, col(KnownSituation.closed_at).is_(None))
                .order_by(col(KnownSituation.told_at).desc())
                .limit(SHOWN)
            )
            return [_situation(row) for row in rows.scalars()]

    async def kinds(self, realm: Realm = LIVE) -> dict[UUID, str]:
        """The kinds of the situations told of last, open or over, at most KINDS."""
        async with self._database.read() as session:
            rows = await session.execute(
                select(col(KnownSituation.id), col(KnownSituation.kind))
                .where(col(KnownSituation.realm) == realm)
                .order_by(col(KnownSituation.told_at).desc())
                .limit(KINDS)
            )
            return {row.id: row.kind for row in rows}


def _situation(row: KnownSituation) -> Situation:
    return Situation(Realm(row.realm), row.id, row.kind, row.names, frozenset(row.municipalities), row.told_at)


async def is_over(session: AsyncSession, realm: Realm, situation_id: UUID | None) -> bool:
    """True for a situation that is known to be closed; no situation is never over."""
    if situation_id is None:
        return False
    known = await session.get(KnownSituation, (realm, situation_id))
    return known is not None and known.closed_at is not None
