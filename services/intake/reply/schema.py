"""Schema of replies: the letters that came."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Index, UniqueConstraint
from sqlmodel import Field

from services.intake.schema import IntakeTable
from shared.db import UtcDateTime


class ReplyRow(IntakeTable, table=True):
    """A letter that came to the address of an invitation: its text, of what was attached only type and size.

    `status` is what it was read as, by a person if `decided_by` names one; `told` that its sender was written back.
    """

    __tablename__ = "reply"
    __table_args__ = (
        UniqueConstraint("realm", "invitation_id", "message_id"),
        Index("reply_state", "state", "received_at"),
    )

    id: UUID = Field(primary_key=True)
    realm: str
    invitation_id: UUID
    contact_id: UUID | None = None
    received_at: datetime = Field(sa_type=UtcDateTime)
    message_id: str
    subject: str
    text: str
    words: str
    attachments: list[dict[str, Any]] = Field(sa_type=JSON)
    size: int
    state: str
    why: str
    status: str | None = None
    checkin_id: UUID | None = None
    told: bool = False
    decided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    decided_by: UUID | None = None
