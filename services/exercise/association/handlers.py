"""Handlers: what the registry tells of associations and networks."""

from services.exercise.association.store import AssociationStore
from shared.events.intake import AssociationChanged, NetworkChanged


class AssociationHandlers:
    """Keeps the copy of the registry up to date. There is one registry, in the live realm."""

    def __init__(self, store: AssociationStore) -> None:
        self._store = store

    async def on_association_changed(self, event: AssociationChanged) -> None:
        """Remember the association as it is now told."""
        if event.realm.live:
            await self._store.know(event)

    async def on_network_changed(self, event: NetworkChanged) -> None:
        """Remember the network as it is now told."""
        if event.realm.live:
            await self._store.know_network(event)
