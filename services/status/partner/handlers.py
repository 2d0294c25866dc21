"""Handlers: which keys of partners open the picture."""

from services.status.partner.store import PartnerStore
from shared.events.intake import PartnerKeyChanged


class PartnerHandlers:
    """Keeps the keys up to date."""

    def __init__(self, store: PartnerStore) -> None:
        self._store = store

    async def on_partner_key_changed(self, event: PartnerKeyChanged) -> None:
        """Honour the key, or no more."""
        await self._store.know(event)
