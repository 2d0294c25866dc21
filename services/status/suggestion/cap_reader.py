"""Format: feeds of warnings (Atom, RSS, or CAP 1.2 itself) as they come from outside, read without trusting them."""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from math import isfinite
from xml.parsers import expat

from services.status.suggestion.model import Area, Bulletin, Circle, Info, Key, Line, Message, Point

LARGEST = 4 * 1024 * 1024
"""Bytes of one document. All warnings of the country with their polygons are a tenth of that."""

DEEPEST = 24
NODES = 100_000
BULLETINS = 300
POINTS = 5_000
TEXT = 4_000
"""Characters of a text that are kept; of a name, TITLE."""

TITLE = 300
CAP = re.compile(r"urn:oasis:names:tc:emergency:cap:1\.[12]")
SEPARATOR = " "
LINK_TYPES = ("application/cap+xml", "application/common-alerting-protocol+xml")


class UnfitFeedError(Exception):
    """The document is no feed of warnings that we would read; the text says why."""


@dataclass
class Node:
    """An element: its name without and with its namespace, its own text, what is in it."""

    name: str
    namespace: str = ""
    attributes: dict[str, str] = field(default_factory=dict)
    parts: list[str] = field(default_factory=list)
    children: list["Node"] = field(default_factory=list)

    @property
    def own(self) -> str:
        """Its text, with single spaces between words."""
        return " ".join("".join(self.parts).split())

    def all(self, name: str) -> list["Node"]:
        """The elements of this name directly in it."""
        return [child for child in self.children if child.name == name]

    def text(self, name: str, most: int = TITLE) -> str:
        """The text of the first of them, or nothing."""
        return next((child.own for child in self.all(name)), "")[:most]

    def walk(self) -> Iterator["Node"]:
        """It and all that is in it, in the order of the document."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting.extend(reversed(node.children))


class _Builder:
    """Builds the tree within its bounds. No document type: it is there for entities, which feeds have no use for."""

    def __init__(self) -> None:
        self.root = Node("")
        self._path = [self.root]
        self._nodes = 0

    def read(self, document: bytes) -> Node:
        parser = expat.ParserCreate(namespace_separator=SEPARATOR)
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = self._refuse
        parser.EntityDeclHandler = self._refuse
        parser.ExternalEntityRefHandler = self._refuse
        parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        try:
            parser.Parse(document, True)
        except (expat.ExpatError, ValueError, LookupError) as error:
            raise UnfitFeedError("this is not well-formed XML") from error
        return self.root

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        namespace, _, local = name.rpartition(SEPARATOR)
        self._nodes += 1
        if self._nodes > NODES or len(self._path) > DEEPEST:
            raise UnfitFeedError("this has more elements, or deeper ones, than any feed of warnings")
        node = Node(local, namespace, attributes)
        self._path[-1].children.append(node)
        self._path.append(node)

    def _end(self, _name: str) -> None:
        self._path.pop()

    def _text(self, text: str) -> None:
        self._path[-1].parts.append(text)

    def _refuse(self, *_declared: object) -> int:
        raise UnfitFeedError("this declares a document type or an entity, which feeds of warnings do not")


@dataclass(frozen=True)
class Feed:
    """What a document holds: warnings, and the addresses of more."""

    bulletins: tuple[Bulletin, ...]
    links: tuple[str, ...]


def read_feed(document: bytes) -> Feed:
    """The warnings in a document that are of the real world and for everybody; those that cannot be read are left out.

    Raises UnfitFeedError for what is too large, no XML, or holds a document type or an entity.
    """
    if len(document) > LARGEST:
        raise UnfitFeedError(f"this has more than {LARGEST // 1024 // 1024} MB")
    nodes = list(_Builder().read(document).walk())
    alerts = [node for node in nodes if node.name == "alert" and CAP.fullmatch(node.namespace)][:BULLETINS]
    found = [bulletin for bulletin in map(_bulletin, alerts) if bulletin]
    links = [link for node in nodes if node.name in {"entry", "item"} for link in _links(node)]
    return Feed(tuple(found), () if alerts else tuple(dict.fromkeys(links))[:BULLETINS])


def _links(entry: Node) -> Iterator[str]:
    """Atom marks a warning by its type; RSS, which knows no types, has one link to an item."""
    for link in entry.all("link"):
        href = link.attributes.get("href", "")
        if href and link.attributes.get("type", "") in LINK_TYPES:
            yield href
        elif entry.name == "item" and link.own:
            yield link.own


def _bulletin(alert: Node) -> Bulletin | None:
    key = _key(alert.text("sender"), alert.text("identifier"), alert.text("sent"))
    message = alert.text("msgType")
    for_us = alert.text("status") == "Actual" and alert.text("scope") == "Public"
    if key is None or not for_us or message not in Message._value2member_map_:
        return None
    references = (_reference(text) for text in alert.text("references", TEXT * 4).split())
    return Bulletin(
        key=key,
        message=Message(message),
        references=tuple(reference for reference in references if reference),
        infos=tuple(_info(info) for info in alert.all("info")[:20]),
    )


def _reference(text: str) -> Key | None:
    parts = text.split(",")
    return _key(*parts) if len(parts) == 3 else None


def _key(sender: str, identifier: str, sent: str) -> Key | None:
    moment = _moment(sent)
    return Key(sender, identifier, moment) if sender and identifier and moment else None


def _moment(text: str) -> datetime | None:
    """An aware moment; None for what is none, or too far from any calendar to be compared."""
    with suppress(ValueError, OverflowError):
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None and 1970 < moment.year < 9000:
            return moment
    return None


def _info(info: Node) -> Info:
    return Info(
        language=info.text("language"),
        event=info.text("event"),
        headline=info.text("headline"),
        description=info.text("description", TEXT),
        severity=info.text("severity"),
        categories=tuple(node.own for node in info.all("category")),
        codes=tuple(code.text("value") for code in info.all("eventCode")),
        onset=_moment(info.text("onset") or info.text("effective")),
        expires=_moment(info.text("expires")),
        areas=tuple(_area(area) for area in info.all("area")[:200]),
    )


def _area(area: Node) -> Area:
    return Area(
        description=area.text("areaDesc", TEXT),
        geocodes=tuple((code.text("valueName"), code.text("value")) for code in area.all("geocode")[:500]),
        polygons=tuple(line for node in area.all("polygon")[:200] if (line := _line(node.own))),
        circles=tuple(circle for node in area.all("circle")[:200] if (circle := _circle(node.own))),
    )


def _line(text: str) -> Line:
    """A closed line of at least four points; nothing where it is none. CAP writes latitude first."""
    points = tuple(_point(pair) for pair in text.split(" ", POINTS)[:POINTS])
    whole = tuple(point for point in points if point)
    if len(whole) != len(points) or len(whole) < 3:
        return ()
    return whole if whole[0] == whole[-1] else (*whole, whole[0])


def _circle(text: str) -> Circle | None:
    middle, _, radius = text.partition(" ")
    point = _point(middle)
    with suppress(ValueError):
        kilometres = float(radius)
        if point and isfinite(kilometres) and kilometres >= 0:
            return Circle(point, kilometres)
    return None


def _point(pair: str) -> Point | None:
    latitude, comma, longitude = pair.partition(",")
    with suppress(ValueError):
        y, x = float(latitude), float(longitude)
        if comma and -90 <= y <= 90 and -180 <= x <= 180:
            return x, y
    return None
