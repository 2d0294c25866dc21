"""Model: what a situation report holds for ever, and what changed between one and the next."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict

from services.status.picture.model import Line
from services.status.readiness.model import Dimension, Face, State, Tallies, TallyKey, difference, nonzero
from services.status.situation.model import Kind, Names, Situation, Words, plain
from shared import region
from shared.i18n import N_
from shared.identity import Role
from shared.realm import Realm

SUMMARY_LENGTH = 4_000
NEXT_AT_MOST = timedelta(days=31)

Lines = Mapping[tuple[Dimension, str], Line]
"""Figures by dimension and key; a key is missing where nobody is counted."""

LIMITED = N_("A situation report speaks for the whole region, and your role is limited to a part of it.")
LIMITED_NEXT = N_("Ask a liaison whose role covers the whole region.")
"""What they are told who may neither make nor share a report, though they may read it."""


class Form(StrEnum):
    """In which forms a report is kept."""

    HTML = "html"
    CSV = "csv"
    XLSX = "xlsx"
    PDF = "pdf"


class Flaw(StrEnum):
    """Why a report was not made."""

    SUMMARY_TOO_LONG = "summary too long"
    NEXT_UNREADABLE = "next report's time unreadable"
    NEXT_OUT_OF_RANGE = "next report's time out of range"


class Frozen(BaseModel):
    """A part of a report: it is kept as JSON and never changes."""

    model_config = ConfigDict(frozen=True)


class Figure(Frozen):
    """How many, by which dimension, under which key, are in which state; in a comparison, how many more."""

    dimension: Dimension
    key: str
    state: State
    count: int


class Changes(Frozen):
    """By how much the figures differ from those of an earlier report."""

    since: int
    since_at: AwareDatetime
    deltas: tuple[Figure, ...]

    @property
    def unchanged(self) -> bool:
        """True if not one figure differs, of the whole or of any part."""
        return not self.deltas

    @property
    def tallies(self) -> Tallies:
        """What must be added to the earlier figures."""
        return tallies_of(self.deltas)

    def of(self, dimension: Dimension, key: str) -> Line:
        """By how much the figures of one place, sector, network or capability differ."""
        return lines_of(self.deltas).get((dimension, key), Line(key, {}))


class Event(Frozen):
    """What somebody wrote of the situation's course, and when."""

    at: AwareDatetime
    words: Words


class Report(Frozen):
    """Everything that a report says, in no language yet. `compiled_by` is an id; whose it is stands in intake alone."""

    report_version: Literal[1] = 1
    id: UUID
    realm: Realm
    situation_id: UUID
    number: int
    names: Names
    kind: Kind
    municipalities: tuple[str, ...]
    opened_at: AwareDatetime
    closed_at: AwareDatetime | None
    freshness_hours: int
    figures_at: AwareDatetime
    newest_answer_at: AwareDatetime | None
    rounds: int
    figures: tuple[Figure, ...]
    network_names: Mapping[str, Mapping[str, str]] = {}
    updates: tuple[Event, ...] = ()
    closing: Words = Words()
    changes: Changes | None
    summary: str
    next_at: AwareDatetime | None
    compiled_by: UUID
    compiled_as: tuple[Role, ...]

    @property
    def tallies(self) -> Tallies:
        """The figures as the readiness of a situation keeps them."""
        return tallies_of(self.figures)

    @property
    def whole(self) -> Line:
        """The figures of the whole region."""
        return self.line(Dimension.REGION, region.REGION.code)

    @cached_property
    def lines(self) -> Lines:
        """The figures by place, sector, network and capability."""
        return lines_of(self.figures)

    @property
    def declined(self) -> int:
        """How many of those asked said that they will not answer this time."""
        return sum(self.line(Dimension.DECLINED, region.REGION.code).counts.values())

    def line(self, dimension: Dimension, key: str) -> Line:
        """The figures of one place, sector, network or capability; nothing where nobody is counted."""
        return self.lines.get((dimension, key), Line(key, {}))


@dataclass(frozen=True)
class Facts:
    """What one look into the tables brings, in one consistent state."""

    tallies: Tallies
    newest_answer_at: datetime | None
    rounds: int
    network_names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    updates: tuple[Event, ...] = ()


