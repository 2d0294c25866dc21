"""Reminder handlers: status decides when the silent are reminded."""

from services.intake.reminder.store import ReminderStore
from shared.events.status import RoundReminded
from shared.log import logger

log = logger(__name__)


class ReminderHandlers:
    """Hears that it is time."""

    def __init__(self, store: ReminderStore) -> None:
        self._store = store

    async def on_round_reminded(self, event: RoundReminded) -> None:
        """Remind whoever has not answered by now."""
        reminded = await self._store.remind(event)
        log.info("the silent are reminded", round=str(event.round_id), number=event.number, reminded=reminded)
