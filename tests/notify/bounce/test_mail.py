"""The door for letters that come back, over real SMTP: only to addresses that we gave out, only what is on disk."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiosmtplib import SMTP, SMTPDataError, SMTPRecipientRefused, SMTPResponseException
from sqlalchemy import select, text
from sqlmodel import col

from services.notify.bounce.mail import SIZE_LIMIT, listening
from services.notify.bounce.model import Found
from services.notify.bounce.schema import BounceRow
from services.notify.delivery.return_address import return_address
from shared.ids import new_id
from shared.settings import Inbound
from tests.notify.bounce.conftest import Returns, report
from tests.postgres import free_port


@asynccontextmanager
async def door(returns: Returns) -> AsyncIterator[SMTP]:
    """A relay at our open door."""
    settings = returns.house.settings
    inbound = Inbound(port=free_port())
    async with (
        listening(returns.bounces, inbound, domain=settings.mail_domain, clock=returns.clock),
        SMTP(hostname="127.0.0.1", port=inbound.port, start_tls=False, local_hostname="relay.example.org") as smtp,
    ):
        yield smtp


async def bring(smtp: SMTP, raw: bytes, *, to: str) -> None:
    """Bring a letter as a mail server brings a report: from nobody."""
    await smtp.rset()
    await smtp.mail("")
    await smtp.rcpt(to)
    await smtp.data(raw)


async def sent(returns: Returns) -> str:
    """The return address of a letter that was sent."""
    letter = await returns.send([new_id()])
    [row] = await returns.deliveries(letter)
    settings = returns.house.settings
    secret = settings.secret.get_secret_value()
    return return_address(row.id or 0, row.letter_id, row.recipient_id, secret=secret, domain=settings.mail_domain)


async def kept(returns: Returns) -> list[bytes]:
    async with returns.house.database.read() as session:
        return list((await session.execute(select(col(BounceRow.raw)))).scalars())


async def test_a_letter_is_on_disk_when_it_is_acknowledged(returns: Returns) -> None:
    address = await sent(returns)

    async with door(returns) as smtp:
        await bring(smtp, report(Found.HARD), to=address.upper())

    assert await kept(returns) == [report(Found.HARD)]


async def test_an_address_that_was_not_given_out_is_refused_at_once(returns: Returns) -> None:
    box, _, domain = (await sent(returns)).partition("@")
    other = f"{box[:-1]}{'0' if box[-1] != '0' else '1'}"

    async with door(returns) as smtp:
        for address in (f"{other}@{domain}", f"bounce+1@{domain}", f"bounce@{domain}", f"{box}@elsewhere.example"):
            with pytest.raises(SMTPRecipientRefused) as refused:
                await bring(smtp, report(Found.HARD), to=address)
            assert refused.value.code == 550

    assert await kept(returns) == []


async def test_nothing_is_acknowledged_that_cannot_be_kept(returns: Returns) -> None:
    address = await sent(returns)
    async with returns.house.database.write() as session:
        full = "CREATE TRIGGER full BEFORE INSERT ON bounce BEGIN SELECT RAISE(ABORT, 'disk full'); END"
        await session.execute(text(full))

    async with door(returns) as smtp:
        with pytest.raises(SMTPDataError) as not_now:
            await bring(smtp, report(Found.HARD), to=address)

    assert not_now.value.code == 451


async def test_a_letter_that_is_too_large_is_refused(returns: Returns) -> None:
    address = await sent(returns)

    async with door(returns) as smtp:
        with pytest.raises(SMTPResponseException) as too_large:
            await bring(smtp, report(Found.HARD) + (b"x" * 900 + b"\r\n") * (SIZE_LIMIT // 900 + 1), to=address)

    assert (too_large.value.code, await kept(returns)) == (552, [])
