"""Retention model: how long what is kept."""

from dataclasses import dataclass
from datetime import datetime, timedelta

LETTERS_KEPT = timedelta(days=30)
"""So long after its end a letter keeps its texts; nothing of it is sent after its end."""

PATIENCE = timedelta(hours=1)
"""The jobs come by more often than this: what is due for longer was left behind."""


@dataclass(frozen=True)
class Keeping:
    """How it is with one kind of what is kept: for so many hours, how many are there, how many of them should not be
    there any more, how many were removed, and when the last of these was (None: that leaves no trace)."""

    kept_hours: int
    present: int
    due: int
    removed: int | None = None
    removed_at: datetime | None = None
