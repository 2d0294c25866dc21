"""Confirmation jobs: the half-yearly beginning, and the letters of a campaign, some at a time."""

from services.intake.confirmation.store import ConfirmationStore


class ConfirmationJobs:
    """What is done about confirmation from time to time."""

    def __init__(self, store: ConfirmationStore) -> None:
        self._store = store

    async def begin(self) -> bool:
        """Begin the campaign of a new half-year; there is no more to do after it."""
        await self._store.begin_half_year()
        return False

    async def ask(self) -> bool:
        """Ask some contacts; True while there may be more."""
        _reason, more = await self._store.ask_some()
        return more
