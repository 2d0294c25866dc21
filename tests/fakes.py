"""Fakes of a few lines: what a test holds in its own hand."""

import asyncio
from datetime import UTC, datetime, timedelta

STORM_EVENING = datetime(2026, 11, 21, 18, 0, tzinfo=UTC)


class FakeClock:
    """Time that stands still until the test moves it. Sleeping ends when time has been moved far enough."""

    def __init__(self, start: datetime = STORM_EVENING) -> None:
        self._now = start
        self._moved = asyncio.Event()

    def now(self) -> datetime:
        return self._now

    def move(self, **by: float) -> datetime:
        """Move by so many `hours`, `minutes`, `seconds` (as timedelta takes them); the new time."""
        self._now += timedelta(**by)
        self._moved.set()
        self._moved = asyncio.Event()
        return self._now

    async def sleep(self, seconds: float) -> None:
        until = self._now + timedelta(seconds=seconds)
        while self._now < until:
            await self._moved.wait()
