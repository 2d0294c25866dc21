"""Confirmation handlers: a letter that asked a contact did not arrive."""

from services.intake.confirmation.store import ConfirmationStore
from shared.events.notify import LetterFailed


class ConfirmationHandlers:
    """Hears of letters."""

    def __init__(self, store: ConfirmationStore) -> None:
        self._store = store

    async def on_letter_failed(self, event: LetterFailed) -> None:
        """Mark the contact. Other letters are nobody's concern here."""
        if event.kind == "details":
            await self._store.not_delivered(event.recipient_id)
