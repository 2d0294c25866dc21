"""Jobs: answers grow old."""

from services.status.readiness.store import ReadinessStore


class ReadinessJobs:
    """The work of this topic that is due by the clock."""

    def __init__(self, store: ReadinessStore) -> None:
        self._store = store

    async def sweep_stale(self) -> bool:
        """Make stale one page of answers that have outlived their freshness; True if there may be more."""
        return await self._store.expire_due() > 0
