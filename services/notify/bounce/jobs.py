"""Jobs of bounces: letters that came back are read, a few at a time."""

import asyncio

from services.notify.bounce.model import TRIES, Found, Report
from services.notify.bounce.report_format import read_report
from services.notify.bounce.store import BATCH, BounceStore, Claimed
from shared.log import logger

log = logger(__name__)


class Reading:
    """The work of reading."""

    def __init__(self, bounces: BounceStore) -> None:
        self._bounces = bounces

    async def read(self) -> bool:
        """Read up to BATCH letters; True if there may be more. What ended its reader TRIES times waits for a person."""
        claimed = await self._bounces.claim()
        if claimed:
            await self._bounces.settle([(one, await _report(one)) for one in claimed])
        return len(claimed) == BATCH


async def _report(claimed: Claimed) -> Report:
    if claimed.tries > TRIES:
        log.error("a letter that came back ends its reader; it waits for a person", tries=claimed.tries)
        return Report(Found.UNCLEAR)
    return await asyncio.to_thread(read_report, claimed.raw)
