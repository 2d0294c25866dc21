"""Schema: the table of standing guidance. That two people are needed, the database demands too."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, Index
from sqlmodel import Field

from services.notify.schema import NotifyTable
from shared.db import UtcDateTime


class StandingRow(NotifyTable, table=True):
    """One wording of standing guidance. The public has the approved one of the highest number, unless it withdraws."""

    __tablename__ = "standing"
    __table_args__ = (
        CheckConstraint("approved_by IS NULL OR approved_by <> written_by", name="standing_two_people"),
        CheckConstraint("(approved_by IS NULL) = (approved_at IS NULL)", name="standing_approval_is_whole"),
        Index("standing_newest", "realm", "written_at"),
    )

    realm: str = Field(primary_key=True)
    standing_id: UUID = Field(primary_key=True)
    number: int = Field(primary_key=True)
    edition: int
    form: str
    texts: dict[str, dict[str, str]] = Field(sa_type=JSON)
    areas: list[str] = Field(sa_type=JSON)
    withdraws: bool
    written_by: UUID
    writers: list[str] = Field(sa_type=JSON)
    written_at: datetime = Field(sa_type=UtcDateTime)
    approved_by: UUID | None = None
    approved_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
