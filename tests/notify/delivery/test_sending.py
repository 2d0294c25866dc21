"""Sending over real SMTP: each recipient ends where she should, nobody twice, and exercises reach only their roster."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from email import message_from_bytes, policy

import pytest
from aiosmtpd.smtp import SMTP
from sqlalchemy import select, update
from sqlmodel import col

from services.notify.delivery.jobs import BEGIN_WITHIN, LaneWork, Letters, Traffic
from services.notify.delivery.ledger_rows import LEASE
from services.notify.delivery.letter_format import Imprint
from services.notify.delivery.mail import BODY_TIMEOUT, COMMAND_TIMEOUT, Pool
from services.notify.delivery.model import Counts, Kind, Lane, Letter, Outcome, Recipient
from services.notify.delivery.schema import DeliveryRow
from services.notify.delivery.store import Ledger
from services.notify.schema import NotifyTable
from shared.db import Database
from shared.ids import new_id
from shared.plumbing import Plumbing
from shared.realm import LIVE, Realm
from shared.settings import Settings, Smtp
from tests.fakes import STORM_EVENING, FakeClock
from tests.notify.delivery.relay import DROP, DROP_AFTER_TAKING, HANG, Relay, relaying

IMPRINT = Imprint("https://valmius.example.org", "mail.example.org", "+358 40 000 0000", secret="s" * 32)
EXERCISE = Realm("ex-autumn")


class Office:
    """A ledger with its lanes, wired to one relay."""

    def __init__(
        self, database: Database, *, clock: FakeClock, port: int, size: int = 3, patience: float = 600
    ) -> None:
        self.database = database
        self.clock = clock
        self.ledger = Ledger(database, clock=clock)
        self.traffic = Traffic(1e6, clock=clock)
        smtp = Smtp(port=port)
        self.lanes = {
            lane: LaneWork(
                lane,
                ledger=self.ledger,
                letters=Letters(self.ledger, imprint=IMPRINT),
                pool=Pool(smtp, size=size, domain="mail.example.org", body_timeout=patience),
                traffic=self.traffic,
                clock=clock,
            )
            for lane in Lane
        }

    async def add(self, *addresses: str, lane: Lane = Lane.BULK, realm: Realm = LIVE, minutes: float = 600) -> Letter:
        """A letter to these addresses."""
        letter = Letter(
            realm=realm,
            letter_id=new_id(),
            kind=Kind.CHECKIN,
            lane=lane,
            not_after=self.clock.now() + timedelta(minutes=minutes),
            shared={"situation.fi": "Myrsky"},
        )
        personal = {"association": "Hattulan Martat", "link": "https://valmius.example.org/c/1"}
        recipients = [Recipient(new_id(), address, locale="fi", personal=personal) for address in addresses]
        async with self.database.write() as session:
            await self.ledger.add(session, letter, recipients=recipients)
        return letter

    async def send(self, lane: Lane = Lane.BULK) -> None:
        """Work until there is nothing due."""
        more = True
        while more:
            more = await self.lanes[lane].unit()

    async def states(self) -> dict[str, str]:
        """State and reason of each delivery, by the number of the recipient."""
        async with self.database.read() as session:
            rows = (await session.execute(select(DeliveryRow).order_by(col(DeliveryRow.id)))).scalars()
            return {f"{row.id}": f"{row.state} {row.reason}".strip() for row in rows}

    async def close(self) -> None:
        """Close all connections."""
        for work in self.lanes.values():
            await work.pool.close()


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    database = Database(settings.database_of("notify"))
    await database.create_tables(Plumbing.metadata, NotifyTable.metadata)
    yield database
    await database.close()


@pytest.fixture
async def relay() -> AsyncIterator[Relay]:
    async with relaying(Relay()) as relay:
        yield relay


@pytest.fixture
async def office(database: Database, relay: Relay, clock: FakeClock) -> AsyncIterator[Office]:
    office = Office(database, clock=clock, port=relay.port)
    yield office
    await office.close()


async def test_a_letter_goes_out_and_is_marked_sent_from_the_reply(office: Office, relay: Relay) -> None:
    letter = await office.add("aino@example.org")

    await office.send()

    [taken] = relay.taken
    message = message_from_bytes(taken.message, policy=policy.default)
    assert taken.sender == "bounce+1@mail.example.org"
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


async def test_a_relay_that_falls_silent_after_the_dot_is_ambiguous(
    database: Database, relay: Relay, clock: FakeClock
) -> None:
    relay.say["body", "aino@example.org"] = HANG
    office = Office(database, clock=clock, port=relay.port, patience=0.05)
    await office.add("aino@example.org", "bertta@example.org")

    await office.send()

    assert await office.states() == {"1": "deferred no answer at body", "2": "sent"}
    await office.close()


async def test_a_relay_that_is_away_costs_no_attempts_and_is_left_alone(
    database: Database, clock: FakeClock, relay: Relay
) -> None:
    relay.say["connect", ""] = "421 4.3.2 too busy"
    office = Office(database, clock=clock, port=relay.port, size=1)
    letter = await office.add(*(f"aino{number}@example.org" for number in range(20)))

    await office.send()
    tried = relay.connections
    await office.send()
    del relay.say["connect", ""]
    clock.move(seconds=31)
    await office.send()

    assert tried == relay.connections - 1 == 5
    assert await office.ledger.counts(LIVE, letter.letter_id) == Counts(sent=20)
    async with database.read() as session:
        assert set((await session.execute(select(col(DeliveryRow.attempts)))).scalars()) == {1}
    await office.close()


async def test_after_a_pause_one_probe_goes_first(database: Database, clock: FakeClock, relay: Relay) -> None:
    relay.say["connect", ""] = "421 4.3.2 too busy"
    office = Office(database, clock=clock, port=relay.port, size=3)
    await office.add(*(f"aino{number}@example.org" for number in range(20)))
    await office.send()
    tried = relay.connections

    clock.move(seconds=31)
    await office.send()

    assert relay.connections == tried + 1
    await office.close()


async def test_a_probe_that_expires_before_the_relay_lets_the_next_one_go_at_once(
    database: Database, clock: FakeClock, relay: Relay
) -> None:
    relay.say["connect", ""] = "421 4.3.2 too busy"
    office = Office(database, clock=clock, port=relay.port, size=1)
    old = await office.add(*(f"aino{number}@example.org" for number in range(5)), minutes=1)
    stale = await office.add(*(f"bertta{number}@example.org" for number in range(9)), minutes=1)
    await office.send()
    del relay.say["connect", ""]

    clock.move(minutes=2)
    fresh = await office.add("cecilia@example.org")
    await office.send()

    assert await office.ledger.counts(LIVE, old.letter_id) == Counts(expired=5)
    assert await office.ledger.counts(LIVE, stale.letter_id) == Counts(expired=9)
    assert await office.ledger.counts(LIVE, fresh.letter_id) == Counts(sent=1)
    await office.close()


async def test_what_a_slow_relay_holds_up_is_given_back_before_its_lease_can_end(
    database: Database, clock: FakeClock, relay: Relay
) -> None:
    relay.say["body", "aino0@example.org"] = HANG
    office = Office(database, clock=clock, port=relay.port, size=1)
    letter = await office.add(*(f"aino{number}@example.org" for number in range(4)))
    unit = asyncio.create_task(office.lanes[Lane.BULK].unit())
    await relay.began.wait()

    clock.move(seconds=31)
    relay.let_go.set()
    await unit

    assert await office.ledger.counts(LIVE, letter.letter_id) == Counts(sent=1, waiting=3)
    assert timedelta(seconds=6 * COMMAND_TIMEOUT + BODY_TIMEOUT) + BEGIN_WITHIN < LEASE
    await office.close()


async def test_wrong_credentials_burn_no_letter(office: Office, relay: Relay) -> None:
    relay.say["mail", ""] = "530 5.7.0 authentication required"
    letter = await office.add(*(f"aino{number}@example.org" for number in range(30)))

    await office.send()

    counts = await office.ledger.counts(LIVE, letter.letter_id)
    assert (counts.failed, counts.open) == (0, 30)
    assert relay.connections <= 3


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


async def test_the_bulk_lane_pauses_itself_and_an_operator_resumes_it(office: Office, relay: Relay) -> None:
    bad, good = (
        [f"gone{number}@example.org" for number in range(12)],
        [f"aino{number}@example.org" for number in range(60)],
    )
    relay.say |= {("rcpt", address): "550 5.1.1 gone" for address in bad}
    letter = await office.add(*bad, *good)

    await office.send()
    reason = await office.ledger.paused(Lane.BULK)
    waiting = (await office.ledger.counts(LIVE, letter.letter_id)).open
    await office.ledger.resume(Lane.BULK)
    await office.send()

    assert reason is not None
    assert reason.startswith("11 of the last ")
    assert waiting > 0
    assert await office.ledger.counts(LIVE, letter.letter_id) == Counts(failed=12, sent=60)


async def test_an_urgent_letter_does_not_wait_behind_a_broadcast_that_hangs(office: Office, relay: Relay) -> None:
    slow = [f"slow{number}@example.org" for number in range(3)]
    relay.say |= {("body", address): HANG for address in slow}
    broadcast = await office.add(*slow, *(f"aino{number}@example.org" for number in range(30)))
    bulk = asyncio.create_task(office.send())
    await relay.began.wait()

    sign_in = await office.add("bertta@example.org", lane=Lane.URGENT)
    await office.send(Lane.URGENT)

    assert await office.ledger.counts(LIVE, sign_in.letter_id) == Counts(sent=1)
    assert (await office.ledger.counts(LIVE, broadcast.letter_id)).open > 0
    relay.let_go.set()
    await bulk


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


async def test_at_the_end_of_the_process_what_is_with_the_relay_is_finished_and_the_rest_given_back(
    database: Database, clock: FakeClock, relay: Relay
) -> None:
    relay.say["body", "aino0@example.org"] = HANG
    office = Office(database, clock=clock, port=relay.port, size=1)
    letter = await office.add(*(f"aino{number}@example.org" for number in range(10)))
    unit = asyncio.create_task(office.lanes[Lane.BULK].unit())
    await relay.began.wait()

    unit.cancel()
    await asyncio.sleep(0)
    relay.let_go.set()
    with pytest.raises(asyncio.CancelledError):
        await unit

    assert await office.ledger.counts(LIVE, letter.letter_id) == Counts(sent=1, waiting=9)
    await office.send()
    assert await office.ledger.counts(LIVE, letter.letter_id) == Counts(sent=10)
    assert set(relay.copies.values()) == {1}
    await office.close()


async def test_who_dies_between_the_reply_and_the_commit_has_it_sent_again_under_the_same_message_id(
    database: Database, clock: FakeClock, relay: Relay
) -> None:
    """The one window in which a duplicate is possible."""
    office = Office(database, clock=clock, port=relay.port)
    letter = await office.add("aino@example.org")

    class Killed(Ledger):
        async def settle(self, outcomes: Sequence[Outcome]) -> int:
            raise RuntimeError(f"killed with {len(outcomes)} in hand")

    office.lanes[Lane.BULK].ledger = Killed(database, clock=clock)
    with pytest.raises(RuntimeError, match="killed"):
        await office.lanes[Lane.BULK].unit()
    office.lanes[Lane.BULK].ledger = office.ledger
    await office.send()
    clock.move(seconds=901)
    await office.lanes[Lane.URGENT].recover()
    await office.send()

    first, second = (message_from_bytes(taken.message, policy=policy.default) for taken in relay.taken)
    assert first["Message-ID"] == second["Message-ID"]
    assert first["Date"] == second["Date"]
    assert await office.ledger.counts(LIVE, letter.letter_id) == Counts(sent=1)
    await office.close()


async def test_a_relay_without_8bitmime_gets_ascii(database: Database, clock: FakeClock) -> None:
    async with relaying(Relay(extensions=("SIZE",))) as relay:
        office = Office(database, clock=clock, port=relay.port)
        await office.add("aino@example.org")

        await office.send()

        [taken] = relay.taken
        assert taken.message.isascii()
        await office.close()


async def test_a_kept_connection_that_the_relay_ended_meanwhile_costs_nothing(office: Office, relay: Relay) -> None:
    await office.add("aino@example.org")
    await office.send()
    for writer in list(relay._open):
        writer.close()
    letter = await office.add("bertta@example.org")

    await office.send()

    assert await office.ledger.counts(LIVE, letter.letter_id) == Counts(sent=1)


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
