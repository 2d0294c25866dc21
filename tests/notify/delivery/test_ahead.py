"""Letters whose envelope goes ahead with the one before: each has its own fate, and none waits for another's."""

import asyncio
from functools import partial

import pytest

from services.notify.delivery import jobs
from services.notify.delivery.model import Counts, Lane
from services.notify.delivery.schema import DeliveryRow
from shared.db import Database
from shared.realm import LIVE, Realm
from tests.fakes import FakeClock
from tests.notify.delivery.office import Office
from tests.notify.delivery.relay import DROP, DROP_AFTER_TAKING, HANG, Relay, relaying
from tests.servers import eventually

PIPELINING = ("PIPELINING", "8BITMIME")
READERS = [f"reader{number}@example.org" for number in range(1, 6)]


@pytest.mark.parametrize(
    ("stage", "reply", "expected"),
    [
        ("rcpt", "550 5.1.1 no such user", "failed 550 5.1.1 at rcpt"),
        ("rcpt", DROP, "deferred connection lost at rcpt"),
        ("data", "451 4.3.0 later", "deferred 451 4.3.0 at data"),
        ("body", "554 5.6.0 not wanted", "failed 554 5.6.0 at body"),
        ("body", "421 4.3.2 closing", "deferred 421 4.3.2 at body"),
        ("body", DROP_AFTER_TAKING, "deferred connection lost at body"),
    ],
)
async def test_over_one_connection_the_letters_before_and_behind_a_bad_one_are_sent(
    database: Database, clock: FakeClock, stage: str, reply: str, expected: str
) -> None:
    async with relaying(Relay(extensions=PIPELINING)) as relay:
        office = Office(database, clock=clock, port=relay.port, size=1)
        relay.say[stage, READERS[2]] = reply
        await office.add(*READERS)

        await office.send()

        assert await office.states() == {"1": "sent", "2": "sent", "3": expected, "4": "sent", "5": "sent"}
        assert set(relay.copies.values()) == {1}
        await office.close()


async def test_a_letter_is_given_back_from_behind_one_with_which_the_relay_takes_its_time(
    database: Database, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "AHEAD", 0.01)
    async with relaying(Relay(extensions=PIPELINING)) as relay:
        office = Office(database, clock=clock, port=relay.port, size=1)
        relay.say["body", READERS[0]] = HANG
        await office.add(*READERS[:2])
        slow = asyncio.create_task(office.lanes[Lane.BULK].unit())
        await relay.began.wait()

        await eventually(partial(_is_waiting, database, 2))
        relay.let_go.set()
        await slow
        meanwhile = set(relay.copies)
        await office.send()

        assert meanwhile == {READERS[0]}
        assert relay.copies == {READERS[0]: 1, READERS[1]: 1}
        await office.close()


async def _is_waiting(database: Database, number: int) -> bool:
    async with database.read() as session:
        row = await session.get(DeliveryRow, number)
        return row is not None and row.state == "waiting"


async def test_in_an_exercise_no_envelope_goes_ahead_of_the_gate(database: Database, clock: FakeClock) -> None:
    async with relaying(Relay(extensions=PIPELINING)) as relay:
        office = Office(database, clock=clock, port=relay.port, size=1)
        exercise = Realm("ex-autumn")
        await office.ledger.enrol(exercise, [READERS[0], READERS[2]])
        letter = await office.add(*READERS[:3], realm=exercise)

        await office.send()

        assert relay.verbs.count("RCPT") == len(relay.taken) == 2
        assert await office.ledger.counts(exercise, letter.letter_id) == Counts(sent=2, refused=1)
        await office.close()


class Sleepless(FakeClock):
    """Time passes only while somebody sleeps."""

    async def sleep(self, seconds: float) -> None:
        self.move(seconds=seconds)


async def test_a_slow_rate_is_kept_by_letters_that_could_go_ahead(database: Database) -> None:
    clock = Sleepless()
    async with relaying(Relay(extensions=PIPELINING)) as relay:
        office = Office(database, clock=clock, port=relay.port, size=1, rate=10)
        letter = await office.add(*READERS)
        began = clock.now()

        await office.send()

        assert (clock.now() - began).total_seconds() == pytest.approx(0.35)
        assert await office.ledger.counts(LIVE, letter.letter_id) == Counts(sent=5)
        await office.close()
