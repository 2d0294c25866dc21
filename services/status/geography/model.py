"""Model: outlines of municipalities are projected to one drawing and simplified, alike on both sides of a border."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import cos, hypot, inf, radians

Point = tuple[float, float]
Ring = list[Point]
"""A closed line: its last point is its first."""

SIZE = 1000.0
"""The longer side of the drawing, in its own units."""
FINEST = 0.4
"""Units by which a simplified line may miss the given one; on most screens that is less than a pixel."""
MOST_POINTS = 6_000
"""Points of the finished drawing at most: beyond, the lines get coarser, twice as coarse at each try."""

AT_ONCE = 300
"""Points of one line that are thinned together; the ones between stay."""

FLAT = 0.4
"""A label is so much higher than it is wide: room to its sides counts that much less."""
STEPS = 24
"""Places tried for a label along each side."""


class UnfitGeographyError(Exception):
    """The file holds no outlines of the region's municipalities; the text says why, and what to do."""


@dataclass(frozen=True)
class Shape:
    """One municipality as it is drawn: an SVG path, and the point at which its label stands."""

    code: str
    path: str
    label_x: float
    label_y: float


@dataclass(frozen=True)
class Geography:
    """All municipalities in one drawing of `width` x `height` units with y downwards, and whose data it is."""

    width: float
    height: float
    attribution: str
    shapes: tuple[Shape, ...]


def drawn(outlines: Mapping[str, Sequence[Ring]], *, attribution: str) -> Geography:
    """The drawing of rings in degrees by code: equirectangular at the middle latitude, as large as SIZE allows.

    Neighbours that share points share them still: a border is simplified once, for both.
    """
    positions = [position for rings in outlines.values() for ring in rings for position in ring]
    west, east = min(x for x, _ in positions), max(x for x, _ in positions)
    south, north = min(y for _, y in positions), max(y for _, y in positions)
    shrink = cos(radians((south + north) / 2))
    extent = max((east - west) * shrink, north - south)
    if extent <= 0:
        raise UnfitGeographyError("all positions are the same: these are no areas")
    scale = SIZE / extent

    def place(position: Point) -> Point:
        return round((position[0] - west) * shrink * scale, 1), round((north - position[1]) * scale, 1)

    placed = {code: [[place(position) for position in ring] for ring in rings] for code, rings in outlines.items()}
    return Geography(
        width=round((east - west) * shrink * scale, 1),
        height=round((north - south) * scale, 1),
        attribution=attribution,
        shapes=tuple(_shape(code, rings) for code, rings in _small_enough(placed).items()),
    )


def simplified(areas: Mapping[str, Sequence[Ring]], tolerance: float) -> dict[str, list[Ring]]:
    """The same areas with lines that miss the given ones by `tolerance` at most (Douglas and Peucker, 1973).

    Rings are cut where borders part, and each piece is simplified in one direction, whosever ring it is in: what
    two areas share they share afterwards, point by point. Rings that shrink to nothing go, but for an area's largest.
    """
    tidy = {code: [_tidy(ring) for ring in rings] for code, rings in areas.items()}
    knots = _knots(ring for rings in tidy.values() for ring in rings)
    return {code: list(_lasting(rings, knots, tolerance)) for code, rings in tidy.items()}


def inmost(rings: Sequence[Ring]) -> Point:
    """The point inside these rings that has most room around it for a flat label, of STEPS x STEPS that are tried."""
    largest = max(rings, key=lambda ring: abs(area(ring)))
    left, right = min(x for x, _ in largest), max(x for x, _ in largest)
    top, bottom = min(y for _, y in largest), max(y for _, y in largest)
    flat = [[(x * FLAT, y) for x, y in ring] for ring in rings]
    best, room = ((left + right) / 2, (top + bottom) / 2), -inf
    for row in range(STEPS):
        for column in range(STEPS):
            x = left + (right - left) * (column + 0.5) / STEPS
            y = top + (bottom - top) * (row + 0.5) / STEPS
            if inside(flat, (x * FLAT, y)):
                here = min(_distance((x * FLAT, y), *side) for ring in flat for side in pairwise(ring))
                if here > room:
                    best, room = (x, y), here
    return best


def area(ring: Ring) -> float:
    """The area inside, negative if the ring runs the other way round."""
    return sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairwise(ring)) / 2


