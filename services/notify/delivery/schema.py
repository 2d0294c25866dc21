"""Schema: the tables of delivery."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import JSON, Index, UniqueConstraint
from sqlmodel import Field

from services.notify.schema import NotifyTable
from shared.db import UtcDateTime
from shared.ids import new_id
from shared.plumbing import SERIAL


class LetterRow(NotifyTable, table=True):
    """A letter. It is written once; its texts are never changed, and removed long after its end."""

    __tablename__ = "letter"
    __table_args__ = (Index("letter_kept", "emptied_at", "not_after"),)

    realm: str = Field(primary_key=True)
    letter_id: UUID = Field(primary_key=True)
    kind: str
    lane: str
    shared: dict[str, str] = Field(sa_type=JSON)
    not_after: datetime = Field(sa_type=UtcDateTime)
    created_at: datetime = Field(sa_type=UtcDateTime)
    emptied_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class DeliveryRow(NotifyTable, table=True):
    """One recipient's copy of a letter.

    `address` and `personal` are emptied with the final state: from then on only `recipient_id` says who it was, and
    only to the topic that knows the person.
    """

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("realm", "letter_id", "recipient_id"),
        Index("delivery_due", "lane", "state", "due_at", "id"),
        Index("delivery_counts", "realm", "letter_id", "state"),
        Index("delivery_leases", "state", "claimed_until"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=SERIAL)
    realm: str
    letter_id: UUID
    recipient_id: UUID
    lane: str
    address: str
    locale: str
    personal: dict[str, str] = Field(sa_type=JSON)
    state: str
    reason: str = ""
    attempts: int = 0
    ambiguous: int = 0
    due_at: datetime = Field(sa_type=UtcDateTime)
    claimed_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    claimed_by: str = ""
    settled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class RosterRow(NotifyTable, table=True):
    """An address that takes part in an exercise; `address` is its key, `recipient_id` its name in all letters of this
    exercise and in no other, by which nobody finds the address. From `over_at` on the exercise is over."""

    __tablename__ = "roster"

    realm: str = Field(primary_key=True)
    address: str = Field(primary_key=True)
    recipient_id: UUID = Field(default_factory=new_id)
    locale: str = "fi"
    over_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class LaneState(NotifyTable, table=True):
    """A lane that paused itself and waits for an operator."""

    __tablename__ = "lane_state"

    lane: str = Field(primary_key=True)
    reason: str
    paused_at: datetime = Field(sa_type=UtcDateTime)
