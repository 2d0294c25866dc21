"""Handlers: intake says whom nobody plays in an exercise."""

from services.exercise.simulated.store import SimulatedStore
from shared.events.intake import SimulatedAsked


class SimulatedHandlers:
    """Hears who is to be answered for."""

    def __init__(self, store: SimulatedStore) -> None:
        self._store = store

    async def on_simulated_asked(self, event: SimulatedAsked) -> None:
        """Draw what they do."""
        await self._store.ask(event)
