"""Rate limits: how often one may do a thing. Counted in memory, so that each process counts for itself."""

from limits import RateLimitItem
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter


class TooOftenError(Exception):
    """It was done too often; `wait` is after how many seconds it may be done again at the latest."""

    def __init__(self, wait: int) -> None:
        super().__init__("too often")
        self.wait = wait


class RateLimit:
    """So many times in a window of time for each key. A hit costs some microseconds."""

    def __init__(self, item: RateLimitItem) -> None:
        self._item = item
        self._limiter = FixedWindowRateLimiter(MemoryStorage())

    def count(self, key: str) -> None:
        """Count one more for this key. Raises TooOftenError if it is one too many."""
        if not self._limiter.hit(self._item, key):
            raise TooOftenError(self._item.get_expiry())
