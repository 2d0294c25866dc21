"""The map's outlines: borders stay whole, lines stay near, and every label stands inside."""

from collections import Counter
from itertools import pairwise
from math import hypot

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.status.geography import model
from services.status.geography.model import Point, Ring, drawn, inmost, inside, simplified

steps = st.lists(st.floats(-0.4, 0.4), min_size=1, max_size=12)


def wiggle(start: Point, end: Point, offsets: list[float]) -> Ring:
    """A crooked line from one corner to the next, without its end."""
    (x1, y1), (x2, y2) = start, end
    parts = len(offsets) + 1
    return [start] + [
        (
            round(x1 + (x2 - x1) * at / parts - (y2 - y1) * offset / 4, 3),
            round(y1 + (y2 - y1) * at / parts + (x2 - x1) * offset / 4, 3),
        )
        for at, offset in enumerate(offsets, 1)
    ]


def closed(*lines: Ring) -> Ring:
    return [point for line in lines for point in line] + [lines[0][0]]


def reversed_line(line: Ring, end: Point) -> Ring:
    """The same line from its end, without its beginning."""
    return [end, *line[:0:-1]]


@settings(max_examples=30)
@given(steps, steps, steps, st.floats(0, 3), st.integers(0, 30))
def test_what_two_neighbours_share_they_share_when_it_is_made_simpler(
    west: list[float], border: list[float], east: list[float], tolerance: float, turn: int
) -> None:
    top, bottom = (50.0, 0.0), (50.0, 60.0)
    shared = wiggle(top, bottom, border)
    left = closed(shared, wiggle(bottom, (0.0, 60.0), west), [(0.0, 60.0), (0.0, 0.0)])
    right = closed(reversed_line(shared, bottom), wiggle(top, (99.0, 0.0), east), [(99.0, 0.0), (99.0, 60.0)])
    turned = right[:-1][turn % (len(right) - 1) :] + right[:-1][: turn % (len(right) - 1)]

    less = simplified({"left": [left], "right": [[*turned, turned[0]]]}, tolerance)

    sides = Counter(frozenset(side) for rings in less.values() for ring in rings for side in pairwise(ring))
    middle = {frozenset(side) for side in pairwise([*shared, bottom])}
    kept = {side for side, count in sides.items() if count == 2}
    assert max(sides.values()) == 2
    assert sum(length(side) for side in kept) <= sum(length(side) for side in middle) + 0.01
    assert {top, bottom} <= {point for side in kept for point in side}


def length(side: frozenset[Point]) -> float:
    (x1, y1), (x2, y2) = tuple(side) if len(side) == 2 else (*side, *side)
    return hypot(x1 - x2, y1 - y2)


@settings(max_examples=30)
@given(steps, st.floats(0, 5))
def test_a_simpler_line_stays_within_its_tolerance_and_on_the_given_points(
    crooked: list[float], tolerance: float
) -> None:
    ring = closed(wiggle((0.0, 0.0), (100.0, 0.0), crooked), [(100.0, 0.0), (100.0, 80.0), (0.0, 80.0)])

    [less] = simplified({"061": [ring]}, tolerance)["061"]

    assert less[0] == less[-1]
    assert set(less) <= set(ring)
    for point in ring:
        assert min(model._distance(point, *side) for side in pairwise(less)) <= tolerance + 1e-9


def test_a_label_stands_inside_of_a_crooked_area_and_outside_of_its_hole() -> None:
    hook: Ring = [(0, 0), (100, 0), (100, 100), (0, 100), (0, 80), (80, 80), (80, 20), (0, 20), (0, 0)]
    around: list[Ring] = [
        [(0, 0), (100, 0), (100, 100), (0, 100), (0, 0)],
        [(20, 20), (80, 20), (80, 80), (20, 80), (20, 20)],
    ]

    assert inside([hook], inmost([hook]))
    assert inside(around, inmost(around))


def test_a_drawing_is_as_large_as_it_may_be_and_north_is_up() -> None:
    north = [(24.0, 62.0), (25.0, 62.0), (25.0, 61.0), (24.0, 61.0), (24.0, 62.0)]
    south = [(24.0, 61.0), (25.0, 61.0), (25.0, 60.0), (24.0, 60.0), (24.0, 61.0)]

    geography = drawn({"061": [north], "082": [south]}, attribution="somebody")

    assert geography.height == model.SIZE
    assert 230 < geography.width < 250  # a degree of longitude is half of one of latitude here
    upper, lower = geography.shapes
    assert upper.label_y < lower.label_y
    assert upper.path[0] + upper.path[-1] == "MZ"


def test_a_detailed_outline_gets_coarser_until_it_is_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "MOST_POINTS", 60)
    saw: Ring = [(23 + number / 240, 60.0 if number % 2 else 60.02) for number in range(240)]
    ring = [*saw, (24.0, 61.0), (23.0, 61.0), saw[0]]

    geography = drawn({"061": [ring]}, attribution="somebody")

    assert geography.shapes[0].path.count("L") < 60
