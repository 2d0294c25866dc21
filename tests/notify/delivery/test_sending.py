"""Sending over real SMTP: each recipient ends where she should, nobody twice, and exercises reach only their roster."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from email import message_from_bytes, policy

import pytest
from aiosmtpd.smtp import SMTP
from sqlalchemy import update

from services.notify.delivery.model import Counts, Kind, Lane, Letter, Recipient
from services.notify.delivery.schema import DeliveryRow
from services.notify.schema import NotifyTable
from shared.db import Database
from shared.ids import new_id
from shared.plumbing import Plumbing
from shared.realm import LIVE, Realm
from tests.fakes import STORM_EVENING, FakeClock
from tests.notify.delivery.office import Office
from tests.notify.delivery.relay import DROP, DROP_AFTER_TAKING, Relay, relaying

EXERCISE = Realm("ex-autumn")


async def test_a_letter_goes_out_and_is_marked_sent_from_the_reply(office: Office, relay: Relay) -> None:
    letter = await office.add("aino@example.org")

    await office.send()

    [taken] = relay.taken
    message = message_from_bytes(taken.message, policy=policy.default)
    assert re.fullmatch(r"bounce\+1-[0-9a-f]{20}@mail\.example\.org", taken.sender)
    assert message["To"] == "aino@example.org"
    assert await office.ledger.counts(LIVE, letter.letter_id) == Counts(sent=1)


@pytest.mark.parametrize(
    ("stage", "reply", "expected"),
    [
        ("rcpt", "550 5.1.1 <aino@example.org> no such user", "failed 550 5.1.1 at rcpt"),
        ("rcpt", "450 4.2.0 greylisted", "deferred 450 4.2.0 at rcpt"),
        ("rcpt", "452 4.5.3 too many", "deferred 452 4.5.3 at rcpt"),
        ("rcpt", "552 5.2.2 mailbox full", "deferred 552 5.2.2 at rcpt"),
        ("rcpt", "421 4.3.2 closing", "deferred 421 4.3.2 at rcpt"),
        ("rcpt", DROP, "deferred connection lost at rcpt"),
        ("data", "451 4.3.0 later", "deferred 451 4.3.0 at data"),
        ("data", DROP, "deferred connection lost at data"),
        ("body", "554 5.6.0 not wanted", "failed 554 5.6.0 at body"),
        ("body", "452 4.3.1 full", "deferred 452 4.3.1 at body"),
        ("body", DROP_AFTER_TAKING, "deferred connection lost at body"),
    ],
)
async def test_each_recipient_ends_in_her_own_state_and_the_others_go_out(
    office: Office, relay: Relay, stage: str, reply: str, expected: str
) -> None:
    relay.say[stage, "aino@example.org"] = reply
    await office.add("bertta@example.org", "aino@example.org", "cecilia@example.org")

    await office.send()

    assert await office.states() == {"1": "sent", "2": expected, "3": "sent"}
    assert relay.copies["bertta@example.org"] == relay.copies["cecilia@example.org"] == 1


async def test_greylisting_is_passed_at_the_second_attempt(office: Office, relay: Relay) -> None:
    relay.say["rcpt", "aino@example.org"] = "450 4.2.0 greylisted"
    letter = await office.add("aino@example.org")
    await office.send()
    del relay.say["rcpt", "aino@example.org"]

    await office.send()
    too_early = relay.copies["aino@example.org"]
    office.clock.move(minutes=2)
    await office.send()

    assert too_early == 0
    assert await office.ledger.counts(LIVE, letter.letter_id) == Counts(sent=1)


async def test_a_letter_the_relay_may_have_is_sent_again_after_a_hold_and_then_left_unknown(
    office: Office, relay: Relay
) -> None:
    relay.say["body", "aino@example.org"] = DROP_AFTER_TAKING
    letter = await office.add("aino@example.org")

    for _ in range(5):
        await office.send()
        office.clock.move(minutes=6)

    assert await office.ledger.counts(LIVE, letter.letter_id) == Counts(unknown=1)
    assert relay.copies["aino@example.org"] == 3
    assert len({taken.message for taken in relay.taken}) == 1


async def test_a_letter_is_not_sent_late(office: Office, relay: Relay) -> None:
    letter = await office.add("aino@example.org", minutes=10)
    office.clock.move(minutes=10)

    await office.send()

    assert relay.taken == []
    assert await office.ledger.counts(LIVE, letter.letter_id) == Counts(expired=1)


async def test_the_gate_is_passed_when_a_letter_is_sent(office: Office, relay: Relay) -> None:
    await office.ledger.enrol(EXERCISE, ["Aino@Example.org", "cecilia@example.org"])
    await office.ledger.enrol(Realm("ex-other"), ["bertta@example.org"])
    letter = await office.add(
        "aino@example.org", "bertta@example.org", "cecilia@example.org", "cecilia@example.org.fi", realm=EXERCISE
    )

    await office.send()

    assert set(relay.copies) == {"aino@example.org", "cecilia@example.org"}
    assert await office.ledger.counts(EXERCISE, letter.letter_id) == Counts(sent=2, refused=2)
    assert (await office.states())["2"] == "refused address is not on the exercise's roster"


@pytest.mark.parametrize("realm", ["", "LIVE", "ex-", "live ", "nowhere"])
async def test_a_row_of_no_known_realm_is_refused(office: Office, relay: Relay, realm: str) -> None:
    await office.add("aino@example.org")
    async with office.database.write() as session:
        await session.execute(update(DeliveryRow).values(realm=realm))
        await session.execute(update(NotifyTable.metadata.tables["letter"]).values(realm=realm))

    await office.send()

    assert relay.taken == []
    assert await office.states() == {"1": "refused realm is not known"}


async def test_what_cannot_be_addressed_fails_with_its_reason_and_holds_nobody_up(office: Office, relay: Relay) -> None:
    await office.add("aino@example.org\r\nRCPT TO:<bertta@example.org>", "äinö@example.org", "cecilia@example.org")

    await office.send()

    assert await office.states() == {
        "1": "failed address is not valid",
        "2": "failed address has letters that mail cannot carry",
        "3": "sent",
    }
    assert set(relay.copies) == {"cecilia@example.org"}


async def test_two_workers_on_one_ledger_send_nothing_twice(each_database: str, clock: FakeClock, relay: Relay) -> None:
    databases = [Database(each_database), Database(each_database)]
    await databases[0].create_tables(Plumbing.metadata, NotifyTable.metadata)
    offices = [Office(database, clock=clock, port=relay.port) for database in databases]
    letter = await offices[0].add(*(f"aino{number}@example.org" for number in range(300)))

    await asyncio.gather(*(office.send() for office in (*offices, *offices)))

    assert await offices[0].ledger.counts(LIVE, letter.letter_id) == Counts(sent=300)
    assert set(relay.copies.values()) == {1}
    assert len(relay.copies) == 300
    for office in offices:
        await office.close()
        await office.database.close()


async def test_a_relay_without_8bitmime_gets_ascii(database: Database, clock: FakeClock) -> None:
    async with relaying(Relay(extensions=("SIZE",))) as relay:
        office = Office(database, clock=clock, port=relay.port)
        await office.add("aino@example.org")

        await office.send()

        [taken] = relay.taken
        assert taken.message.isascii()
        await office.close()


class Keeping:
    """aiosmtpd's own handler, into memory."""

    def __init__(self) -> None:
        self.contents: list[bytes] = []

    async def handle_DATA(self, _server, _session, envelope):  # type: ignore[no-untyped-def]  # noqa: N802 - aiosmtpd's name
        self.contents.append(envelope.original_content)
        return "250 OK"


