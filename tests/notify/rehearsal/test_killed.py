"""kill -9 of notify while it tells the roster of the end: nobody is skipped, nobody else is told, and a second copy
comes only in the documented window."""

import asyncio
import sys
from functools import partial

import pytest

from services.notify.delivery.model import Lane
from services.notify.delivery.sending import BATCH
from services.notify.delivery.store import Ledger
from services.notify.rehearsal.model import ended_letter
from services.notify.rehearsal.store import Rosters
from services.notify.schema import NotifyTable
from shared.clock import SystemClock
from shared.db import Database
from shared.ids import new_id
from shared.plumbing import Plumbing
from shared.realm import Realm
from tests.notify.delivery.relay import Relay, relaying
from tests.servers import eventually

TAKE_PART, KILLS = 300, 2
ROSTER = [f"taking-part{number}@example.org" for number in range(TAKE_PART)]


@pytest.mark.faults
@pytest.mark.slow
async def test_each_on_the_roster_is_told_of_the_end_however_often_the_sender_dies(each_database: str) -> None:
    database, exercise_id = Database(each_database), new_id()
    await database.create_tables(Plumbing.metadata, NotifyTable.metadata)
    realm, clock = Realm(f"ex-{exercise_id.hex}"), SystemClock()
    ledger = Ledger(database, clock=clock)
    rosters = Rosters(database, clock=clock, ledger=ledger)
    letter = ended_letter(realm, exercise_id, {"fi": "Talvimyrsky"}, at=clock.now(), aborted=True)
    await ledger.enrol(realm, ROSTER)
    await ledger.drop(realm)

    async with relaying(Relay(extensions=("PIPELINING", "8BITMIME"))) as relay:
        for kill in range(KILLS):
            await rosters.tell(letter)
            sender = await _sender(each_database, relay.port, ahead=kill * 1000)
            goal = len(relay.taken) + TAKE_PART // (KILLS + 2)
            await eventually(partial(_took, relay, goal), within=30)
            sender.kill()
            await sender.wait()
        await rosters.tell(letter)
        last = await _sender(each_database, relay.port, ahead=KILLS * 1000)
        assert await last.wait() == 0

    counts = await ledger.counts(realm, letter.letter_id)
    await database.close()
    assert (counts.sent, counts.total) == (TAKE_PART, TAKE_PART)
    assert relay.copies.keys() == set(ROSTER)
    assert sum(number - 1 for number in relay.copies.values()) <= KILLS * BATCH
    assert len({taken.message for taken in relay.taken}) == TAKE_PART


async def _took(relay: Relay, number: int) -> bool:
    return len(relay.taken) >= number


async def _sender(database_url: str, port: int, *, ahead: float) -> asyncio.subprocess.Process:
    arguments = (database_url, str(port), str(ahead), "1e6", Lane.URGENT)
    return await asyncio.create_subprocess_exec(sys.executable, "-m", "tests.notify.delivery.sender", *arguments)
