"""Rate limits: how often one may do a thing. Counted in memory, so that each process counts for itself."""

import time
from collections import deque
from collections.abc import Callable

from limits import RateLimitItem


class TooOftenError(Exception):
    """It was done too often; `wait` is after how many seconds it may be done again at the latest."""

    def __init__(self, wait: int) -> None:
        super().__init__("too often")
        self.wait = wait


class RateLimit:
    """So many times in a window of time for each key, which begins with its first.

    The counters of `limits` itself are swept by a new thread each hundredth of a second, which a crowd at the door
    feels; here a window that has ended is forgotten when the next request comes. `now` gives seconds.
    """

    def __init__(self, item: RateLimitItem, *, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._amount = item.amount
        self._seconds = item.get_expiry()
        self._counts: dict[str, int] = {}
        self._ends: deque[tuple[float, str]] = deque()

    def count(self, key: str) -> None:
        """Count one more for this key. Raises TooOftenError if it is one too many."""
        now = self._now()
        self._forget_ended(now)
        self._counts[key] = count = self._counts.get(key, 0) + 1
        if count == 1:
            self._ends.append((now + self._seconds, key))
        if count > self._amount:
            raise TooOftenError(self._seconds)

    def __len__(self) -> int:
        """How many keys are remembered."""
        return len(self._counts)

    def _forget_ended(self, now: float) -> None:
        """Windows are all of one length, so that the first to begin is the first to end."""
        while self._ends and self._ends[0][0] <= now:
            _, key = self._ends.popleft()
            del self._counts[key]
