"""Model: measures of an exercise from its log, and the after-action report that holds them.

Every time is one of the exercise's own clock. A measure's denominator is always who was asked: an association counts
once, however often it was asked, and its answer is timed from when it was asked first to what it answered first.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from math import ceil
from uuid import UUID

from services.exercise.association.model import Association, Register
from services.exercise.director.model import Line
from services.exercise.exercise.model import ClockHistory, Exercise
from services.exercise.expectation.model import Action, Mark, Verdict, judged
from services.exercise.observation.model import Observation
from services.exercise.scenario.model import DoneBy
from shared import region


class Fact(StrEnum):
    """What the log tells of an association in an exercise."""

    ASKED = "asked"
    ANSWERED = "answered"
    DECLINED = "declined"
    NOT_REACHED = "not-reached"


class Happening(StrEnum):
    """What the log tells of an exercise as a whole."""

    SITUATION_OPENED = "situation-opened"
    ROUND_OPENED = "round-opened"
    ROUND_CLOSED = "round-closed"
    GUIDANCE_PUBLISHED = "guidance-published"
    GUIDANCE_UPDATED = "guidance-updated"
    GUIDANCE_WITHDRAWN = "guidance-withdrawn"
    BROADCAST_FINISHED = "broadcast-finished"


class Dimension(StrEnum):
    """By what associations are counted in parts."""

    MUNICIPALITY = "municipality"
    SECTOR = "sector"
    NETWORK = "network"


Heard = Mapping[Fact, datetime]
"""When each fact of an association was first so, in real time."""


@dataclass(frozen=True)
class Noted:
    """Something that happened in an exercise; `key` tells one such thing from another. `sent` and `failed` are letters
    of a broadcast."""

    what: Happening
    key: str
    at: datetime
    sent: int = 0
    failed: int = 0


@dataclass(frozen=True)
class Moment:
    """The same by the clock of the exercise."""

    at: timedelta
    what: Happening
    sent: int = 0
    failed: int = 0


@dataclass(frozen=True)
class Measures:
    """How many of those `asked` answered, declined, were not reached or stayed silent: these four add up to `asked`.

    `first`, `half` and `ninety` are how long the first, half (the median) and nine in ten of the answers took, each
    from its own asking; `half_asked` when half of all asked had answered. None: it never came to that. `unasked` are
    those who answered without having been asked; they are in no other figure.
    """

    asked: int = 0
    answered: int = 0
    declined: int = 0
    not_reached: int = 0
    silent: int = 0
    unasked: int = 0
    first: timedelta | None = None
    half: timedelta | None = None
    ninety: timedelta | None = None
    half_asked: timedelta | None = None

    def share(self, count: int) -> float:
        """What part of those asked so many are; nothing of nobody."""
        return count / self.asked if self.asked else 0.0


@dataclass(frozen=True)
class Part:
    """The measures of one municipality, sector or network; its code is empty where the register does not know it."""

    code: str
    measures: Measures


@dataclass(frozen=True)
class Record:
    """What the tables hold of one exercise, in one consistent state."""

    heard: Mapping[UUID, Heard]
    noted: Sequence[Noted]
    register: Register
    participants: int
    simulated: frozenset[UUID] = frozenset()
    marks: Mapping[int, Mark] = field(default_factory=dict)
    observations: tuple[Observation, ...] = ()


@dataclass(frozen=True)
class AfterActionReport:
    """What an exercise showed, in no language yet. `answers` are the moments of the first answers of those asked, in
    order of time; `real` the measures of associations that somebody played, `simulated` those of all others."""

    exercise: Exercise
    compiled_at: datetime
    length: timedelta
    participants: int
    whole: Measures
    real: Measures
    simulated: Measures
    parts: Mapping[Dimension, tuple[Part, ...]]
    network_names: Mapping[str, Mapping[str, str]]
    answers: tuple[timedelta, ...]
    course: tuple[Moment, ...]
    actions: tuple[Action, ...]
    observations: tuple[Observation, ...]

    def count(self, verdict: Verdict) -> int:
        """How many of the expected actions have this verdict."""
        return sum(action.verdict is verdict for action in self.actions)

    @property
    def put_in(self) -> int:
        """How many actions could be expected: those whose inject was put in, or that were judged all the same."""
        return len(self.actions) - self.count(Verdict.NOT_PUT_IN)


Course = Mapping[Fact, timedelta]
"""When each fact of an association was first so, by the clock of the exercise."""


def compile_report(
    exercise: Exercise, history: ClockHistory, record: Record, lines: Sequence[Line], *, now: datetime
) -> AfterActionReport:
    """The report as the log stands now."""
    courses = courses_of(record, history)
    simulated = {record.register.today(association_id) for association_id in record.simulated}
    answers = tuple(
        sorted(course[Fact.ANSWERED] for course in courses.values() if {Fact.ASKED, Fact.ANSWERED} <= course.keys())
    )
    moments = sorted(
        (Moment(history.offset(one.at), one.what, one.sent, one.failed) for one in record.noted),
        key=lambda moment: (moment.at, moment.what),
    )
    whole = measure(courses.values())
    return AfterActionReport(
        exercise=exercise,
        compiled_at=now,
        length=history.reached,
        participants=record.participants,
        whole=whole,
        real=measure(course for one, course in courses.items() if one not in simulated),
        simulated=measure(course for one, course in courses.items() if one in simulated),
        parts={dimension: parts(courses, record.register, dimension) for dimension in Dimension},
        network_names=record.register.network_names,
        answers=answers,
        course=tuple(moments),
        actions=judged(lines, record.marks, log_of(moments, answers, asked=whole.asked), over=exercise.over),
        observations=record.observations,
    )


def courses_of(record: Record, history: ClockHistory) -> dict[UUID, Course]:
    """What each association did and when, under the id that it has today."""
    first: dict[UUID, dict[Fact, datetime]] = {}
    for association_id, facts in record.heard.items():
        known = first.setdefault(record.register.today(association_id), {})
        for fact, at in facts.items():
            known[fact] = min(at, known.get(fact, at))
    return {
        association_id: {fact: history.offset(at) for fact, at in facts.items()}
        for association_id, facts in first.items()
    }


def measure(courses: Iterable[Course]) -> Measures:
    """The measures of these associations together."""
    counts: Counter[str] = Counter()
    delays: list[timedelta] = []
    for course in courses:
        outcome = _outcome(course)
        counts[outcome] += 1
        if outcome == "answered":
            delays.append(max(course[Fact.ANSWERED] - course[Fact.ASKED], timedelta()))
    asked = sum(counts.values()) - counts["unasked"] - counts["nothing"]
    delays.sort()
    return Measures(
        asked=asked,
        answered=counts["answered"],
        declined=counts["declined"],
        not_reached=counts["not_reached"],
        silent=counts["silent"],
        unasked=counts["unasked"],
        first=delays[0] if delays else None,
        half=_nth(delays, 0.5, of=len(delays)),
        ninety=_nth(delays, 0.9, of=len(delays)),
        half_asked=_nth(delays, 0.5, of=asked),
    )


def _outcome(course: Course) -> str:
    """An answer counts before a refusal, and both before a letter that did not arrive."""
    if Fact.ASKED not in course:
        return "unasked" if Fact.ANSWERED in course else "nothing"
    if Fact.ANSWERED in course:
        return "answered"
    if Fact.DECLINED in course:
        return "declined"
    return "not_reached" if Fact.NOT_REACHED in course else "silent"


def _nth(delays: Sequence[timedelta], share: float, *, of: int) -> timedelta | None:
    """The delay by which that share of so many had come (the nearest rank); None if so many never came."""
    rank = max(ceil(round(share * of, 9)), 1)
    return delays[rank - 1] if rank <= len(delays) else None


def parts(courses: Mapping[UUID, Course], register: Register, dimension: Dimension) -> tuple[Part, ...]:
    """The measures of each municipality, sector or network of which somebody was asked or answered, in the order of
    the region's own lists; those that the register does not know last. Who is in two networks is counted in both."""
    grouped: dict[str, list[Course]] = {}
    for association_id, course in courses.items():
        for code in _codes(register.associations.get(association_id), dimension):
            grouped.setdefault(code, []).append(course)
    order = {code: place for place, code in enumerate(_order(dimension))}
    in_order = sorted(grouped, key=lambda code: (not code, order.get(code, len(order)), code))
    return tuple(Part(code, measure(grouped[code])) for code in in_order)


