"""Retention jobs: the texts of letters that ended long ago are removed, a batch at a time."""

from services.notify.retention.store import RetentionStore


class RetentionJobs:
    """What is forgotten by time alone."""

    def __init__(self, store: RetentionStore) -> None:
        self._store = store

    async def empty_letters(self) -> bool:
        """Remove the texts of a batch of letters; True if there may be more."""
        return await self._store.empty_letters()
