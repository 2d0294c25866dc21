"""Handlers: what the registry tells of networks."""

from services.status.network.store import NetworkStore
from shared.events.intake import NetworkChanged


class NetworkHandlers:
    """Keeps the names up to date."""

    def __init__(self, store: NetworkStore) -> None:
        self._store = store

    async def on_network_changed(self, event: NetworkChanged) -> None:
        """Remember the network as it is now told."""
        await self._store.know(event)
