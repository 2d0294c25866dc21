"""Reply mail: takes letters that answer ours from the door, reads them and has them kept."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

from services.intake.reply.grammar import read_words
from services.intake.reply.mail_text import read_letter
from services.intake.reply.model import Arrived, Letter, Standing, key_of
from shared import mail_door
from shared.clock import Clock
from shared.ids import digest, new_id
from shared.log import logger
from shared.settings import Inbound

log = logger(__name__)

SIZE_LIMIT = 10 * 1024 * 1024
READ_AT_ONCE = 64 * 1024
"""Bytes above which a letter is read in a thread, so that nobody else waits for it."""


class Replies(Protocol):
    """Where letters are kept."""

    async def known(self, door: bytes) -> bool:
        """True if letters to the address with this key's hash are taken."""
        ...

    async def take(self, arrived: Arrived) -> Standing | None:
        """Keep the letter; return once it is on disk."""
        ...


class ReplyBox:
    """What the door asks: which addresses were given out, and to have a letter kept."""

    def __init__(self, replies: Replies, *, domain: str, clock: Clock) -> None:
        self._replies = replies
        self._domain = domain
        self._clock = clock
        self._reading = asyncio.Semaphore(2)

    async def known(self, address: str) -> bool:
        """True if the address stands in a letter of ours."""
        key = key_of(address, domain=self._domain)
        return key is not None and await self._replies.known(digest(key))

    async def take(self, raw: bytes, *, sender: str, addresses: Sequence[str]) -> Sequence[bool]:
        """Keep one row for each address; for each, whether it is on disk."""
        letter = await self._read(raw, sender=sender)
        return [await self._keep(letter, address) for address in addresses]

    async def _read(self, raw: bytes, *, sender: str) -> Letter:
        if len(raw) <= READ_AT_ONCE:
            return read_letter(raw, sender=sender)
        async with self._reading:
            return await asyncio.to_thread(read_letter, raw, sender=sender)

    async def _keep(self, letter: Letter, address: str) -> bool:
        key = key_of(address, domain=self._domain) or ""
        arrived = Arrived(
            reply_id=new_id(),
            door=digest(key),
            letter=letter,
            received_at=self._clock.now(),
            status=read_words(letter.words),
        )
        try:
            stands = await self._replies.take(arrived)
        except Exception as error:  # whatever it was, the letter is not kept: its sender keeps it and tries again
            mail_door.not_taken(error)
            return False
        log.info("letter taken", state=stands.state.value if stands else "known already", size=letter.size)
        return True


@asynccontextmanager
async def listening(replies: Replies, settings: Inbound, *, domain: str, clock: Clock) -> AsyncIterator[None]:
    """Take letters while this runs; nothing happens where no port is given. Raises OSError when the port is taken."""
    box = ReplyBox(replies, domain=domain, clock=clock)
    async with mail_door.listening(box, settings, domain=domain, largest=SIZE_LIMIT):
        yield
