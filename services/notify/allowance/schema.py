"""Schema: the buckets that all workers share."""

from datetime import datetime

from sqlmodel import Field

from services.notify.schema import NotifyTable
from shared.db import UtcDateTime


class AllowanceRow(NotifyTable, table=True):
    """The bucket of the relay or of a receiving domain. It belongs to no realm: they all go the same way.

    One that is not there is full.
    """

    __tablename__ = "allowance"

    name: str = Field(primary_key=True)
    level: float
    at: datetime = Field(sa_type=UtcDateTime)
