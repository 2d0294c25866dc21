"""Registry jobs: uploaded files are forgotten."""

from services.intake.registry.store import RegistryStore


class RegistryJobs:
    """What is done about the registry from time to time."""

    def __init__(self, store: RegistryStore) -> None:
        self._store = store

    async def forget_uploads(self) -> bool:
        """Forget files more than a day old; there is no more to do after it."""
        await self._store.forget_uploads()
        return False
