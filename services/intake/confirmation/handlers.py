"""Confirmation handlers: a letter that asked a contact did not arrive."""

from services.intake.confirmation.store import ConfirmationStore
from shared.events.notify import LetterFailed, LetterReturned


class ConfirmationHandlers:
    """Hears of letters."""

    def __init__(self, store: ConfirmationStore) -> None:
        self._store = store

    async def on_letter_failed(self, event: LetterFailed) -> None:
        """Mark the contact. Other letters are nobody's concern here."""
        if event.kind == "details":
            await self._store.not_delivered(event.recipient_id)

    async def on_letter_returned(self, event: LetterReturned) -> None:
        """The same for one that went out and came back."""
        if event.kind == "details":
            await self._store.not_delivered(event.recipient_id)
