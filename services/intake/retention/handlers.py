"""Retention handlers: from the end of a situation on, its texts have a time."""

from services.intake.retention.store import RetentionStore
from shared.events.status import SituationClosed


class RetentionHandlers:
    """Hears of ends."""

    def __init__(self, store: RetentionStore) -> None:
        self._store = store

    async def on_situation_closed(self, event: SituationClosed) -> None:
        """Note when it was closed."""
        await self._store.close(event)
