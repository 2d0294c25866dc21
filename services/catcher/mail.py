"""Mail of the catcher: an SMTP listener that takes letters and delivers none."""

import asyncio
from collections.abc import Awaitable, Callable
from email.header import decode_header, make_header
from email.parser import BytesHeaderParser

from aiosmtpd.smtp import SMTP, Envelope, Session

from services.catcher.store import Caught

SIZE_LIMIT = 10 * 1024 * 1024
NOBODY = "nobody"
"""Addresses whose mailbox begins with this are refused, as a mail server refuses one that it does not know."""


class Taker:
    """aiosmtpd's handler: a letter is acknowledged once it is kept."""

    def __init__(self, keep: Callable[[Caught], Awaitable[None]]) -> None:
        self._keep = keep

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take every recipient but NOBODY, so that it can be seen what becomes of a letter that is refused."""
        if address.lower().startswith(NOBODY):
            return "550 5.1.1 There is no such mailbox"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Keep one row for each recipient of the envelope."""
        raw = envelope.original_content or b""
        headers = BytesHeaderParser().parsebytes(raw)
        for recipient in envelope.rcpt_tos:
            await self._keep(
                Caught(
                    sender=envelope.mail_from or "",
                    recipient=recipient,
                    subject=str(make_header(decode_header(headers.get("Subject", "")))),
                    message_id=headers.get("Message-ID", ""),
                    raw=raw,
                )
            )
        return "250 Kept, not delivered"


async def listen(keep: Callable[[Caught], Awaitable[None]], *, host: str, port: int) -> asyncio.Server:
    """Listen for SMTP; close the server to stop. Raises OSError when the port is taken."""
    taker = Taker(keep)

    def protocol() -> SMTP:
        return SMTP(taker, data_size_limit=SIZE_LIMIT, enable_SMTPUTF8=True, hostname="catcher.example.org")

    return await asyncio.get_running_loop().create_server(protocol, host, port)
