"""kill -9 at any moment: nobody is skipped, and nobody gets a second copy but in the documented window."""

import asyncio
import random
import sys
from datetime import timedelta
from functools import partial

import pytest

from services.notify.delivery.model import Counts, Kind, Lane, Letter, Recipient
from services.notify.delivery.sending import BATCH
from services.notify.delivery.store import Ledger
from services.notify.schema import NotifyTable
from shared.clock import SystemClock
from shared.db import Database
from shared.ids import new_id
from shared.plumbing import Plumbing
from shared.realm import LIVE
from tests.notify.delivery.relay import Relay, relaying
from tests.servers import eventually

RECIPIENTS, KILLS = 600, 3


@pytest.mark.faults
async def test_a_sender_killed_again_and_again_skips_nobody(each_database: str) -> None:
    seed = random.randrange(10_000)  # noqa: S311 - chance, not a secret
    chance = random.Random(seed)  # noqa: S311 - the same
    database = Database(each_database)
    await database.create_tables(Plumbing.metadata, NotifyTable.metadata)
    ledger = Ledger(database, clock=SystemClock())
    letter = await _letter_to_all(database, ledger)

    async with relaying(Relay(extensions=("PIPELINING", "8BITMIME"))) as relay:
        for kill in range(KILLS):
            sender = await _sender(each_database, relay.port, ahead=kill * 1000)
            goal = len(relay.taken) + chance.randint(5, RECIPIENTS // (KILLS + 1))
            await eventually(partial(_took, relay, goal), within=30)
            sender.kill()
            await sender.wait()
        last = await _sender(each_database, relay.port, ahead=KILLS * 1000)
        assert await last.wait() == 0

    counts = await ledger.counts(LIVE, letter.letter_id)
    twice = sum(number - 1 for number in relay.copies.values())
    await database.close()
    assert counts == Counts(sent=RECIPIENTS), f"seed {seed}"
    assert len(relay.copies) == RECIPIENTS, f"seed {seed}"
    assert twice <= KILLS * BATCH, f"seed {seed}"
    assert len({taken.message for taken in relay.taken}) == RECIPIENTS, f"seed {seed}"


async def _took(relay: Relay, number: int) -> bool:
    return len(relay.taken) >= number


async def _letter_to_all(database: Database, ledger: Ledger) -> Letter:
    letter = Letter(
        LIVE,
        new_id(),
        Kind.CHECKIN,
        lane=Lane.BULK,
        not_after=SystemClock().now() + timedelta(hours=24),
        shared={"situation.fi": "Myrsky"},
    )
    personal = {"association": "Hattulan Martat", "link": "https://valmius.example.org/c/1"}
    recipients = [
        Recipient(new_id(), f"aino{number}@example.org", locale="fi", personal=personal) for number in range(RECIPIENTS)
    ]
    async with database.write() as session:
        await ledger.add(session, letter, recipients=recipients)
    return letter


async def _sender(database_url: str, port: int, *, ahead: float) -> asyncio.subprocess.Process:
    arguments = (database_url, str(port), str(ahead))
    return await asyncio.create_subprocess_exec(sys.executable, "-m", "tests.notify.delivery.sender", *arguments)
