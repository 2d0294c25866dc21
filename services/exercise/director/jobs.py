"""Jobs: the clocks of running exercises are looked at each second."""

from services.exercise.director.store import DirectorStore


class DirectorJobs:
    """The work of this topic that is due by the clock."""

    def __init__(self, store: DirectorStore) -> None:
        self._store = store

    async def direct(self) -> bool:
        """Put in what is due. What becomes due next waits for the next second."""
        await self._store.direct()
        return False
