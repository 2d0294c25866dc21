"""Retention model: how long free text is kept."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

KEPT = timedelta(days=90)
"""So long after its situation was closed."""


def closed_before(now: datetime) -> datetime:
    """The texts of situations that were closed at this moment or before are due to be removed."""
    return now - KEPT


@dataclass(frozen=True)
class Kept:
    """How it is with the texts of one situation that was closed: how many are there, how many were removed, and when
    the last of these was."""

    situation_id: UUID
    realm: str
    closed_at: datetime
    present: int
    removed: int
    removed_at: datetime | None

    @property
    def due_at(self) -> datetime:
        """When its texts are removed."""
        return self.closed_at + KEPT

    def due(self, now: datetime) -> int:
        """How many texts are there that should not be there any more."""
        return self.present if self.due_at <= now else 0
