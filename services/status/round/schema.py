"""Schema: rounds that recur."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import JSON, Index
from sqlmodel import Field

from services.status.schema import StatusTable
from shared.db import UtcDateTime


class SeriesRow(StatusTable, table=True):
    """A round that is opened anew again and again, with the filter by which each asks."""

    __tablename__ = "round_series"
    __table_args__ = (Index("series_due", "ended_at", "next_at"),)

    realm: str = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    situation_id: UUID
    municipalities: list[str] = Field(sa_type=JSON)
    sectors: list[str] = Field(sa_type=JSON)
    networks: list[str] = Field(sa_type=JSON)
    capabilities: list[str] = Field(sa_type=JSON)
    every: int
    begins: int
    ends: int
    hours: int
    reminders: int
    urgent: bool
    opened_by: UUID
    opened_at: datetime = Field(sa_type=UtcDateTime)
    next_at: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


SERIES = StatusTable.metadata.tables["round_series"]
