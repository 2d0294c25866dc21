"""Register file jobs: uploaded files are tried out and imported, and forgotten."""

from services.intake.register_file.store import RegisterFileStore


class RegisterFileJobs:
    """What is done about register files from time to time."""

    def __init__(self, store: RegisterFileStore) -> None:
        self._store = store

    async def work(self) -> bool:
        """Try out or import one file; there may be another after it."""
        return await self._store.work()

    async def forget_uploads(self) -> bool:
        """Forget files more than a day old; there is no more to do after it."""
        await self._store.uploads.forget()
        return False
