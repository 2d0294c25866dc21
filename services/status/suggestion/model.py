"""Model of suggestions: which warnings (CAP 1.2) concern us, and what becomes of one when another updates it.

A warning concerns us if one of its areas, in any of its languages,
- has a geocode for one of our municipalities (KUNTA and the like: three digits) or for the whole region (ISO 3166-2
  FI-06, NUTS 3 FI1C2, maakunta 05), or
- names a municipality, a sub-region or the region in its description, in Finnish or Swedish, or
- has a polygon or a circle that touches the boundaries of a municipality, as far as an operator brought them, or else
  holds the middle of its main place.
EMMA_ID and other codes are not known, their areas count by name and shape.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from math import cos, hypot, radians
from uuid import UUID, uuid5

from services.status.geography.model import Boundaries
from shared import region

NAMESPACE = UUID("6a1f8d0e-8d7c-5a0b-9f57-6b3c7e2d9a41")
Point = tuple[float, float]
"""Longitude and latitude in degrees."""

Line = tuple[Point, ...]
"""A closed line: its last point is its first."""

CORNERS = 300
"""Of a warning's area that are looked at, about: forecasts are not finer."""

UNDATED = timedelta(hours=24)
"""So long a warning holds that does not say until when."""

KEPT = timedelta(days=30)
KILOMETRES = 111.2
"""Of one degree of latitude."""

MUNICIPALITY_CODES = frozenset({"kunta", "kuntakoodi", "kuntanumero", "municipality", "municipality code"})
REGION_CODES = {
    "iso 3166-2": "FI-06",
    "iso3166-2": "FI-06",
    "nuts3": "FI1C2",
    "nuts 3": "FI1C2",
    "nuts": "FI1C2",
    "maakunta": region.REGION.code,
}
ALL = tuple(place.code for place in region.MUNICIPALITIES)
CENTRES: Mapping[str, Point] = {
    "061": (23.62, 60.81),
    "082": (24.37, 61.06),
    "086": (25.03, 60.79),
    "103": (23.37, 60.92),
    "109": (24.46, 61.00),
    "165": (24.60, 60.90),
    "169": (23.49, 60.80),
    "433": (24.44, 60.72),
    "694": (24.78, 60.74),
    "834": (23.76, 60.81),
    "981": (23.28, 60.80),
}
"""Where the main place of each municipality lies, to about a kilometre."""


class Message(StrEnum):
    """What a warning does to those to which it refers."""

    ALERT = "Alert"
    UPDATE = "Update"
    CANCEL = "Cancel"


class State(StrEnum):
    """Where a suggestion stands. `over`: another has taken its place, or it was cancelled."""

    NEW = "new"
    OPENED = "opened"
    DISMISSED = "dismissed"
    OVER = "over"


SEVERITIES = ("Unknown", "Minor", "Moderate", "Severe", "Extreme")
"""In growing order."""


@dataclass(frozen=True)
class Key:
    """By which a warning is the same wherever it is read: who sent which message when."""

    sender: str
    identifier: str
    sent: datetime

    @property
    def id(self) -> UUID:
        """The same as one id."""
        return uuid5(NAMESPACE, f"{self.sender},{self.identifier},{self.sent.timestamp():.0f}")


@dataclass(frozen=True)
class Circle:
    """A place and the kilometres around it."""

    middle: Point
    radius: float


@dataclass(frozen=True)
class Area:
    """Where a warning holds."""

    description: str
    geocodes: tuple[tuple[str, str], ...] = ()
    polygons: tuple[Line, ...] = ()
    circles: tuple[Circle, ...] = ()


@dataclass(frozen=True)
class Info:
    """A warning in one language."""

    language: str
    event: str
    headline: str
    description: str
    severity: str
    categories: tuple[str, ...]
    codes: tuple[str, ...]
    onset: datetime | None
    expires: datetime | None
    areas: tuple[Area, ...]


