"""Mail: speaks SMTP to the relay, stage by stage, so that it is known what a fault means."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import cast

from aiosmtplib import SMTP, SMTPException, SMTPResponseException

from services.notify.delivery.model import Fault, Lane, Stage, interrupted, refusal
from services.notify.delivery.pipeline import Pipeline
from shared.settings import Smtp

COMMAND_TIMEOUT = 30.0
BODY_TIMEOUTS = {Lane.URGENT: 60.0, Lane.BULK: 600.0}
"""Seconds until the relay must have answered the final dot: ten minutes (RFC 5321, 4.5.3.2.6), as less makes duplicates
(RFC 1047). An urgent letter is better had twice than late: somebody sits and waits for it."""


OPENING = ((Stage.MAIL, 2), (Stage.RCPT, 2), (Stage.DATA, 3))
"""The stages of an envelope, and with which digit the relay goes along."""


class MailError(Exception):
    """The relay did not take a letter; the fault says what that means."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.reason)
        self.fault = fault

    @property
    def permanent(self) -> bool:
        """True if this recipient will never get the letter."""
        return self.fault.permanent

    @property
    def ambiguous(self) -> bool:
        """True if the relay may have taken the letter."""
        return self.fault.ambiguous


@dataclass(frozen=True, eq=False)
class Envelope:
    """From whom a letter comes and to whom it goes, as SMTP names them. Raises ValueError for a control character."""

    sender: str
    recipient: str

    def __post_init__(self) -> None:
        if not (self.sender + self.recipient).isprintable():
            raise ValueError("an address holds a control character")

    def commands(self, *, eight_bit: bool) -> bytes:
        """The lines that open a letter, one for each of OPENING."""
        body = " BODY=8BITMIME" if eight_bit else ""
        return f"MAIL FROM:<{self.sender}>{body}\r\nRCPT TO:<{self.recipient}>\r\nDATA\r\n".encode("ascii")


def nobody() -> Envelope | None:
    """Nobody's letter follows."""
    return None


