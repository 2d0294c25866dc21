"""Jobs: what was never confirmed is forgotten soon, and who took part some time after the exercise."""

from services.exercise.enrolment.store import EnrolmentStore


class EnrolmentJobs:
    """The work of this topic that is due by the clock."""

    def __init__(self, store: EnrolmentStore) -> None:
        self._store = store

    async def forget(self) -> bool:
        """Forget a batch of both; True if there may be more."""
        unconfirmed, past = await self._store.forget(), await self._store.forget_past()
        return unconfirmed or past
