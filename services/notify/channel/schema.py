"""Schema: the tables of channels: how far each was told, and one row for each message to each."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field

from services.notify.schema import NotifyTable
from shared.db import UtcDateTime
from shared.plumbing import SERIAL


class ChannelRow(NotifyTable, table=True):
    """A channel. All that happened before `planned_to` is in its queue; `sequence` is that of its newest message.

    Whoever has claimed it sends what is due, one after another. A stopped channel is told nothing.
    """

    __tablename__ = "channel"

    name: str = Field(primary_key=True)
    kind: str
    exercises: bool = False
    planned_to: datetime = Field(sa_type=UtcDateTime)
    sequence: int = 0
    claimed_by: str = ""
    claimed_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    failing_since: datetime | None = Field(default=None, sa_type=UtcDateTime)
    stopped_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    stopped_because: str = ""


class PostRow(NotifyTable, table=True):
    """One message to one channel: in the queue while it waits, in the ledger for good once it is settled."""

    __tablename__ = "channel_post"
    __table_args__ = (
        UniqueConstraint("realm", "channel", "message_id"),
        Index("channel_post_due", "state", "due_at"),
        Index("channel_post_newest", "channel", "sequence"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=SERIAL)
    realm: str
    channel: str
    sequence: int
    message_id: UUID
    happening: str
    at: datetime = Field(sa_type=UtcDateTime)
    guidance_id: UUID | None = None
    number: int = 0
    state: str
    attempts: int = 0
    answer: str = ""
    due_at: datetime = Field(sa_type=UtcDateTime)
    until: datetime = Field(sa_type=UtcDateTime)
    settled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
