"""Mail door: listens for letters from a relay (SMTP or LMTP), within bounds, and takes one only when it is on disk."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from shared.log import logger
from shared.settings import Inbound

log = logger(__name__)

LINE_LIMIT = 64 * 1024
"""Bytes of a line. SMTP allows 1,000; a program that writes longer ones is no reason to lose a letter."""

MOST_CONNECTIONS, MOST_OF_ONE_PEER = 32, 16
MOST_RECIPIENTS = 5
PATIENCE = 120.0
"""Seconds in which a command, the letter itself included, must be through."""

TAKEN = "250 2.0.0 Kept"
NOT_NOW = "451 4.3.0 Not now, please try again later"
TOO_MANY = "451 4.7.1 Too many letters, please try again later"
UNKNOWN = "550 5.1.1 No such address here"
MANY_RECIPIENTS = "452 4.5.3 Too many recipients"


class Box(Protocol):
    """Where letters are kept."""

    async def known(self, address: str) -> bool:
        """True if letters to this address are taken."""
        ...

    async def take(self, raw: bytes, *, sender: str, addresses: Sequence[str]) -> Sequence[bool]:
        """Keep the letter for each of these addresses; for each, True once it is on disk. `sender` may be empty."""
        ...


class Taker:
    """aiosmtpd's handler: who is written to is asked of the box first, and a letter is acknowledged once it is kept."""

    def __init__(self, box: Box, settings: Inbound) -> None:
        self._box = box
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._limit = RateLimitItemPerMinute(settings.rate)
        self._lmtp = settings.protocol == "lmtp"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Take only addresses that were given out: nobody is written back to say that there is no such one."""
        if len(envelope.rcpt_tos) >= MOST_RECIPIENTS:
            return MANY_RECIPIENTS
        if not self._limiter.hit(self._limit, str(session.peer[0] if session.peer else "-")):
            return TOO_MANY
        if not await self._box.known(address):
            return UNKNOWN
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Have it kept for each address. LMTP wants a reply for each (RFC 2033), SMTP one for all."""
        kept = await self._box.take(
            envelope.original_content or b"", sender=envelope.mail_from or "", addresses=envelope.rcpt_tos
        )
        replies = [TAKEN if done else NOT_NOW for done in kept]
        return "\r\n".join(replies) if self._lmtp else next((said for said in replies if said != TAKEN), TAKEN)

    async def handle_exception(self, error: Exception) -> str:
        """Say nothing of the inside; the sender tries again."""
        not_taken(error)
        return NOT_NOW


def not_taken(error: Exception) -> None:
    """Log why a letter is left with its sender, without a word of it."""
    log.error("a letter is not taken now", error=type(error).__name__)


class _Crowd:
    """Who is connected: a bounded number in all, and of each peer."""

    def __init__(self) -> None:
        self._members: dict[_Bounded, str] = {}

    def enter(self, member: "_Bounded", peer: str) -> bool:
        """True, and counted, while there is room."""
        if len(self._members) >= MOST_CONNECTIONS or Counter(self._members.values())[peer] >= MOST_OF_ONE_PEER:
            return False
        self._members[member] = peer
        return True

    def leave(self, member: "_Bounded") -> None:
        """There is room again."""
        self._members.pop(member, None)

    async def send_away(self) -> None:
        """End every connection; what was not acknowledged is sent again."""
        await asyncio.gather(*(member.end() for member in list(self._members)), return_exceptions=True)


class _Bounded(asyncio.StreamReaderProtocol):
    """A connection that begins only where there is room; mixed into aiosmtpd's own."""

    line_length_limit = LINE_LIMIT
    crowd: _Crowd
    transport: asyncio.Transport | None
    _handler_coroutine: asyncio.Task[None]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, or say that there are too many."""
        super().connection_made(transport)
        peer = str((transport.get_extra_info("peername") or ("-",))[0])
        if not self.crowd.enter(self, peer) and self.transport is not None:
            self.transport.write(b"421 4.7.0 Too many connections, please try again later\r\n")
            self.transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        """Make room."""
        self.crowd.leave(self)
        super().connection_lost(error)

    async def end(self) -> None:
        """Close the connection; return when nothing of it runs any more."""
        if self.transport is not None:
            self.transport.close()
        await asyncio.wait([self._handler_coroutine])


class _Smtp(_Bounded, SMTP):  # type: ignore[misc]  # aiosmtpd has no types
    """SMTP, bounded."""


class _Lmtp(_Bounded, LMTP):  # type: ignore[misc]  # aiosmtpd has no types
    """LMTP, bounded."""


@asynccontextmanager
async def listening(box: Box, settings: Inbound, *, domain: str, largest: int) -> AsyncIterator[None]:
    """Take letters of at most `largest` bytes while this runs; nothing happens where no port is given.

    Raises OSError when the port is taken.
    """
    if not settings.port:
        yield
        return
    logging.getLogger("mail.log").setLevel(logging.WARNING)  # aiosmtpd tells of every address
    loop, crowd = asyncio.get_running_loop(), _Crowd()
    taker = Taker(box, settings)

    def connection() -> _Bounded:
        made: _Bounded = (_Lmtp if settings.protocol == "lmtp" else _Smtp)(
            taker,
            data_size_limit=largest,
            enable_SMTPUTF8=True,
            hostname=domain,
            ident="Valmius",
            timeout=PATIENCE,
            loop=loop,
        )
        made.crowd = crowd
        return made

    server = await loop.create_server(connection, settings.host, settings.port)
    try:
        yield
    finally:
        server.close()
        await crowd.send_away()
        await server.wait_closed()
