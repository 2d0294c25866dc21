"""Audit jobs: the chain is followed from time to time, so that a broken one is told of before anybody looks."""

from services.intake.audit.store import AuditStore
from shared.clock import Clock
from shared.log import logger

log = logger(__name__)


class AuditJobs:
    """What is done about the audit from time to time."""

    def __init__(self, store: AuditStore, *, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def check(self) -> bool:
        """Check the next rows; True if there are more."""
        more = await self._store.check_on(self._clock.now())
        if not more and (broken := (await self._store.checked()).broken_at):
            log.error("the audit is broken: a row is missing or changed", row=broken)
        return more
