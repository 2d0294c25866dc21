"""Store: partner links. Of a token only its digest is kept, and of those who open it nothing."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, select, update
from sqlmodel import Field, col

from services.status.schema import StatusTable
from services.status.sharing.model import Link, Standing
from services.status.situation.model import Situation
from shared.clock import Clock
from shared.db import Database, UtcDateTime, insert_into
from shared.ids import digest, new_token
from shared.realm import Realm


class ReportLinkRow(StatusTable, table=True):
    """A partner link, with who made it and who revoked it. Without a number it opens the newest report."""

    __tablename__ = "report_link"
    __table_args__ = (
        UniqueConstraint("token_hash", name="report_link_token"),
        Index("report_link_of_situation", "realm", "situation_id"),
    )

    realm: str = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    situation_id: UUID
    number: int | None = None
    purpose: str
    token_hash: bytes
    made_by: UUID
    made_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    revoked_by: UUID | None = None


class LinkStore:
    """Makes, finds and revokes links."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def make(self, link: Link) -> str | None:
        """Save the link; its token, which nobody can be told again. None if this very link was made before."""
        token = new_token()
        statement = insert_into(self._database.dialect, ReportLinkRow).on_conflict_do_nothing(
            index_elements=["realm", "id"]
        )
        async with self._database.write() as session:
            made = await session.execute(
                statement.values(**vars(link), token_hash=digest(token)).returning(col(ReportLinkRow.id))
            )
            return token if made.first() is not None else None

    async def opened_by(self, token: str) -> Link | None:
        """The link with this token, if it is valid now. Reading it leaves no trace."""
        async with self._database.read() as session:
            found = await session.execute(select(ReportLinkRow).where(col(ReportLinkRow.token_hash) == digest(token)))
            row = found.scalars().first()
        link = _link(row) if row else None
        return link if link and link.standing(self._clock.now()) is Standing.VALID else None

    async def list_all(self, situation: Situation) -> list[Link]:
        """The situation's links, newest first."""
        async with self._database.read() as session:
            found = await session.execute(
                select(ReportLinkRow)
                .where(*_in(situation))
                .order_by(col(ReportLinkRow.made_at).desc(), col(ReportLinkRow.id))
            )
            return [_link(row) for row in found.scalars()]

    async def revoke(self, situation: Situation, link_id: UUID, *, by: UUID) -> bool:
        """End a link of this situation for good; False if there is none, or it was revoked before."""
        statement = (
            update(ReportLinkRow)
            .where(*_in(situation), col(ReportLinkRow.id) == link_id, col(ReportLinkRow.revoked_at).is_(None))
            .values(revoked_at=self._clock.now(), revoked_by=by)
            .returning(col(ReportLinkRow.id))
        )
        async with self._database.write() as session:
            return (await session.execute(statement)).first() is not None


def _in(situation: Situation) -> tuple[Any, Any]:
    return col(ReportLinkRow.realm) == situation.realm, col(ReportLinkRow.situation_id) == situation.id


def _link(row: ReportLinkRow) -> Link:
    return Link(
        realm=Realm(row.realm),
        id=row.id,
        situation_id=row.situation_id,
        number=row.number,
        purpose=row.purpose,
        made_by=row.made_by,
        made_at=row.made_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        revoked_by=row.revoked_by,
    )
