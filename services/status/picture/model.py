"""Model: the situation picture, made of figures that are kept already."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import floor
from uuid import UUID

from services.status.association.model import Traits
from services.status.readiness.model import (
    SLOT,
    Coverage,
    Dimension,
    Face,
    State,
    Tallies,
    coverage,
    face,
    slot_of,
    tally_keys,
)
from services.status.situation.model import Situation
from shared import region
from shared.i18n import N_

RECENT = timedelta(minutes=60)
NEWEST_CHANGES = 50
LIVE_CHANGES = 10

STATE_NAMES = {
    State.NORMAL: N_("Operates normally"),
    State.LIMITED: N_("Operates in part"),
    State.SUSPENDED: N_("Activity suspended"),
    State.STALE: N_("Out of date"),
    State.NOT_ANSWERED: N_("Has not answered"),
    State.UNDELIVERABLE: N_("Not reached"),
    State.NOT_ASKED: N_("Not asked"),
}
FACE_NAMES = {
    Face.NORMAL: N_("Operates normally"),
    Face.LIMITED: N_("Operates in part"),
    Face.SUSPENDED: N_("Activity suspended"),
    Face.UNKNOWN: N_("Not known"),
}


@dataclass(frozen=True)
class Change:
    """An association went from one state to another."""

    association_id: UUID
    name: str
    municipality: str
    before: State
    after: State
    at: datetime


@dataclass(frozen=True)
class TrendStep:
    """In the five minutes that begin then, the state's count changed by so many."""

    slot: datetime
    state: State
    delta: int


@dataclass(frozen=True)
class Glance:
    """What one look into the store brings: as many rows as there are figures, however many associations."""

    tallies: Tallies
    newest: Mapping[State, datetime]
    trend: Sequence[TrendStep]
    changes: Sequence[Change]


@dataclass(frozen=True)
class Line:
    """The figures of one place or sector."""

    code: str
    counts: Mapping[State, int]

    @property
    def coverage(self) -> Coverage:
        """How much is known here."""
        return coverage(self.counts)

    @property
    def face(self) -> Face:
        """How it looks at a glance."""
        return face(self.counts)

    def count(self, state: State) -> int:
        """How many are in a state."""
        return self.counts.get(state, 0)


@dataclass(frozen=True)
class Picture:
    """A situation at a moment, ready to be shown in any language."""

    situation: Situation
    seen_at: datetime
    whole: Line
    declined: int
    municipalities: Mapping[str, Line]
    sub_regions: Mapping[str, Line]
    sectors: Mapping[str, Line]
    capabilities: Mapping[str, Line]
    newest: Mapping[State, datetime]
    trend: Sequence[TrendStep]
    trend_from: datetime
    trend_to: datetime
    changes: Sequence[Change]

    @property
    def spoken_share(self) -> float:
        """The share that answered, in steps of a twentieth: what is read aloud must not change with every answer."""
        known = self.whole.coverage
        return floor(20 * known.answered / known.asked) / 20 if known.asked else 0.0


def crossed(
    counts: Iterable[tuple[Traits, State, int]], rows: Dimension, columns: Dimension
) -> dict[tuple[str, str], Line]:
    """The figures of every pair of a row's and a column's key that occurs, from (traits, state, count).

    An association with two capabilities is in two lines: sums over networks or capabilities are no sums of people.
    """
    found: dict[tuple[str, str], dict[State, int]] = {}
    for traits, state, count in counts:
        keys = tally_keys(traits)
        for row in (key for dimension, key in keys if dimension is rows):
            for column in (key for dimension, key in keys if dimension is columns):
                cell = found.setdefault((row, column), {})
                cell[state] = cell.get(state, 0) + count
    return {pair: Line(pair[0], cell) for pair, cell in found.items()}


def picture_of(situation: Situation, glance: Glance, now: datetime) -> Picture:
    """The picture of the situation; of one that is over, as it was at its end."""
    end = situation.closed_at or now
    lines: dict[tuple[Dimension, str], dict[State, int]] = {}
    for key, count in glance.tallies.items():
        lines.setdefault((key.dimension, key.key), {})[key.state] = count

    def line(dimension: Dimension, code: str) -> Line:
        return Line(code, lines.get((dimension, code), {}))

    return Picture(
        situation=situation,
        seen_at=now,
        whole=line(Dimension.REGION, region.REGION.code),
        declined=sum(line(Dimension.DECLINED, region.REGION.code).counts.values()),
        municipalities={place.code: line(Dimension.MUNICIPALITY, place.code) for place in region.MUNICIPALITIES},
        sub_regions={place.code: line(Dimension.SUB_REGION, place.code) for place in region.SUB_REGIONS},
        sectors={field.code: line(Dimension.SECTOR, field.code) for field in region.SECTORS},
        capabilities={one.code: line(Dimension.CAPABILITY, one.code) for one in region.CAPABILITIES},
        newest=glance.newest,
        trend=glance.trend,
        trend_from=slot_of(situation.opened_at),
        trend_to=max(end, slot_of(situation.opened_at) + SLOT),
        changes=glance.changes,
    )
