"""Handlers: what associations report, who declines, whom no letter reached, and what the registry says of them."""

from services.status.readiness.model import Verdict
from services.status.readiness.store import News, ReadinessStore
from shared.events.intake import AssociationChanged, AssociationDeclined, AssociationNotReached, CheckInReceived
from shared.log import logger

log = logger(__name__)


class NotKnownYetError(Exception):
    """The association's own event has not come yet: a passing fault, the bus tries again."""


class ReadinessHandlers:
    """Applies each event once, in groups."""

    def __init__(self, store: ReadinessStore) -> None:
        self._store = store

    async def on_checkin_received(self, event: CheckInReceived) -> None:
        """Apply a check-in; raises NotKnownYetError for an association that the registry has not told of."""
        await self._apply(event)

    async def on_association_not_reached(self, event: AssociationNotReached) -> None:
        """Note that no letter reached the association; raises as a check-in does."""
        await self._apply(event)

    async def on_association_declined(self, event: AssociationDeclined) -> None:
        """Note that the association will not answer this time; raises as a check-in does."""
        await self._apply(event)

    async def on_association_changed(self, event: AssociationChanged) -> None:
        """Remember what the registry told, and count by it."""
        await self._store.know(event)

    async def _apply(self, event: News) -> None:
        verdict = await self._store.hear(event)
        if verdict is Verdict.ASSOCIATION_UNKNOWN:
            raise NotKnownYetError(str(event.association_id))
        if verdict is not Verdict.HEARD:
            log.info("not applied", fact=event.fact, event_id=str(event.event_id), reason=verdict)
