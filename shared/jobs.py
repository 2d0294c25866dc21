"""Jobs: APScheduler only wakes; a job does one unit of work per call and says whether there is more."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from shared.log import logger

log = logger(__name__)

Unit = Callable[[], Awaitable[bool]]

GRACE = 0.5
"""Seconds in which a unit may end by itself when its process ends: most do, and leave no connection half open."""


class Job:
    """Runs a unit of work until it says that there is no more, then waits to be woken."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._ending = False
        self._task: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """There may be work."""
        self._wake.set()

    async def tick(self) -> None:
        """The same for the scheduler, which calls whatever is no coroutine in another thread."""
        self.wake()

    def start(self) -> None:
        """Begin, with one look at what is due already."""
        self._wake.set()
        self._task = asyncio.create_task(self._run(), name=f"job {self._unit.__qualname__}")

    async def stop(self) -> None:
        """End after the unit at hand. One that takes longer than GRACE is cancelled at its next await, and what it had
        not committed is undone."""
        if self._task is not None:
            self._ending = True
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._idle.wait(), GRACE)
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while not self._ending:
            await self._wake.wait()
            self._wake.clear()
            self._idle.clear()
            await self._work()
            self._idle.set()

    async def _work(self) -> None:
        try:
            more = True
            while more and not self._ending:
                more = await self._unit()
        except Exception:
            log.exception("job failed; it is tried again at the next tick", job=self._unit.__qualname__)


class Jobs:
    """The jobs of one service."""

    def __init__(self) -> None:
        self._scheduler = AsyncIOScheduler(timezone="UTC")
        self._jobs: list[Job] = []

    def every(self, seconds: float, unit: Unit) -> Job:
        """Have `unit` run at start, at least every so many seconds, and whenever the returned job is woken."""
        job = Job(unit)
        self._jobs.append(job)
        self._scheduler.add_job(job.tick, "interval", seconds=seconds, misfire_grace_time=None, coalesce=True)
        return job

    def start(self) -> None:
        """Start all; call it inside the running event loop."""
        for job in self._jobs:
            job.start()
        self._scheduler.start()

    async def stop(self) -> None:
        """Stop waking, then stop all."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        await asyncio.gather(*(job.stop() for job in self._jobs))
