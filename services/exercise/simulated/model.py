"""Model: what each simulated association does when it is asked: nothing, or answers at moments of the exercise."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import exp, log
from random import Random
from statistics import NormalDist
from typing import Final
from uuid import UUID, uuid5

from services.exercise.scenario.model import Behaviour, Delay, Manner, StatusMix, Wish
from shared.events.intake import Amount, OperatingStatus

MOST_TRIES: Final = 8
SHORTEST: Final = timedelta(minutes=1)
"""However late a round is opened, answers take so long."""


class Fate(StrEnum):
    """What becomes of the letter to an association."""

    UNREACHABLE = "unreachable"
    SILENT = "silent"
    ANSWERS = "answers"


@dataclass(frozen=True)
class Simulated:
    """An association that takes part as a simulated one, and its municipality's code."""

    association_id: UUID
    municipality: str


@dataclass(frozen=True)
class SimulatedAnswer:
    """An answer, timed from when the round was opened."""

    at: timedelta
    status: OperatingStatus
    needs: tuple[Amount, ...] = ()
    offers: tuple[Amount, ...] = ()


@dataclass(frozen=True)
class Conduct:
    """What one association does; `answers` is empty unless it answers, else holds one or two in order of time."""

    association_id: UUID
    fate: Fate
    answers: tuple[SimulatedAnswer, ...] = ()


def conducts(behaviour: Behaviour, asked: Iterable[Simulated], *, seed: int, within: timedelta) -> Sequence[Conduct]:
    """What each of these does within so long a time, in their order.

    One association's conduct depends on the seed and its id alone, and not on who else is asked. Of many, the shares
    are those of the behaviour; delays are drawn from the part of the distribution that lies `within`.
    """
    return [_conduct(one, behaviour.manner(one.municipality), seed, within) for one in asked]


def _conduct(one: Simulated, manner: Manner, seed: int, within: timedelta) -> Conduct:
    rng = Random(f"{seed} {one.association_id}")  # noqa: S311 - a repeatable model, no secret
    if rng.random() < manner.unreachable:
        return Conduct(one.association_id, Fate.UNREACHABLE)
    if rng.random() >= manner.answering:
        return Conduct(one.association_id, Fate.SILENT)
    return Conduct(one.association_id, Fate.ANSWERS, tuple(_answers(manner, rng, within)))


def _answers(manner: Manner, rng: Random, within: timedelta) -> Iterator[SimulatedAnswer]:
    first = SimulatedAnswer(
        at=_delay(manner.delay, rng, within),
        status=_status(manner.statuses, rng),
        needs=tuple(_amounts(manner.needs, rng)),
        offers=tuple(_amounts(manner.offers, rng)),
    )
    yield first
    if rng.random() < manner.again:
        later = first.at + (within - first.at) * rng.uniform(0.1, 1)
        yield SimulatedAnswer(later, _status(manner.statuses, rng, other_than=first.status), first.needs, first.offers)


def _status(mix: StatusMix, rng: Random, *, other_than: OperatingStatus | None = None) -> OperatingStatus:
    weights = {
        OperatingStatus.NORMAL: mix.normal,
        OperatingStatus.LIMITED: mix.limited,
        OperatingStatus.SUSPENDED: mix.suspended,
    }
    possible = [status for status in weights if status is not other_than]
    if not any(weights[status] for status in possible):
        return rng.choice(possible)
    return rng.choices(possible, [weights[status] for status in possible])[0]


def _delay(delay: Delay, rng: Random, within: timedelta) -> timedelta:
    """A log-normal delay, drawn from the part of the distribution that lies `within`."""
    median = max(delay.median, timedelta(seconds=1))
    if not delay.spread:
        return min(median, within)
    normal = NormalDist(sigma=delay.spread)
    reached = max(normal.cdf(log(within / median)), 1e-9)
    return min(median * exp(normal.inv_cdf((1 - rng.random()) * reached)), within)


def _amounts(wishes: Sequence[Wish], rng: Random) -> Iterator[Amount]:
    for wish in wishes:
        drawn, amount = rng.random(), rng.randint(1, wish.most) if wish.most else None
        if drawn < wish.share:
            yield Amount(capability=wish.capability, amount=amount)


class Sending(StrEnum):
    """How far an answer is."""

    WAITING = "waiting"
    SENT = "sent"
    GIVEN_UP = "given up"
    DROPPED = "dropped"


@dataclass(frozen=True)
class Settled:
    """What an attempt to send an answer leaves: how far it is now, and when it is tried again at the earliest."""

    sending: Sending
    not_before: datetime | None = None


def after_failure(tries: int, *, permanent: bool, now: datetime) -> Settled:
    """What follows when an answer was not taken for the how manyeth time: it is sent again, after 1, 2, 4 and so on up
    to 32 seconds, or given up."""
    if permanent or tries >= MOST_TRIES:
        return Settled(Sending.GIVEN_UP)
    return Settled(Sending.WAITING, now + timedelta(seconds=2 ** min(tries - 1, 5)))


def form_of(round_id: UUID, association_id: UUID, number: int) -> UUID:
    """The form that an association's first or second answer in a round is: sent twice, it counts once."""
    return uuid5(round_id, f"{association_id} answer {number}")


@dataclass(frozen=True)
class Figures:
    """How the simulated associations of an exercise stand, in all its rounds: how many were asked, how many of these
    will never answer, and how many have; how many answers, second ones too, are still to come, were given up, or were
    dropped when the exercise ended."""

    asked: int = 0
    unreachable: int = 0
    silent: int = 0
    answered: int = 0
    to_come: int = 0
    given_up: int = 0
    dropped: int = 0
