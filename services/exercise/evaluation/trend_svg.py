"""Format: how the answers came, as a stepped line for an SVG, and the same as rows of a table."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

WIDTH, HEIGHT = 1000, 300
MOMENTS = 120
"""The drawing looks at so many moments, however many answers there are."""
TABLE_ROWS = 9


@dataclass(frozen=True)
class DrawnRow:
    """How many had answered at a moment of the exercise's clock, and what part of those asked they were."""

    at: timedelta
    answered: int
    share: float


@dataclass(frozen=True)
class Drawing:
    """A line and the area under it in a field of WIDTH x HEIGHT with y downwards, whose top is all that were asked;
    labels from the top down and from left to right; and the same as a table."""

    line: str
    area: str
    up: tuple[int, ...]
    across: tuple[timedelta, ...]
    rows: tuple[DrawnRow, ...]


def draw(answers: Sequence[timedelta], *, length: timedelta, asked: int) -> Drawing:
    """The drawing of answers in order of time, from the beginning to where the clock stands. `asked` is at least as
    many as answered. The highest label is a multiple of 4."""
    span = max(length, timedelta(minutes=1))
    moments = [span * number / (MOMENTS - 1) for number in range(MOMENTS)]
    counts = [bisect_right(answers, moment) for moment in moments]
    counts[-1] = len(answers)
    top = max(4, -(-asked // 4) * 4)
    points = [
        f"{number * WIDTH / (MOMENTS - 1):.1f},{HEIGHT - HEIGHT * count / top:.1f}"
        for number, count in enumerate(counts)
    ]
    shown = sorted({round(row * (MOMENTS - 1) / (TABLE_ROWS - 1)) for row in range(TABLE_ROWS)})
    return Drawing(
        line=" ".join(points),
        area=f"0,{HEIGHT} {' '.join(points)} {WIDTH},{HEIGHT}",
        up=tuple(top * quarter // 4 for quarter in (4, 3, 2, 1, 0)),
        across=tuple(span * third / 3 for third in range(4)),
        rows=tuple(DrawnRow(moments[number], counts[number], counts[number] / asked) for number in shown),
    )