class Connection:
    """One connection to the relay, opened when it is needed and kept.

    The envelope of the next letter may go out with the last dot of this one, where the relay allows it (RFC 2920, 3.1):
    then each letter costs one round trip. Until its body is sent nothing is sent, so that it may still be left.
    """

    def __init__(self, settings: Smtp, *, domain: str, body_timeout: float = BODY_TIMEOUTS[Lane.BULK]) -> None:
        self._settings = settings
        self._domain = domain
        self._body_timeout = body_timeout
        self._pipeline: Pipeline | None = None
        self._pipelining = False
        self._eight_bit = True
        self._ahead: Envelope | None = None
        self.stage = Stage.CONNECT

    async def send(
        self,
        envelope: Envelope,
        *,
        message: Callable[[bool], Awaitable[bytes]],
        following: Callable[[], Envelope | None] = nobody,
    ) -> None:
        """Give one letter to the relay; return when it has answered 250.

        `message` makes the letter for a relay that takes 8bit bodies, or for one that does not. `following` may be
        asked, just before the body goes out, for the envelope that is to go with it: that one must be sent next over
        this connection, or be left. Raises MailError.
        """
        self.stage = Stage.CONNECT
        if self._ahead is not envelope:
            self.leave()
        try:
            pipeline, body = await self._begin(envelope, message)
            await self._body(pipeline, body, following)
        except (SMTPException, OSError) as error:
            raise MailError(await self._fault(error)) from error
        except BaseException:
            if self.stage is not Stage.CONNECT:
                self.close()
            raise
        self.stage = Stage.CONNECT

    async def quit(self) -> None:
        """Take leave of the relay."""
        if self._pipeline is not None and self._pipeline.usable:
            with contextlib.suppress(OSError):
                self._pipeline.write(b"QUIT\r\n")
                await self._pipeline.reply(within=2)
        self.close()

    def leave(self) -> None:
        """Forget a letter whose envelope went ahead. The relay waits for its body and no other: so no more with it."""
        if self._ahead is not None:
            self.close()

    def close(self) -> None:
        """Drop the connection; the next letter opens another."""
        if self._pipeline is not None:
            self._pipeline.close()
            self._pipeline = None
        self._ahead = None

    async def _begin(self, envelope: Envelope, message: Callable[[bool], Awaitable[bytes]]) -> tuple[Pipeline, bytes]:
        """Have the relay wait for the body. A kept connection may have been ended meanwhile: then once more anew."""
        kept = self._pipeline if self._pipeline is not None and self._pipeline.usable else None
        pipeline = kept or await self._open()
        body = await message(self._eight_bit)
        try:
            await self._envelope(pipeline, envelope)
        except (SMTPException, OSError) as error:
            ended = not isinstance(error, SMTPResponseException) or error.code == 421
            if not (kept and ended and self.stage is Stage.MAIL):
                raise
            self.close()
            self.stage = Stage.CONNECT
            pipeline = await self._open()
            body = await message(self._eight_bit)
            await self._envelope(pipeline, envelope)
        return pipeline, body

    async def _open(self) -> Pipeline:
        """A new connection: aiosmtplib makes it, secures it and logs in."""
        smtp = SMTP(
            hostname=self._settings.host,
            port=self._settings.port,
            username=self._settings.username or None,
            password=self._settings.password.get_secret_value() or None,
            local_hostname=self._domain,
            use_tls=self._settings.tls == "implicit",
            start_tls=self._settings.tls == "starttls",
            timeout=COMMAND_TIMEOUT,
        )
        try:
            await smtp.connect()
            await smtp.ehlo()
        except BaseException:
            smtp.close()
            raise
        if smtp.transport is None:
            raise SMTPException("connection lost")
        self._eight_bit = smtp.supports_extension("8bitmime")
        self._pipelining = smtp.supports_extension("pipelining")
        self._pipeline = Pipeline(cast("asyncio.Transport", smtp.transport))
        return self._pipeline

    async def _envelope(self, pipeline: Pipeline, envelope: Envelope) -> None:
        """Name sender and recipient and ask for the body's turn: at once, or one by one if the relay wants it so."""
        gone, self._ahead = self._ahead is envelope, None
        commands = envelope.commands(eight_bit=self._eight_bit)
        if self._pipelining and not gone:
            self.stage = Stage.MAIL
            pipeline.write(commands, replies=len(OPENING))
        for (stage, good), command in zip(OPENING, commands.splitlines(keepends=True), strict=True):
            self.stage = stage
            if not self._pipelining:
                pipeline.write(command)
            reply = await pipeline.reply(within=COMMAND_TIMEOUT)
            if reply.code // 100 != good:
                raise SMTPResponseException(reply.code, reply.text)

    async def _body(self, pipeline: Pipeline, message: bytes, following: Callable[[], Envelope | None]) -> None:
        """The letter and the final dot. If the connection has ended already, nothing of it has gone out."""
        stuffed = message.replace(b"\r\n.", b"\r\n..") if b"\r\n." in message else message
        self._ahead = following() if self._pipelining else None
        commands = self._ahead.commands(eight_bit=self._eight_bit) if self._ahead else b""
        pipeline.write(b"".join((stuffed, b".\r\n", commands)), replies=1 + len(OPENING) * bool(commands))
        self.stage = Stage.BODY
        reply = await pipeline.reply(within=self._body_timeout)
        if reply.code // 100 != 2:
            raise SMTPResponseException(reply.code, reply.text)

    async def _fault(self, error: SMTPException | OSError) -> Fault:
        """What the error means; afterwards there is a connection that can carry the next letter, or none."""
        stage, self.stage = self.stage, Stage.CONNECT
        if not isinstance(error, SMTPResponseException):
            self.close()
            return interrupted(stage, "no answer" if isinstance(error, TimeoutError) else "connection lost")
        forgotten = False
        try:
            forgotten = await self._forgotten(stage, error.code)
        finally:
            if not forgotten:
                self.close()
        return refusal(stage, error.code, error.message)

    async def _forgotten(self, stage: Stage, code: int) -> bool:
        """Have the relay forget the letter that it refused; False if it cannot be said what it will do next."""
        pipeline = self._pipeline
        if pipeline is None or stage is Stage.CONNECT or code < 400:
            return False
        if self._ahead is not None:  # its replies are still to come; with the dot the letter before it was over
            return 400 <= code <= 599 and code != 421
        try:
            codes = [await self._code(pipeline) for _ in range(pipeline.outstanding)]
            if 421 in (code, *codes) or not all(200 <= each <= 599 for each in (code, *codes)):
                return False
            if codes[-1:] == [354]:
                if codes[0] // 100 == 2:  # she is named although the sender was refused: a dot would send her nothing
                    return False
                pipeline.write(b".\r\n")
                await self._code(pipeline)
            pipeline.write(b"RSET\r\n")
            return await self._code(pipeline) == 250
        except OSError:
            return False

    async def _code(self, pipeline: Pipeline) -> int:
        return (await pipeline.reply(within=COMMAND_TIMEOUT)).code


class Pool:
    """A few connections to the relay, each used by one letter at a time."""

    def __init__(
        self, settings: Smtp, *, size: int, domain: str, body_timeout: float = BODY_TIMEOUTS[Lane.BULK]
    ) -> None:
        self.size = size
        self._idle: asyncio.LifoQueue[Connection] = asyncio.LifoQueue()
        self._closing = False
        for _ in range(size):
            self._idle.put_nowait(Connection(settings, domain=domain, body_timeout=body_timeout))

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection for a while; waits until one is free."""
        taken = await self._idle.get()
        try:
            yield taken
        finally:
            if self._closing:
                await taken.quit()
            self._idle.put_nowait(taken)

    async def close(self) -> None:
        """Close what is idle now, and what is in use when it is given back."""
        self._closing = True
        idle = [self._idle.get_nowait() for _ in range(self._idle.qsize())]
        for connection in idle:
            await connection.quit()
            self._idle.put_nowait(connection)
