"""The listener over real SMTP and LMTP: only what is on disk is acknowledged, and only what was asked for is taken."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from aiosmtplib import SMTP, SMTPDataError, SMTPRecipientsRefused, SMTPResponseException
from sqlalchemy import text

from services.intake.reply.mail import SIZE_LIMIT
from services.intake.reply.model import ReplyState
from shared.mail_door import MOST_OF_ONE_PEER
from shared.settings import Inbound, Settings
from tests.fakes import FakeClock
from tests.intake.house import AINO, Intake, running_intake
from tests.intake.reply.post import answers, keys, replies, written
from tests.postgres import free_port

DOMAIN = "valmius.example.org"
AINO_WRITES = "aino@example.org"


@asynccontextmanager
async def listening(settings: Settings, clock: FakeClock, **inbound: object) -> AsyncIterator[tuple[Intake, str, int]]:
    """Intake with its door for letters open, the address at which Aino may answer, and the port."""
    port = free_port()
    opened = settings.model_copy(update={"inbound": Inbound.model_validate({"port": port, **inbound})})
    async with running_intake(opened, clock) as intake:
        await intake.take_in(AINO)
        await intake.open_round(await intake.ids())
        yield intake, f"vastaus+{(await keys(intake))[0]}@{DOMAIN}", port


@asynccontextmanager
async def relay(port: int) -> AsyncIterator[SMTP]:
    async with SMTP(hostname="127.0.0.1", port=port, local_hostname="relay.example.org", timeout=10) as smtp:
        yield smtp


async def test_a_letter_is_on_disk_when_it_is_acknowledged(settings: Settings, clock: FakeClock) -> None:
    async with listening(settings, clock) as (intake, address, port), relay(port) as smtp:
        _, said = await smtp.sendmail(AINO_WRITES, [address.upper()], written("2"))

        [row] = await replies(intake)
        assert said.startswith("2.0.0 Kept")
        assert row.state == ReplyState.READ
        assert await answers(intake) == [("limited", "email", None)]


async def test_an_address_that_was_not_given_out_is_refused_at_once(settings: Settings, clock: FakeClock) -> None:
    async with listening(settings, clock) as (intake, address, port), relay(port) as smtp:
        for other in (f"vastaus+{'a' * 32}@{DOMAIN}", f"valmius@{DOMAIN}", "aino@elsewhere.example", f"x{address}"):
            with pytest.raises(SMTPRecipientsRefused) as refused:
                await smtp.sendmail(AINO_WRITES, [other], written("2"))
            assert refused.value.recipients[0].code == 550

        assert await replies(intake) == []


async def test_a_delivery_report_comes_without_a_sender_and_sets_nothing(settings: Settings, clock: FakeClock) -> None:
    async with listening(settings, clock) as (intake, address, port), relay(port) as smtp:
        await smtp.ehlo()
        for command in (b"MAIL FROM:<>", f"RCPT TO:<{address}>".encode()):
            assert (await smtp.execute_command(command)).code == 250
        await smtp.data(written("2"))

        [row] = await replies(intake)
        assert row.state == ReplyState.AUTOMATIC
        assert await intake.said("urgent") == []


async def test_nothing_is_acknowledged_that_was_not_wholly_kept(settings: Settings, clock: FakeClock) -> None:
    async with listening(settings, clock) as (intake, address, port), relay(port) as smtp:
        async with intake.database.write() as session:  # the last row of the transaction cannot be written
            await session.execute(
                text("CREATE TRIGGER full BEFORE INSERT ON outbox BEGIN SELECT RAISE(ABORT, 'disk full'); END")
            )
        with pytest.raises(SMTPDataError) as not_now:
            await smtp.sendmail(AINO_WRITES, [address], written("2", name="a"))
        kept = (await replies(intake), await answers(intake))
        async with intake.database.write() as session:
            await session.execute(text("DROP TRIGGER full"))
        await smtp.sendmail(AINO_WRITES, [address], written("2", name="a"))
        await smtp.sendmail(AINO_WRITES, [address], written("2", name="a"))

        assert not_now.value.code == 451
        assert kept == ([], [])
        assert len(await replies(intake)) == len(await answers(intake)) == 1


async def test_a_letter_for_later_is_asked_for_while_the_database_is_away(settings: Settings, clock: FakeClock) -> None:
    async with listening(settings, clock) as (intake, address, port), relay(port) as smtp:
        async with intake.database.write() as session:
            await session.execute(text("ALTER TABLE invitation_token RENAME TO away"))

        with pytest.raises(SMTPRecipientsRefused) as refused:
            await smtp.sendmail(AINO_WRITES, [address], written("2"))

        assert refused.value.recipients[0].code == 451
        assert "sqlite" not in refused.value.recipients[0].message.lower()


@pytest.mark.slow
async def test_a_large_letter_is_read_and_a_larger_one_refused(settings: Settings, clock: FakeClock) -> None:
    async with listening(settings, clock) as (intake, address, port), relay(port) as smtp:
        padding = "\r\n".join(["> " + "x" * 70] * 14_000)
        await smtp.sendmail(AINO_WRITES, [address], written(f"3\r\n\r\n{padding}"))
        with pytest.raises(SMTPResponseException) as refused:
            await smtp.sendmail(AINO_WRITES, [address], written("x" * 60 + "\r\n") + b"y" * SIZE_LIMIT)

        [row] = await replies(intake)
        assert (row.status, row.size > 1_000_000) == ("suspended", True)
        assert refused.value.code == 552


async def test_a_very_long_line_is_no_reason_to_lose_a_letter(settings: Settings, clock: FakeClock) -> None:
    async with listening(settings, clock) as (intake, address, port), relay(port) as smtp:
        await smtp.sendmail(AINO_WRITES, [address], written("2\r\n\r\n> " + "x" * 20_000))

        assert await answers(intake) == [("limited", "email", None)]


async def test_one_relay_cannot_bring_more_than_it_may(settings: Settings, clock: FakeClock) -> None:
    async with listening(settings, clock, rate=2) as (intake, address, port), relay(port) as smtp:
        for number in range(2):
            await smtp.sendmail(AINO_WRITES, [address], written(f"viesti {number}"))
        with pytest.raises(SMTPRecipientsRefused) as refused:
            await smtp.sendmail(AINO_WRITES, [address], written("viesti"))

        assert refused.value.recipients[0].code == 451
        assert len(await replies(intake)) == 2


async def test_one_relay_cannot_hold_all_connections(settings: Settings, clock: FakeClock) -> None:
    async with listening(settings, clock) as (_, _, port):
        opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(MOST_OF_ONE_PEER)]
        greetings = [await reader.readline() for reader, _ in opened]
        reader, refused = await asyncio.open_connection("127.0.0.1", port)
        said = await reader.readline()
        for _, writer in (*opened, (reader, refused)):
            writer.close()
            await writer.wait_closed()
        async with relay(port) as smtp:
            again, _ = await smtp.noop()

        assert {greeting[:3] for greeting in greetings} == {b"220"}
        assert (said[:3], again) == (b"421", 250)


async def test_lmtp_is_answered_for_each_recipient(settings: Settings, clock: FakeClock) -> None:
    async with listening(settings, clock, protocol="lmtp") as (intake, address, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        said = [await reader.readline()]
        for line in (
            "LHLO relay",
            f"MAIL FROM:<{AINO_WRITES}>",
            f"RCPT TO:<{address}>",
            f"RCPT TO:<{address}>",
            "DATA",
        ):
            writer.write(f"{line}\r\n".encode())
            said.append(await _answer(reader))
        writer.write(written("1") + b"\r\n.\r\n")
        each = [await reader.readline(), await reader.readline()]
        writer.close()
        await writer.wait_closed()

        assert [line[:3] for line in said] == [b"220", b"250", b"250", b"250", b"250", b"354"]
        assert [line[:3] for line in each] == [b"250", b"250"]
        assert len(await replies(intake)) == 1


async def test_no_address_and_no_word_of_a_letter_is_logged(
    settings: Settings, clock: FakeClock, logged: Callable[[], str]
) -> None:
    async with listening(settings, clock) as (_, address, port), relay(port) as smtp:
        await smtp.sendmail(AINO_WRITES, [address], written("Salaisuus on kellarissa."))

    told = logged()
    assert "letter taken" in told
    assert not any(secret in told for secret in (address, address[8:40], "aino@", "salaisuus"))


async def _answer(reader: asyncio.StreamReader) -> bytes:
    """The last line of a reply."""
    line = await reader.readline()
    while line[3:4] == b"-":
        line = await reader.readline()
    return line
