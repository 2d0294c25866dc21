"""Register file jobs: uploaded files are forgotten."""

from services.intake.register_file.store import RegisterFileStore


class RegisterFileJobs:
    """What is done about register files from time to time."""

    def __init__(self, store: RegisterFileStore) -> None:
        self._store = store

    async def forget_uploads(self) -> bool:
        """Forget files more than a day old; there is no more to do after it."""
        await self._store.forget_uploads()
        return False
