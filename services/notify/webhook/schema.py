"""Schema: the table of webhooks. Their secrets stand in no table."""

from datetime import datetime
from uuid import UUID

from sqlmodel import Field

from services.notify.schema import NotifyTable
from shared.db import UtcDateTime


class EndpointRow(NotifyTable, table=True):
    """A partner's system. It belongs to no realm: `exercises` says whether it is told of those too."""

    __tablename__ = "webhook_endpoint"

    id: UUID = Field(primary_key=True)
    label: str
    url: str
    exercises: bool = False
    version: int = 1
    rotated_at: datetime = Field(sa_type=UtcDateTime)
    made_at: datetime = Field(sa_type=UtcDateTime)
    made_by: UUID
