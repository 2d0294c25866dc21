"""Access jobs: old links and sessions are forgotten."""

from services.intake.access.store import AccessStore


class AccessJobs:
    """What is done about access from time to time."""

    def __init__(self, store: AccessStore) -> None:
        self._store = store

    async def forget(self) -> bool:
        """Forget what has ended; there is no more to do after it."""
        await self._store.forget_old()
        return False
