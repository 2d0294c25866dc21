"""Senders that are killed at any moment: nothing is lost, and what comes twice has the same id."""

import asyncio
import sys
from pathlib import Path

import pytest

from services.notify.app import make_app
from services.notify.webhook.model import Wanted
from shared.clock import SystemClock
from shared.ids import new_id
from shared.settings import Settings
from tests.migrated import Migrated
from tests.notify.guidance.drafts import published, resident
from tests.notify.webhook.receiver import receiving

pytestmark = [pytest.mark.slow, pytest.mark.faults]

MESSAGES = 60
AFTER = (1, 6, 3, 7, 2, 5)
"""Messages after which a sender is killed, one sender after another."""


async def test_nothing_is_lost_when_senders_are_killed(tmp_path: Path, migrated: Migrated) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/{{service}}.db"
    await migrated.copy_to(url.format(service="notify"), "notify")
    installed = Settings.model_validate({"database": url, "secret": "a secret of at least thirty-two characters"})
    app = make_app(installed, clock=SystemClock())
    async with receiving() as receiver:
        await resident(app.state.subscribers)
        await app.state.endpoints.add(new_id(), Wanted("Pelastuslaitos", receiver.url), by=new_id())
        for _ in range(MESSAGES):
            await published(app.state.guidance)
        for kill, number in enumerate(AFTER):
            sender = await _sender(url, ahead=kill * 61)
            taken = len(receiver.received)
            while len(receiver.received) < taken + number:
                receiver.came.clear()
                await asyncio.wait_for(receiver.came.wait(), 20)
            sender.kill()
            await sender.wait()
        last = await _sender(url, ahead=len(AFTER) * 61)
        assert await last.wait() == 0
    await app.state.house.database.close()

    ids = [one.headers["webhook-id"] for one in receiver.received]
    assert len(set(ids)) == MESSAGES
    assert {one.sequence for one in receiver.received} == set(range(1, MESSAGES + 1))
    assert len(ids) - MESSAGES <= len(AFTER)


async def _sender(database: str, *, ahead: float) -> asyncio.subprocess.Process:
    arguments = (database, str(ahead))
    return await asyncio.create_subprocess_exec(sys.executable, "-m", "tests.notify.webhook.sender", *arguments)
