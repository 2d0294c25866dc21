"""Watchdog: a stalled event loop ends its process and says where it stood."""

import subprocess
import sys

STALLED = """
import asyncio, time
from shared.watchdog import watched_loop

async def standing_still():
    async with watched_loop(0.5):
        await asyncio.sleep(0)
        time.sleep(60)

asyncio.run(standing_still())
"""

AT_WORK = """
import asyncio
from shared.watchdog import watched_loop

async def working():
    async with watched_loop(0.5):
        for _ in range(100):
            await asyncio.sleep(0.01)

asyncio.run(working())
"""


def run(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=50)


def test_a_loop_that_stands_still_ends_the_process_with_the_place_where_it_stood() -> None:
    ended = run(STALLED)

    assert ended.returncode == 1
    assert "standing_still" in ended.stderr


def test_a_loop_that_comes_round_is_left_alone() -> None:
    assert run(AT_WORK).returncode == 0
