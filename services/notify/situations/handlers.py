"""Handlers of what status says of situations."""

from services.notify.situations.store import SituationStore
from shared.events.status import SituationChanged, SituationClosed, SituationOpened


class SituationHandlers:
    """Keeps the known situations as status tells them; a telling that comes again changes nothing."""

    def __init__(self, situations: SituationStore) -> None:
        self._situations = situations

    async def on_situation_opened(self, event: SituationOpened) -> None:
        """It can be named in guidance and stands on the public page."""
        await self._situations.tell(event)

    async def on_situation_changed(self, event: SituationChanged) -> None:
        """Its name or area is another one now."""
        await self._situations.tell(event)

    async def on_situation_closed(self, event: SituationClosed) -> None:
        """It is over."""
        await self._situations.close(event)
