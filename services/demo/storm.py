"""The model of the storm evening: who answers, when, and what; the power is out in Tammela and Loppi."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from math import exp, log
from random import Random
from statistics import NormalDist
from typing import Generic, TypeVar

K = TypeVar("K")

EVENING = timedelta(hours=3)
WITHOUT_POWER = frozenset({"834", "433"})
AGAIN = 0.04
"""The share of those who answered that answers a second time."""

_SPREAD = 0.9  # standard deviation of the logarithm of the delay


class Status(StrEnum):
    """How an association says that it operates."""

    NORMAL = "normal"
    LIMITED = "limited"
    SUSPENDED = "suspended"


@dataclass(frozen=True)
class Asked(Generic[K]):
    """An association that was asked: any key of the caller's, and its municipality's code."""

    key: K
    municipality: str


@dataclass(frozen=True)
class Answer(Generic[K]):
    """An answer, timed from the opening of the round."""

    at: timedelta
    key: K
    status: Status


@dataclass(frozen=True)
class _Weather:
    """How the evening goes in an area: the share that answers, its median delay, the weights of statuses."""

    answering: float
    median: timedelta
    normal: float
    limited: float
    suspended: float

    def status(self, rng: Random, *, other_than: Status | None = None) -> Status:
        weights = {
            Status.NORMAL: self.normal,
            Status.LIMITED: self.limited,
            Status.SUSPENDED: self.suspended,
        }
        possible = [status for status in Status if status is not other_than]
        return rng.choices(possible, [weights[status] for status in possible])[0]


# One association in twelve is without power, so that about 62 % answer in all.
_LIT = _Weather(0.636, timedelta(minutes=35), normal=0.86, limited=0.12, suspended=0.02)
_DARK = _Weather(0.45, timedelta(minutes=70), normal=0.12, limited=0.53, suspended=0.35)


def storm_evening(asked: Iterable[Asked[K]], seed: int) -> tuple[Answer[K], ...]:
    """The answers of the three hours after the opening, in order of time; whoever is silent has none.

    The same associations in the same order, with the same seed, give the same answers. Of all about 62 %
    answer, in the municipalities without power about 45 %, later and mostly limited or suspended. Some 4 % of
    them answer twice, the second time with another status.
    """
    rng = Random(seed)  # noqa: S311 - a repeatable model, no secret
    answers = [answer for association in asked for answer in _answers(association, rng)]
    return tuple(sorted(answers, key=lambda answer: answer.at))


def _answers(association: Asked[K], rng: Random) -> Iterator[Answer[K]]:
    weather = _DARK if association.municipality in WITHOUT_POWER else _LIT
    if rng.random() >= weather.answering:
        return
    at, status = _delay(weather.median, rng), weather.status(rng)
    yield Answer(at, association.key, status)
    if rng.random() < AGAIN:
        later = at + (EVENING - at) * rng.uniform(0.1, 1)
        yield Answer(later, association.key, weather.status(rng, other_than=status))


def _delay(median: timedelta, rng: Random) -> timedelta:
    """A log-normal delay, drawn from the part of the distribution that lies within the evening."""
    normal = NormalDist(sigma=_SPREAD)
    within = normal.cdf(log(EVENING / median))
    return median * exp(normal.inv_cdf((1 - rng.random()) * within))