def _codes(association: Association | None, dimension: Dimension) -> tuple[str, ...]:
    if dimension is Dimension.NETWORK:
        return association.networks if association else ()
    if association is None:
        return ("",)
    return (association.municipality if dimension is Dimension.MUNICIPALITY else association.sector,)


def _order(dimension: Dimension) -> tuple[str, ...]:
    if dimension is Dimension.MUNICIPALITY:
        return tuple(code for sub_region in region.SUB_REGIONS for code in sub_region.municipalities)
    return tuple(sector.code for sector in region.SECTORS)


def log_of(
    moments: Sequence[Moment], answers: Sequence[timedelta], *, asked: int
) -> dict[DoneBy, tuple[timedelta, ...]]:
    """When what the scenario can be judged by came about."""

    def when(*whats: Happening) -> tuple[timedelta, ...]:
        return tuple(moment.at for moment in moments if moment.what in whats)

    half = answers[ceil(asked / 2) - 1 : ceil(asked / 2)] if asked else ()
    return {
        DoneBy.SITUATION_OPENED: when(Happening.SITUATION_OPENED),
        DoneBy.ROUND_OPENED: when(Happening.ROUND_OPENED),
        DoneBy.HALF_ANSWERED: tuple(half),
        DoneBy.GUIDANCE_PUBLISHED: when(Happening.GUIDANCE_PUBLISHED),
        DoneBy.GUIDANCE_UPDATED: when(Happening.GUIDANCE_UPDATED, Happening.GUIDANCE_WITHDRAWN),
        DoneBy.GUIDANCE_WITHDRAWN: when(Happening.GUIDANCE_WITHDRAWN),
    }
