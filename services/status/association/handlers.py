"""Handlers: the registry says what it holds."""

from services.status.association.store import AssociationStore
from shared.events.intake import AssociationChanged


class AssociationHandlers:
    """Keeps the copy of the registry."""

    def __init__(self, store: AssociationStore) -> None:
        self._store = store

    async def on_association_changed(self, event: AssociationChanged) -> None:
        """Remember what was told."""
        await self._store.know(event)
