"""Watchdog: a process whose event loop stands still says where, and ends, so that its supervisor starts a new one."""

import asyncio
import contextlib
import faulthandler
from collections.abc import AsyncIterator

STALL = 30.0
"""Seconds after which a loop that did not come round is given up. No unit of our work takes a hundredth of that."""


@contextlib.asynccontextmanager
async def watched_loop(stall: float = STALL) -> AsyncIterator[None]:
    """While this is entered, a loop that stands still for `stall` seconds ends the process with all tracebacks.

    The timer runs outside of the interpreter's threads, so that it fires even if one of them never yields. For
    processes that are started again when they end, and for no others: a stopped terminal job stands still as well.
    """

    async def rearm() -> None:
        while True:
            faulthandler.dump_traceback_later(stall, exit=True)
            await asyncio.sleep(stall / 4)

    task = asyncio.create_task(rearm(), name="watchdog")
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        faulthandler.cancel_dump_traceback_later()
