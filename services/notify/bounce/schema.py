"""Schema of bounces: letters that came back, as they are, and what became known by them."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, Date, Index, LargeBinary, UniqueConstraint
from sqlmodel import Field

from services.notify.schema import NotifyTable
from shared.db import UtcDateTime


class BounceRow(NotifyTable, table=True):
    """A letter that came back for a delivery, until it is forgotten. `digest` is SHA-256 of `raw`: a relay that did not
    hear our answer brings it again. `tries` is how often reading was begun; `subject` and `excerpt` are for a person.
    """

    __tablename__ = "bounce"
    __table_args__ = (
        UniqueConstraint("realm", "delivery", "digest"),
        Index("bounce_delivery", "delivery"),
        Index("bounce_state", "state", "received_at", "id"),
        Index("bounce_age", "received_at"),
    )

    id: UUID = Field(primary_key=True)
    realm: str
    delivery: int = Field(sa_type=BigInteger)
    received_at: datetime = Field(sa_type=UtcDateTime)
    size: int
    digest: bytes = Field(sa_type=LargeBinary)
    raw: bytes = Field(sa_type=LargeBinary)
    state: str
    found: str = ""
    status: str = ""
    subject: str = ""
    excerpt: str = ""
    tries: int = 0
    claimed_until: datetime = Field(sa_type=UtcDateTime)
    settled_by: UUID | None = None
    settled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class ReturnedRow(NotifyTable, table=True):
    """What is known of a delivery because a letter came back, once however often it is said. `day` is that of UTC."""

    __tablename__ = "returned_letter"
    __table_args__ = (
        Index("returned_counts", "realm", "letter_id", "found"),
        Index("returned_days", "recipient_id", "found", "day"),
    )

    realm: str = Field(primary_key=True)
    delivery: int = Field(primary_key=True, sa_type=BigInteger)
    found: str = Field(primary_key=True)
    letter_id: UUID
    recipient_id: UUID
    kind: str
    status: str
    day: date = Field(sa_type=Date)
    returned_at: datetime = Field(sa_type=UtcDateTime)