def inside(rings: Iterable[Ring], point: Point) -> bool:
    """True if the point is inside an odd number of the rings, as a hole's is not."""
    x, y = point
    crossings = 0
    for ring in rings:
        for (x1, y1), (x2, y2) in pairwise(ring):
            if (y1 > y) != (y2 > y) and x < x1 + (y - y1) * (x2 - x1) / (y2 - y1):
                crossings += 1
    return crossings % 2 == 1


def _tidy(ring: Ring) -> Ring:
    """The ring without repeated points."""
    return [ring[0], *(after for before, after in pairwise(ring) if after != before)]


def _knots(rings: Iterable[Ring]) -> set[Point]:
    """Points at which borders part: those that have other than two neighbours in all rings together."""
    neighbours: dict[Point, set[Point]] = {}
    for ring in rings:
        for one, other in pairwise(ring):
            neighbours.setdefault(one, set()).add(other)
            neighbours.setdefault(other, set()).add(one)
    return {point for point, near in neighbours.items() if len(near) != 2}


def _lasting(rings: Sequence[Ring], knots: set[Point], tolerance: float) -> Iterator[Ring]:
    largest = max(range(len(rings)), key=lambda number: abs(area(rings[number])))
    for number, ring in enumerate(rings):
        less = [ring[0]] if len(ring) < 4 else _fewer(ring, knots, tolerance)
        if len(less) >= 4:
            yield less
        elif number == largest:
            yield ring


def _fewer(ring: Ring, knots: set[Point], tolerance: float) -> Ring:
    points = ring[:-1]
    starts = [number for number, point in enumerate(points) if point in knots]
    first = starts[0] if starts else points.index(min(points))
    points = [*points[first:], *points[: first + 1]]
    cuts = [number for number, point in enumerate(points) if point in knots or number in (0, len(points) - 1)]
    less = [points[0]]
    for start, end in pairwise(cuts):
        less.extend(_piece(points[start : end + 1], tolerance)[1:])
    return less


def _piece(line: Ring, tolerance: float) -> Ring:
    turned = line[::-1]
    return _lighter(line, tolerance) if line <= turned else _lighter(turned, tolerance)[::-1]


def _lighter(line: Ring, tolerance: float) -> Ring:
    """The line with fewer points, AT_ONCE at a time: thinning takes a time that may grow with their square."""
    less = line[:1]
    for start in range(0, len(line) - 1, AT_ONCE):
        less.extend(_thinned(line[start : start + AT_ONCE + 1], tolerance)[1:])
    return less


def _thinned(line: Ring, tolerance: float) -> Ring:
    kept = {0, len(line) - 1}
    todo = [(0, len(line) - 1)]
    while todo:
        start, end = todo.pop()
        between = range(start + 1, end)
        far = max(between, key=lambda at: _distance(line[at], line[start], line[end]), default=None)
        if far is not None and _distance(line[far], line[start], line[end]) > tolerance:
            kept.add(far)
            todo += [(start, far), (far, end)]
    return [line[number] for number in sorted(kept)]


def _distance(point: Point, start: Point, end: Point) -> float:
    """From a point to the nearest of a straight piece."""
    (x, y), (x1, y1), (x2, y2) = point, start, end
    length = (x2 - x1) ** 2 + (y2 - y1) ** 2
    along = max(0.0, min(1.0, ((x - x1) * (x2 - x1) + (y - y1) * (y2 - y1)) / length)) if length else 0.0
    return hypot(x - x1 - along * (x2 - x1), y - y1 - along * (y2 - y1))


def _small_enough(placed: Mapping[str, Sequence[Ring]]) -> dict[str, list[Ring]]:
    tolerance = FINEST
    while True:
        lines = simplified(placed, tolerance)
        if tolerance > SIZE or sum(len(ring) for rings in lines.values() for ring in rings) <= MOST_POINTS:
            return lines
        tolerance *= 2


def _shape(code: str, rings: Sequence[Ring]) -> Shape:
    if min(map(len, rings)) < 4:
        raise UnfitGeographyError(f"{code} is too small to be seen: its outline has no area")
    path = "".join("M" + "L".join(f"{x:g} {y:g}" for x, y in ring[:-1]) + "Z" for ring in rings)
    x, y = inmost(rings)
    return Shape(code, path, round(x, 1), round(y, 1))
