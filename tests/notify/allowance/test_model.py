"""However many workers draw, no window of time sees more letters than the rate and what may go at once."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.notify.allowance.model import LONGEST_PUT_OFF, Bucket, Limit, Limits, Row, domain_of, full_second
from shared.settings import Smtp
from tests.fakes import STORM_EVENING

BEHIND = 1.5
"""Seconds by which two clocks differ; so much more may go once."""


@dataclass(frozen=True)
class Asking:
    """A worker asks, so long after the one before; its clock may be BEHIND."""

    after: float
    skew: float
    wanted: int
    urgent: bool


askings = st.lists(
    st.builds(Asking, st.floats(0, 2), st.sampled_from([0.0, 0.0, -BEHIND]), st.integers(1, 200), st.booleans()),
    max_size=25,
)
limits = st.builds(Limit.of_relay, st.just("relay"), st.floats(0.5, 500)) | st.builds(
    Limit.of_domain, st.just("example.org"), st.floats(0.01, 50)
)


@settings(max_examples=60)
@given(limit=limits, asked=askings)
def test_no_window_sees_more_than_the_rate_and_what_may_go_at_once(limit: Limit, asked: list[Asking]) -> None:
    now, bucket = STORM_EVENING, Bucket(limit.burst, STORM_EVENING)
    granted: list[tuple[datetime, int]] = []

    for one in asked:
        now += timedelta(seconds=one.after)
        drawn = bucket.draw(
            limit, now + timedelta(seconds=one.skew), wanted=min(one.wanted, limit.lot), urgent=one.urgent
        )
        bucket = drawn.bucket
        granted.append((now, drawn.granted))

    urgent = any(one.urgent for one in asked)
    for first, (since, _) in enumerate(granted):
        total = 0
        for until, number in granted[first:]:
            total += number
            assert total <= limit.within((until - since).total_seconds() + BEHIND, urgent=urgent) + 1e-6


@given(limit=limits, asked=st.lists(st.floats(0, 1), max_size=20))
def test_whoever_waits_as_long_as_was_said_gets_some(limit: Limit, asked: list[float]) -> None:
    now, bucket = STORM_EVENING, Bucket(limit.burst, STORM_EVENING)

    for pause in asked:
        now += timedelta(seconds=pause)
        first = bucket.draw(limit, now, wanted=limit.lot, urgent=False)
        now += timedelta(seconds=first.wait + 1e-4)
        bucket = first.bucket.draw(limit, now, wanted=limit.lot, urgent=False).bucket

        assert bucket.level < limit.burst
        assert bucket.at == now


def test_an_urgent_letter_borrows_what_a_bulk_one_waits_for() -> None:
    limit = Limit.of_relay("relay", 1)
    bucket = Bucket(limit.burst, STORM_EVENING).draw(limit, STORM_EVENING, wanted=1, urgent=False).bucket

    bulk = bucket.draw(limit, STORM_EVENING, wanted=1, urgent=False)
    urgent = bulk.bucket.draw(limit, STORM_EVENING, wanted=1, urgent=True)
    after = urgent.bucket.draw(limit, STORM_EVENING + timedelta(seconds=1), wanted=1, urgent=False)

    assert (bulk.granted, bulk.wait) == (0, 1)
    assert urgent.granted == 1
    assert (after.granted, after.wait) == (0, 1)


def test_letters_that_are_put_off_come_one_behind_the_other_at_their_domains_rate() -> None:
    limit, row, due = Limit.of_domain("example.org", 2), Row(STORM_EVENING), []
    for _ in range(6):
        row, one = row.join(limit, STORM_EVENING, wait=0.5)
        due.append((one - STORM_EVENING).total_seconds())

    assert due == [1, 1, 2, 2, 3, 3]


def test_nobody_is_put_off_beyond_ten_minutes() -> None:
    _row, due = Row(STORM_EVENING + timedelta(days=1)).join(
        Limit.of_domain("example.org", 0.001), STORM_EVENING, wait=900
    )

    assert due == STORM_EVENING + LONGEST_PUT_OFF
    assert full_second(due) == due


def test_a_domain_has_the_rate_that_the_settings_give_it() -> None:
    limits = Limits.of(Smtp(rate=40, domain_rate=5, domain_rates="Gmail.com=20 free.example=0  slow.example=0.1"))

    def rate(address: str) -> float | None:
        limit = limits.of_domain(domain_of(address))
        return limit.rate if limit else None

    assert limits.relay == Limit("relay 127.0.0.1:1025", 40, burst=10, least=10)
    assert [rate(f"aino@{domain}") for domain in ("gmail.com", "GMAIL.com ", "example.org", "slow.example")] == [
        20,
        20,
        5,
        0.1,
    ]
    assert rate("aino@free.example") is None
    assert domain_of("aino@hämeenkylä.example") == "xn--hmeenkyl-0zah.example"


@pytest.mark.parametrize("rates", ["gmail.com", "gmail.com=fast", "=5", "gmail.com=-1", "gmail.com=1,example.org=2"])
def test_a_rate_that_is_none_is_refused(rates: str) -> None:
    with pytest.raises(ValueError, match="domain_rates"):
        Smtp(domain_rates=rates)
