"""Bounce mail: takes letters that come back from the door, and has them kept before anything is made of them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from services.notify.bounce.store import Arrived, BounceStore
from services.notify.delivery.return_address import read_return_address
from shared import mail_door
from shared.clock import Clock
from shared.log import logger
from shared.settings import Inbound

log = logger(__name__)

SIZE_LIMIT = 5 * 1024 * 1024


class BounceBox:
    """What the door asks: which addresses were given out, and to have a letter kept."""

    def __init__(self, bounces: BounceStore, *, domain: str, clock: Clock) -> None:
        self._bounces = bounces
        self._domain = domain
        self._clock = clock

    async def known(self, address: str) -> bool:
        """True if the address was the envelope sender of a letter of ours."""
        claimed = read_return_address(address, domain=self._domain)
        return claimed is not None and await self._bounces.known(claimed)

    async def take(self, raw: bytes, *, sender: str, addresses: Sequence[str]) -> Sequence[bool]:  # noqa: ARG002 - who brings it says nothing
        """Keep one row for each address; for each, whether it is on disk."""
        kept = await asyncio.gather(*(self._keep(raw, address) for address in addresses))
        log.info("letter came back", size=len(raw), kept=sum(kept))
        return kept

    async def _keep(self, raw: bytes, address: str) -> bool:
        claimed = read_return_address(address, domain=self._domain)
        try:
            return claimed is not None and await self._bounces.take(Arrived(claimed.delivery, raw, self._clock.now()))
        except Exception as error:  # whatever it was, the letter is not kept: its sender keeps it and tries again
            mail_door.not_taken(error)
            return False


@asynccontextmanager
async def listening(bounces: BounceStore, settings: Inbound, *, domain: str, clock: Clock) -> AsyncIterator[None]:
    """Take letters while this runs; nothing happens where no port is given. Raises OSError when the port is taken."""
    box = BounceBox(bounces, domain=domain, clock=clock)
    async with mail_door.listening(box, settings, domain=domain, largest=SIZE_LIMIT):
        yield
