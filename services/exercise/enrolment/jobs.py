"""Jobs: who has signed up is told of changes; what was never confirmed is forgotten soon, who took part later."""

from services.exercise.enrolment.store import EnrolmentStore


class EnrolmentJobs:
    """The work of this topic that is due by the clock."""

    def __init__(self, store: EnrolmentStore) -> None:
        self._store = store

    async def forget(self) -> bool:
        """Forget a batch of both; True if there may be more."""
        unconfirmed, past = await self._store.forget(), await self._store.forget_past()
        return unconfirmed or past

    async def tell(self) -> bool:
        """Tell a batch of those who have signed up of what changed; True if there may be more."""
        return await self._store.tell_changes()
