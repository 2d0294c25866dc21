"""Rate limits: how often one may do a thing. Counted in memory, so that each process counts for itself."""

import time

from limits import RateLimitItem


class TooOftenError(Exception):
    """It was done too often; `wait` is after how many seconds it may be done again at the latest."""

    def __init__(self, wait: int) -> None:
        super().__init__("too often")
        self.wait = wait


class RateLimit:
    """So many times in a window of time for each key, which begins with its first. A hit costs about a microsecond:
    the counters of `limits` are swept by a new thread each hundredth of a second, which a crowd at the door feels."""

    def __init__(self, item: RateLimitItem) -> None:
        self._amount = item.amount
        self._seconds = item.get_expiry()
        self._counts: dict[str, int] = {}
        self._ends: dict[str, float] = {}

    def count(self, key: str) -> None:
        """Count one more for this key. Raises TooOftenError if it is one too many."""
        self._forget_ended(time.monotonic())
        self._counts[key] = count = self._counts.get(key, 0) + 1
        if count == 1:
            self._ends[key] = time.monotonic() + self._seconds
        if count > self._amount:
            raise TooOftenError(self._seconds)

    def _forget_ended(self, now: float) -> None:
        """Windows are all of one length, so that the first to begin is the first to end."""
        while self._ends and next(iter(self._ends.values())) <= now:
            key = next(iter(self._ends))
            del self._ends[key], self._counts[key]
