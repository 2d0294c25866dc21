"""Retention jobs: what is due is removed, a batch at a time."""

from services.intake.retention.store import RetentionStore


class RetentionJobs:
    """What is forgotten by time alone."""

    def __init__(self, store: RetentionStore) -> None:
        self._store = store

    async def remove(self) -> bool:
        """Remove a batch of texts; True if there may be more."""
        return await self._store.remove()
