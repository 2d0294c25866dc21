"""Jobs: rounds end when their time is up."""

from services.status.situation.store import SituationStore


class SituationJobs:
    """The work of this topic that is due by the clock."""

    def __init__(self, store: SituationStore) -> None:
        self._store = store

    async def close_due_rounds(self) -> bool:
        """Close what is due; True if there may be more."""
        return await self._store.close_due_rounds() > 0