@dataclass(frozen=True)
class Draft:
    """A report as a person wrote it into the form: nothing in it is checked yet. `next_at` is None where the time
    could not be read."""

    summary: str
    next_at: datetime | None
    next_wanted: bool


@dataclass(frozen=True)
class Note:
    """What a person adds to the figures, checked; with who it was, and as what."""

    report_id: UUID
    summary: str
    next_at: datetime | None
    person_id: UUID
    roles: tuple[Role, ...]


@dataclass(frozen=True)
class Refused:
    """It was not done, for these reasons."""

    flaws: tuple[Flaw, ...]


@dataclass(frozen=True)
class Turn:
    """A municipality looks otherwise at a glance than it did."""

    municipality: str
    before: Face
    after: Face


def write_note(
    draft: Draft, *, report_id: UUID, person_id: UUID, roles: Iterable[Role], now: datetime
) -> Note | Refused:
    """What is written to the figures, or every reason why not."""
    summary = plain(draft.summary)
    readable = draft.next_at is not None or not draft.next_wanted
    in_range = draft.next_at is None or now < draft.next_at <= now + NEXT_AT_MOST
    checks = (
        (len(summary) <= SUMMARY_LENGTH, Flaw.SUMMARY_TOO_LONG),
        (readable, Flaw.NEXT_UNREADABLE),
        (in_range, Flaw.NEXT_OUT_OF_RANGE),
    )
    flaws = tuple(flaw for holds, flaw in checks if not holds)
    if flaws:
        return Refused(flaws)
    return Note(report_id, summary, draft.next_at, person_id, tuple(sorted(roles)))


def compile_report(
    situation: Situation, facts: Facts, note: Note, *, number: int, previous: Report | None, now: datetime
) -> Report:
    """The report with this number, whose figures are those of `now`."""
    return Report(
        id=note.report_id,
        realm=situation.realm,
        situation_id=situation.id,
        number=number,
        names=situation.names,
        kind=situation.kind,
        municipalities=situation.municipalities,
        opened_at=situation.opened_at,
        closed_at=situation.closed_at,
        freshness_hours=situation.freshness_hours,
        figures_at=now,
        newest_answer_at=facts.newest_answer_at,
        rounds=facts.rounds,
        figures=figures_of(facts.tallies),
        network_names=facts.network_names,
        updates=facts.updates,
        closing=situation.closing,
        changes=compare(previous, facts.tallies) if previous else None,
        summary=note.summary,
        next_at=note.next_at,
        compiled_by=note.person_id,
        compiled_as=note.roles,
    )


def compare(earlier: Report, tallies: Tallies) -> Changes:
    """By how much these figures differ from those of an earlier report."""
    deltas = figures_of(difference(tallies, earlier.tallies))
    return Changes(since=earlier.number, since_at=earlier.figures_at, deltas=deltas)


def turns(changes: Changes, tallies: Tallies) -> list[Turn]:
    """The municipalities that look otherwise at a glance, where `tallies` are the later figures."""
    later = lines_of(figures_of(tallies))
    earlier = lines_of(figures_of(difference(tallies, changes.tallies)))
    found = []
    for place in region.MUNICIPALITIES:
        key, nobody = (Dimension.MUNICIPALITY, place.code), Line(place.code, {})
        before, after = earlier.get(key, nobody).face, later.get(key, nobody).face
        if before is not after:
            found.append(Turn(place.code, before, after))
    return found


def figures_of(tallies: Tallies) -> tuple[Figure, ...]:
    """The figures that are not nothing, in order."""
    return tuple(
        Figure(dimension=key.dimension, key=key.key, state=key.state, count=count)
        for key, count in sorted(nonzero(tallies).items())
    )


def tallies_of(figures: Sequence[Figure]) -> Tallies:
    """The same figures as they are counted."""
    return Counter({TallyKey(figure.dimension, figure.key, figure.state): figure.count for figure in figures})


def lines_of(figures: Iterable[Figure]) -> Lines:
    """The same figures, those under one key together."""
    counts: dict[tuple[Dimension, str], dict[State, int]] = {}
    for figure in figures:
        counts.setdefault((figure.dimension, figure.key), {})[figure.state] = figure.count
    return {key: Line(key[1], by_state) for key, by_state in counts.items()}
