"""Handlers: wishes for letters from the bus go into the ledger, and nowhere else."""

from services.notify.delivery.store import Ledger
from shared.events.notify import LetterRequested, UrgentLetterRequested


class WishHandlers:
    """What notify does when a letter is asked for."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def on_urgent_letter_requested(self, event: UrgentLetterRequested) -> None:
        """Put the letter into the urgent lane."""
        await self._ledger.hear(event)

    async def on_letter_requested(self, event: LetterRequested) -> None:
        """Put the letter into the bulk lane."""
        await self._ledger.hear(event)
