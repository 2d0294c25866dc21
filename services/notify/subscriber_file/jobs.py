"""Subscriber file jobs: uploaded lists are tried out and imported, and forgotten."""

from services.notify.subscriber_file.store import SubscriberFileStore


class SubscriberFileJobs:
    """What is done about lists from time to time."""

    def __init__(self, store: SubscriberFileStore) -> None:
        self._store = store

    async def work(self) -> bool:
        """Try out or import one list; there may be another after it."""
        return await self._store.work()

    async def forget_uploads(self) -> bool:
        """Forget lists more than a day old; there is no more to do after it."""
        await self._store.uploads.forget()
        return False
