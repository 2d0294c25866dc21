"""Mail: speaks SMTP to the relay, stage by stage, so that it is known what a fault means."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiosmtplib import SMTP, SMTPException, SMTPResponseException, SMTPTimeoutError

from services.notify.delivery.model import Fault, Stage, interrupted, refusal
from shared.settings import Smtp

COMMAND_TIMEOUT = 30.0
BODY_TIMEOUT = 600.0
"""Seconds until the relay must have answered the final dot (RFC 5321, 4.5.3.2.6); less makes duplicates (RFC 1047)."""


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


class Connection:
    """One connection to the relay, opened when it is needed and kept."""

    def __init__(self, settings: Smtp, *, domain: str, body_timeout: float = BODY_TIMEOUT) -> None:
        self._settings = settings
        self._domain = domain
        self._body_timeout = body_timeout
        self._smtp: SMTP | None = None
        self.stage = Stage.CONNECT
        self.eight_bit = True

    async def send(self, sender: str, recipient: str, *, message: Callable[[bool], bytes]) -> None:
        """Give one letter to the relay; return when it has answered 250.

        `message` makes the letter for a relay that takes 8bit bodies, or for one that does not. Raises MailError.
        """
        self.stage = Stage.CONNECT
        async with self._explained():
            kept = await self._ready()
        body = message(self.eight_bit)
        async with self._explained():
            await self._mail(sender, kept=kept)
            await self._command(Stage.RCPT, f"RCPT TO:<{recipient}>", wanted=250)
            await self._command(Stage.DATA, "DATA", wanted=354)
            await self._body(body)
        self.stage = Stage.CONNECT

    @asynccontextmanager
    async def _explained(self) -> AsyncIterator[None]:
        """Turn what goes wrong into a MailError, and leave a connection that can be used or none."""
        try:
            yield
        except SMTPResponseException as error:
            await self._reset(error.code)
            raise MailError(refusal(self.stage, error.code, error.message)) from error
        except (SMTPException, OSError) as error:
            self.close()
            why = "no answer" if isinstance(error, SMTPTimeoutError | TimeoutError) else "connection lost"
            raise MailError(interrupted(self.stage, why)) from error
        except BaseException:
            self.close()
            raise

    async def quit(self) -> None:
        """Take leave of the relay."""
        if self._smtp is not None and self._smtp.is_connected:
            with contextlib.suppress(SMTPException, OSError):
                await self._smtp.quit(timeout=2)
        self.close()

    def close(self) -> None:
        """Drop the connection; the next letter opens another."""
        if self._smtp is not None:
            self._smtp.close()
            self._smtp = None

    async def _ready(self) -> bool:
        """Be connected; True if the connection was kept from before."""
        if self._smtp is not None and self._smtp.is_connected:
            return True
        await self._open()
        return False

    async def _mail(self, sender: str, *, kept: bool) -> None:
        """Name the sender. A kept connection may have been ended meanwhile: then once more on a new one."""
        command = f"MAIL FROM:<{sender}>" + " BODY=8BITMIME" * self.eight_bit
        try:
            await self._command(Stage.MAIL, command, wanted=250)
        except (SMTPException, OSError) as error:
            ended = not isinstance(error, SMTPResponseException) or error.code == 421
            if not (kept and ended):
                raise
            self.close()
            self.stage = Stage.CONNECT
            await self._open()
            await self._command(Stage.MAIL, command, wanted=250)

    async def _open(self) -> None:
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
        self._smtp = smtp
        await smtp.connect()
        await smtp.ehlo()
        self.eight_bit = smtp.supports_extension("8bitmime")

    async def _command(self, stage: Stage, command: str, *, wanted: int) -> None:
        assert self._smtp is not None  # noqa: S101 - opened by the first stage
        self.stage = stage
        reply = await self._smtp.execute_command(command.encode("ascii"))
        if reply.code // 100 != wanted // 100:
            raise SMTPResponseException(reply.code, reply.message)

    async def _body(self, message: bytes) -> None:
        """The letter and the final dot. aiosmtplib's own `data` cannot tell a fault before the body from one after."""
        protocol = self._smtp.protocol if self._smtp is not None else None
        if protocol is None:
            raise SMTPException("connection lost")
        self.stage = Stage.BODY
        protocol.write(message.replace(b"\r\n.", b"\r\n..") + b".\r\n")
        reply = await protocol.read_response(timeout=self._body_timeout)
        if reply.code // 100 != 2:
            raise SMTPResponseException(reply.code, reply.message)

    async def _reset(self, code: int) -> None:
        """Forget the letter that was refused, so that the connection can carry the next one."""
        usable = self._smtp is not None and self._smtp.is_connected and 400 <= code <= 599 and code != 421
        if self._smtp is None or self.stage is Stage.CONNECT or not usable:
            self.close()
            return
        try:
            await self._smtp.rset()
        except (SMTPException, OSError):
            self.close()


class Pool:
    """A few connections to the relay, each used by one letter at a time."""

    def __init__(self, settings: Smtp, *, size: int, domain: str, body_timeout: float = BODY_TIMEOUT) -> None:
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
