"""Outages: a relay that is away, slow or unwilling costs no letter, and an end of the process none either."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from email import message_from_bytes, policy

import pytest
from sqlalchemy import select
from sqlmodel import col

from services.notify.delivery.ledger_rows import LEASES
from services.notify.delivery.mail import BODY_TIMEOUTS, COMMAND_TIMEOUT
from services.notify.delivery.model import Counts, Lane, Outcome
from services.notify.delivery.schema import DeliveryRow
from services.notify.delivery.sending import BEGIN_WITHIN
from services.notify.delivery.store import Ledger
from shared.db import Database
from shared.realm import LIVE
from tests.fakes import FakeClock
from tests.notify.delivery.office import Office
from tests.notify.delivery.relay import HANG, Relay


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
    for lane in Lane:
        assert timedelta(seconds=6 * COMMAND_TIMEOUT + BODY_TIMEOUTS[lane]) + BEGIN_WITHIN < LEASES[lane]
    await office.close()


async def test_wrong_credentials_burn_no_letter(office: Office, relay: Relay) -> None:
    relay.say["mail", ""] = "530 5.7.0 authentication required"
    letter = await office.add(*(f"aino{number}@example.org" for number in range(30)))

    await office.send()

    counts = await office.ledger.counts(LIVE, letter.letter_id)
    assert (counts.failed, counts.open) == (0, 30)
    assert relay.connections <= 3


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


async def test_a_kept_connection_that_the_relay_ended_meanwhile_costs_nothing(office: Office, relay: Relay) -> None:
    await office.add("aino@example.org")
    await office.send()
    for writer in list(relay._open):
        writer.close()
    letter = await office.add("bertta@example.org")

    await office.send()

    assert await office.ledger.counts(LIVE, letter.letter_id) == Counts(sent=1)
