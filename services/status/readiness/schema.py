"""Schema: standings, and what is kept of them so that the picture costs no more than its figures."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index
from sqlmodel import Field

from services.status.schema import Codes, StatusTable
from shared.db import UtcDateTime
from shared.plumbing import SERIAL


class StandingRow(StatusTable, table=True):
    """How one association stands in one situation, and by what it is counted there."""

    __tablename__ = "standing"
    __table_args__ = (
        Index("standing_newest", "realm", "situation_id", "state", "reported_at"),
        Index("standing_due", "realm", "situation_id", "state", "fresh_until"),
        Index("standing_place", "realm", "situation_id", "municipality", "state"),
    )

    realm: str = Field(primary_key=True)
    situation_id: UUID = Field(primary_key=True)
    association_id: UUID = Field(primary_key=True)
    municipality: str
    sector: str
    networks: tuple[str, ...] = Field(default=(), sa_type=Codes)
    capabilities: tuple[str, ...] = Field(default=(), sa_type=Codes)
    state: str
    status: str | None = None
    reported_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    fresh_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    checkin_id: UUID | None = None
    asked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    round_id: UUID | None = None
    reached: bool = True
    declined: bool = False


class TallyRow(StatusTable, table=True):
    """One figure of the picture."""

    __tablename__ = "tally"

    realm: str = Field(primary_key=True)
    situation_id: UUID = Field(primary_key=True)
    dimension: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    state: str = Field(primary_key=True)
    count: int


class TrendRow(StatusTable, table=True):
    """By how many a state's count changed within five minutes."""

    __tablename__ = "trend"

    realm: str = Field(primary_key=True)
    situation_id: UUID = Field(primary_key=True)
    slot: datetime = Field(primary_key=True, sa_type=UtcDateTime)
    state: str = Field(primary_key=True)
    delta: int


class ChangeRow(StatusTable, table=True):
    """One association went from one state to another."""

    __tablename__ = "change"
    __table_args__ = (Index("change_of_situation", "realm", "situation_id", "at"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=SERIAL)
    realm: str
    situation_id: UUID
    association_id: UUID
    name: str
    municipality: str
    before: str
    after: str
    at: datetime = Field(sa_type=UtcDateTime)


_tables = StatusTable.metadata.tables
STANDING = _tables["standing"]
TALLY, TREND, CHANGE = _tables["tally"], _tables["trend"], _tables["change"]
