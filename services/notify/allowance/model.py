"""Model: token buckets that several workers share, each taking a lot of tokens at a time. Pure: time is passed in."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.settings import Smtp

LOT: Final = 0.25
"""Seconds for which a worker takes tokens of the relay at once."""

DOMAIN_BURST: Final = 2.0
"""Seconds of a domain's rate that may go at once: its letters come due second by second."""

HOLD = timedelta(seconds=0.5)
"""How long a worker may use what it took; what is left then is lost, as it is when the worker dies."""

LONGEST_PUT_OFF = timedelta(minutes=10)


@dataclass(frozen=True)
class Limit:
    """`rate` tokens a second over time, `burst` at once. Whoever takes some for bulk letters takes `least` at least."""

    name: str
    rate: float
    burst: float
    least: int

    @property
    def lot(self) -> int:
        """The most that is taken at a time."""
        return int(self.burst)

    @classmethod
    def of_relay(cls, name: str, rate: float) -> "Limit":
        """For the relay: everything goes through it, so tokens are taken by whole lots."""
        burst = max(1.0, rate * LOT)
        return cls(name, rate, burst=burst, least=int(burst))

    @classmethod
    def of_domain(cls, name: str, rate: float) -> "Limit":
        """For one receiving domain: a letter is put off rather than that it waits, so any token is taken."""
        return cls(name, rate, burst=max(1.0, rate * DOMAIN_BURST), least=1)

    def within(self, seconds: float, *, urgent: bool = True) -> float:
        """The most letters that all workers together begin in any so many seconds."""
        return self.burst * (2 if urgent else 1) + self.rate * (seconds + HOLD.total_seconds())


@dataclass(frozen=True)
class Limits:
    """What holds for an installation: its relay, domains with a rate of their own, and all other domains (0: none)."""

    relay: Limit
    domain_rate: float
    domain_rates: Mapping[str, float]

    @classmethod
    def of(cls, smtp: Smtp) -> "Limits":
        """As the settings say."""
        given = (entry.partition("=") for entry in smtp.domain_rates.split())
        return cls(
            Limit.of_relay(f"relay {smtp.host}:{smtp.port}", smtp.rate),
            domain_rate=smtp.domain_rate,
            domain_rates={domain.lower(): float(rate) for domain, _, rate in given},
        )

    @property
    def by_domain(self) -> bool:
        """True if any domain has a limit."""
        return bool(self.domain_rate or self.domain_rates)

    def of_domain(self, domain: str) -> Limit | None:
        """What holds for this receiving domain; None where nothing does."""
        rate = self.domain_rates.get(domain, self.domain_rate)
        return Limit.of_domain(domain, rate) if rate else None


def domain_of(address: str) -> str:
    """The domain that receives for an address, as limits name it."""
    domain = address.strip().rpartition("@")[2].lower()
    try:
        return domain if domain.isascii() else domain.encode("idna").decode("ascii")
    except UnicodeError:
        return domain


@dataclass(frozen=True)
class Bucket:
    """How full it was at a moment; below nothing while urgent letters have borrowed."""

    level: float
    at: datetime

    def draw(self, limit: Limit, now: datetime, *, wanted: int, urgent: bool) -> "Drawn":
        """Take up to `wanted` tokens.

        Bulk letters get none before there are as many as they should take at least. Urgent ones borrow a burst from
        those that come later, so that bulk ones never stand before them. Where clocks differ, the one that is ahead
        counts.
        """
        elapsed = max(0.0, (now - self.at).total_seconds())
        level = min(limit.burst, self.level + elapsed * limit.rate)
        there = level + limit.burst if urgent else level
        least = 1 if urgent else min(wanted, limit.least)
        granted = min(wanted, int(there + 1e-9)) if there + 1e-9 >= least else 0
        wait = max(0.0, (least - (there - granted)) / limit.rate)
        return Drawn(Bucket(level - granted, max(now, self.at)), granted, wait)


@dataclass(frozen=True)
class Drawn:
    """A bucket afterwards, how many tokens were granted, and after how many seconds it is worth asking again."""

    bucket: Bucket
    granted: int
    wait: float


@dataclass(frozen=True)
class Row:
    """Letters of a domain that were put off, one behind the other at its rate; `end` is when the next may come."""

    end: datetime

    def join(self, limit: Limit, now: datetime, *, wait: float) -> tuple["Row", datetime]:
        """The row with one letter more, and when that is due: on a full second, in `wait` seconds at the earliest."""
        due = min(max(self.end, now + timedelta(seconds=wait)), now + LONGEST_PUT_OFF)
        return Row(due + timedelta(seconds=1 / limit.rate)), full_second(due)


def full_second(moment: datetime) -> datetime:
    """The moment, or the next full second: letters that are due together are settled together."""
    return moment + timedelta(microseconds=-moment.microsecond % 1_000_000)
