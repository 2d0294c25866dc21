"""Format: the trend of a situation as stacked areas for an SVG, and the same as rows of a table."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.status.picture.model import TrendStep
from services.status.readiness.model import State
from shared.i18n import N_

WIDTH, HEIGHT = 1000, 300
MOMENTS = 120
"""The drawing looks at so many moments, however long the situation lasts."""
ACROSS = tuple(f"{number * WIDTH / (MOMENTS - 1):.1f}" for number in range(MOMENTS))
TABLE_ROWS = 12

BANDS: tuple[tuple[str, tuple[State, ...]], ...] = (
    ("normal", (State.NORMAL,)),
    ("limited", (State.LIMITED,)),
    ("suspended", (State.SUSPENDED,)),
    ("silent", (State.STALE, State.NOT_ANSWERED, State.UNDELIVERABLE)),
)
"""From the bottom up. Silence of every sort is one band: nothing is known there."""


BAND_NAMES = {
    "normal": N_("Operates normally"),
    "limited": N_("Operates in part"),
    "suspended": N_("Activity suspended"),
    "silent": N_("No fresh answer"),
}


@dataclass(frozen=True)
class Area:
    """One band: its name, its outline as the `points` of an SVG polygon, and how many it holds at the end."""

    state: str
    points: str
    count: int


@dataclass(frozen=True)
class TrendRow:
    """How many were in each band at a moment, in the order of BANDS."""

    at: datetime
    counts: tuple[int, ...]


@dataclass(frozen=True)
class Trend:
    """Areas in a field of WIDTH x HEIGHT with y downwards, its labels, and the same as a table."""

    areas: tuple[Area, ...]
    up: tuple[int, ...]
    across: tuple[datetime, ...]
    rows: tuple[TrendRow, ...]


def draw(steps: Iterable[TrendStep], *, start: datetime, end: datetime) -> Trend:
    """The trend from `start` to `end`, which must be later. The highest label is a multiple of 4."""
    moments = [start + (end - start) * number / (MOMENTS - 1) for number in range(MOMENTS)]
    history = _history(steps)
    columns = [_counts(history, moment) for moment in moments]
    top = max(4, -(-max(sum(column) for column in columns) // 4) * 4)
    return Trend(
        areas=tuple(_area(number, columns, top) for number in range(len(BANDS))),
        up=tuple(top * quarter // 4 for quarter in (4, 3, 2, 1, 0)),
        across=tuple(start + (end - start) * third / 3 for third in range(4)),
        rows=tuple(
            TrendRow(moments[number], columns[number])
            for number in sorted({round(row * (MOMENTS - 1) / (TABLE_ROWS - 1)) for row in range(TABLE_ROWS)})
        ),
    )


History = Mapping[State, tuple[list[datetime], list[int]]]


def _history(steps: Iterable[TrendStep]) -> History:
    """For each state the moments of its changes, and its count from each on."""
    history: dict[State, tuple[list[datetime], list[int]]] = {state: ([], []) for state in State}
    for step in sorted(steps, key=lambda step: step.slot):
        slots, counts = history[step.state]
        slots.append(step.slot)
        counts.append((counts[-1] if counts else 0) + step.delta)
    return history


def _counts(history: History, moment: datetime) -> tuple[int, ...]:
    return tuple(sum(_count(*history[state], moment) for state in states) for _, states in BANDS)


def _count(slots: Sequence[datetime], counts: Sequence[int], moment: datetime) -> int:
    position = bisect_right(slots, moment)
    return counts[position - 1] if position else 0


def _area(band: int, columns: Sequence[Sequence[int]], top: int) -> Area:
    below = [sum(column[:band]) for column in columns]
    above = [sum(column[: band + 1]) for column in columns]
    outline = [*_line(above, top), *reversed(_line(below, top))]
    return Area(BANDS[band][0], " ".join(outline), columns[-1][band])


def _line(heights: Sequence[int], top: int) -> list[str]:
    at = {height: f"{HEIGHT - HEIGHT * height / top:.1f}" for height in set(heights)}
    return [f"{across},{at[height]}" for across, height in zip(ACROSS, heights, strict=True)]