@pytest.fixture
async def catcher() -> AsyncIterator[tuple[int, Keeping]]:
    handler = Keeping()
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(handler), "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1], handler
    server.close()


async def test_a_letter_arrives_whole_at_a_server_of_others(
    database: Database, clock: FakeClock, catcher: tuple[int, Keeping]
) -> None:
    port, handler = catcher
    office = Office(database, clock=clock, port=port)
    letter = Letter(
        LIVE,
        new_id(),
        Kind.GUIDANCE,
        lane=Lane.BULK,
        not_after=STORM_EVENING + timedelta(hours=1),
        shared={"headline.fi": "Myrsky", "text.fi": "Hei\n\n.piste\n\n.\n\nLoppu", "html.fi": "<p>\n.piste</p>"},
    )
    async with database.write() as session:
        await office.ledger.add(session, letter, recipients=[Recipient(new_id(), "aino@example.org", locale="fi")])

    await office.send()
    await office.close()

    [content] = handler.contents
    body = message_from_bytes(content, policy=policy.default).get_body(("plain",))
    assert body is not None
    assert ".piste\r\n\r\n.\r\n\r\nLoppu" in body.get_content()


async def test_what_fails_in_an_exercise_does_not_pause_what_is_real(office: Office, relay: Relay) -> None:
    players = [f"player{number}@example.org" for number in range(12)]
    relay.say |= {("rcpt", player): "550 5.1.1 no such user" for player in players}
    await office.ledger.enrol(EXERCISE, players)
    await office.add(*players, realm=EXERCISE)
    await office.send()
    await office.add("aino@example.org")

    await office.send()

    assert await office.ledger.paused(Lane.BULK) is None
    assert relay.copies == {"aino@example.org": 1}
