"""Jobs: figures are looked at by the clock, since time alone makes answers old and deadlines pass."""

from services.status.attention.store import AttentionStore


class AttentionJobs:
    """The work of this topic that is due by the clock."""

    def __init__(self, store: AttentionStore) -> None:
        self._store = store

    async def look(self) -> bool:
        """Look at the figures of one situation; True if another may be due."""
        return await self._store.look_next()
