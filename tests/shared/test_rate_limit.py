"""Rate limits: each key has a window of its own, and what has ended is forgotten."""

import pytest
from limits import RateLimitItemPerMinute

from shared.rate_limit import RateLimit, TooOftenError


class Seconds:
    """Time in the test's own hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_one_too_many_is_refused_until_the_window_has_ended() -> None:
    seconds = Seconds()
    limit = RateLimit(RateLimitItemPerMinute(2), now=seconds)
    limit.count("aino")
    seconds.now += 59
    limit.count("aino")

    with pytest.raises(TooOftenError) as refused:
        limit.count("aino")
    seconds.now += 1
    limit.count("aino")

    assert refused.value.wait == 60


def test_keys_are_counted_apart() -> None:
    limit = RateLimit(RateLimitItemPerMinute(1), now=Seconds())

    limit.count("aino")
    limit.count("bertta")

    with pytest.raises(TooOftenError):
        limit.count("bertta")


def test_windows_that_have_ended_take_no_memory() -> None:
    seconds = Seconds()
    limit = RateLimit(RateLimitItemPerMinute(5), now=seconds)
    for number in range(1000):
        limit.count(f"link {number}")
        seconds.now += 1

    assert len(limit) == 60
