"""Jobs: the silent are reminded, and rounds that recur are opened anew."""

from services.status.round.store import DUE_AT_ONCE, RoundStore


class RoundJobs:
    """The work of this topic that is due by the clock."""

    def __init__(self, store: RoundStore) -> None:
        self._store = store

    async def remind(self) -> bool:
        """Remind in what is due; True if there may be more."""
        return await self._store.remind_due() == DUE_AT_ONCE

    async def repeat(self) -> bool:
        """Open anew what is due; True if there may be more."""
        return await self._store.repeat_due() == DUE_AT_ONCE