@dataclass(frozen=True)
class Bulletin:
    """A message in CAP that is of the real world and for everybody."""

    key: Key
    message: Message
    references: tuple[Key, ...]
    infos: tuple[Info, ...]

    def expires_at(self) -> datetime:
        """Until when it holds, in the language in which that is longest."""
        moments = [info.expires for info in self.infos if info.expires]
        return max(moments, default=self.key.sent + UNDATED)


@dataclass(frozen=True)
class Suggestion:
    """A warning that concerns us, in our words. `kind` is that of a situation, `names` are headlines by language."""

    key: Key
    kind: str
    names: Mapping[str, str]
    texts: Mapping[str, str]
    severity: str
    municipalities: tuple[str, ...]
    onset: datetime | None
    expires_at: datetime
    references: tuple[Key, ...]

    def name(self, locale: str) -> str:
        """Its headline in this language, else in Finnish, else in any."""
        return _of(self.names, locale)

    def text(self, locale: str) -> str:
        """Its text in this language, else in Finnish, else in any."""
        return _of(self.texts, locale)

    def worse_than(self, earlier: "Suggestion") -> bool:
        """True if it is more severe, or holds where the earlier one did not."""
        worse = SEVERITIES.index(self.severity) > SEVERITIES.index(earlier.severity)
        return worse or not set(self.municipalities) <= set(earlier.municipalities)


def _of(texts: Mapping[str, str], locale: str) -> str:
    wanted = locale.partition("@")[0]
    return texts.get(wanted) or texts.get("fi") or next(iter(texts.values()), "")


def suggestion(bulletin: Bulletin, boundaries: Boundaries, now: datetime) -> Suggestion | None:
    """The suggestion that a warning is to us; None if it is elsewhere, over, or takes another one back."""
    expires_at = bulletin.expires_at()
    where = concerned(bulletin, boundaries)
    if bulletin.message is Message.CANCEL or expires_at <= now or not where:
        return None
    infos = [info for info in bulletin.infos if info.areas] or list(bulletin.infos)
    severities = [info.severity if info.severity in SEVERITIES else SEVERITIES[0] for info in infos]
    return Suggestion(
        key=bulletin.key,
        kind=kind_of(infos),
        names=_by_language((info.language, info.headline or info.event) for info in infos),
        texts=_by_language((info.language, info.description) for info in infos),
        severity=max(severities, key=SEVERITIES.index),
        municipalities=where,
        onset=min((info.onset for info in infos if info.onset), default=None),
        expires_at=expires_at,
        references=bulletin.references,
    )


def _by_language(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The first text of each language, by its two letters; without a tag CAP means English."""
    found: dict[str, str] = {}
    for tag, text in pairs:
        if text:
            found.setdefault((tag or "en")[:2].lower(), text)
    return found


KINDS: Sequence[tuple[str, frozenset[str], re.Pattern[str]]] = (
    (
        "wildfire",
        frozenset({"oet-086", "forestfireweather"}),
        re.compile(r"maastopalo|metsäpalo|skogsbrand|terrängbrand"),
    ),
    ("power-cut", frozenset({"oet-145"}), re.compile(r"sähkökatko|elavbrott|strömavbrott|power (cut|outage)")),
    (
        "water",
        frozenset({"oet-047", "oet-144", "oet-214"}),
        re.compile(r"juomave|vesijohto|dricksvatten|drinking water"),
    ),
    ("pandemic", frozenset({"oet-150"}), re.compile(r"epidemia|pandemi")),
    (
        "storm",
        frozenset({"oet-187", "oet-183", "wind", "thunderstorm", "rain", "trafficweather"}),
        re.compile(r"myrsky|tuuli|ukko|lumi|storm|vind|åska|snö|wind|thunder|snow"),
    ),
)
"""The kinds of situations, the codes of events that mean them, and the words where there is no such code."""


def kind_of(infos: Sequence[Info]) -> str:
    """The kind of situation that fits; `other` where none does."""
    codes = {code.lower() for info in infos for code in info.codes}
    words = " ".join(f"{info.event} {info.headline}" for info in infos).lower()
    by_code = (kind for kind, known, _ in KINDS if codes & known)
    by_word = (kind for kind, _, pattern in KINDS if pattern.search(words))
    return next(by_code, None) or next(by_word, "other")


def concerned(bulletin: Bulletin, boundaries: Boundaries) -> tuple[str, ...]:
    """The municipalities that a warning concerns, in the region's order."""
    areas = {area for info in bulletin.infos for area in info.areas}
    found = {code for area in areas for code in _by_code(area) | _by_name(area)}
    lines = {line for area in areas for line in area.polygons}
    circles = {circle for area in areas for circle in area.circles}
    for code in ALL:
        if code not in found and _by_shape(lines, circles, code, boundaries):
            found.add(code)
    return tuple(code for code in ALL if code in found)


def _by_code(area: Area) -> set[str]:
    found: set[str] = set()
    for name, value in area.geocodes:
        known = name.strip().lower()
        if known in MUNICIPALITY_CODES and value.strip().zfill(3) in ALL:
            found.add(value.strip().zfill(3))
        if REGION_CODES.get(known) == value.strip():
            found |= set(ALL)
    return found


def _names() -> dict[str, tuple[str, ...]]:
    names: dict[str, tuple[str, ...]] = {}
    for place in region.MUNICIPALITIES:
        names |= {place.fi.lower(): (place.code,), place.sv.lower(): (place.code,)}
    for part in region.SUB_REGIONS:
        names |= {part.fi.lower(): part.municipalities, part.sv.lower(): part.municipalities}
    return names | {region.REGION.fi.lower(): ALL, region.REGION.sv.lower(): ALL, "tavastia proper": ALL}


NAMES = _names()


def _by_name(area: Area) -> set[str]:
    """Names that stand alone between commas, words for `and`, or ends: "Hattulan seutu" is not Hattula."""
    parts = re.split(r"[,;/\n]|\s(?:ja|sekä|och|samt|and)\s", area.description.lower())
    return {code for part in parts for code in NAMES.get(" ".join(part.split()), ())}


def _by_shape(lines: Iterable[Line], circles: Iterable[Circle], code: str, boundaries: Boundaries) -> bool:
    rings = [polygon[0] for polygon in boundaries.polygons.get(code, ())]
    corners = [CENTRES[code], *(point for ring in rings for point in ring)]
    return any(_touches(thinned(line), rings, CENTRES[code]) for line in lines) or any(
        _within(circle, corners) for circle in circles
    )


def thinned(line: Line) -> Line:
    """A line of at most twice CORNERS corners that runs as the given one does, closed as that is."""
    step = max(1, len(line) // CORNERS)
    return line if step == 1 else (*line[:-1:step], line[-1])


def _touches(line: Line, rings: Sequence[Line], centre: Point) -> bool:
    """True if an area shares ground with a municipality: a corner of one lies within the other, or lines cross."""
    if not line or inside(centre, line) or not rings:
        return bool(line) and inside(centre, line)
    return any(
        any(inside(point, line) for point in ring) or any(inside(point, ring) for point in line) or _cross(line, ring)
        for ring in rings
        if _boxes_meet(line, ring)
    )


def _boxes_meet(one: Line, other: Line) -> bool:
    return all(
        min(p[axis] for p in one) <= max(p[axis] for p in other)
        and min(p[axis] for p in other) <= max(p[axis] for p in one)
        for axis in (0, 1)
    )


def inside(point: Point, line: Line) -> bool:
    """True if a point lies within a closed line (crossings of a ray)."""
    x, y = point
    found = False
    for (x1, y1), (x2, y2) in pairwise(line):
        if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
            found = not found
    return found


def _cross(one: Line, other: Line) -> bool:
    return any(
        _side(a, b, c) * _side(a, b, d) < 0 and _side(c, d, a) * _side(c, d, b) < 0
        for a, b in pairwise(one)
        for c, d in pairwise(other)
    )


def _side(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _within(circle: Circle, points: Iterable[Point]) -> bool:
    x, y = circle.middle
    shrink = cos(radians(y))
    return any(hypot((px - x) * shrink, py - y) * KILOMETRES <= circle.radius for px, py in points)
