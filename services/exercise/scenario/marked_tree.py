"""Format: YAML as a tree of plain values with the position of each, so that what is wrong in it can be pointed at.

Only what a scenario needs is taken: one document of mappings, lists and texts. There are no aliases, tags or merges,
and nothing is guessed: a number stays text until the model reads it, so that `061`, `no` and `1:30` mean themselves.
"""

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, cast

import yaml

LARGEST: Final = 256 * 1024
"""Bytes of the largest file that is read."""

DEEPEST: Final = 12

Path = tuple[str | int, ...]
Value = str | None | list[Any] | dict[str, Any]
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, order=True)
class Position:
    """A place in a file; line and column are counted from 1."""

    line: int
    column: int


@dataclass(frozen=True, order=True)
class Mistake:
    """Something that is wrong at a place of a file, in a sentence."""

    position: Position
    text: str


class UnreadableError(ValueError):
    """The file is no tree that we take; `mistakes` say where and why."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        super().__init__("; ".join(mistake.text for mistake in mistakes))
        self.mistakes = tuple(mistakes)


@dataclass
class MarkedTree:
    """The values of a file, where each value stands, and where the key of each stands."""

    root: Value = None
    values: dict[Path, Position] = field(default_factory=dict)
    keys: dict[Path, Position] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)

    def position(self, path: Path) -> Position:
        """Where the value at this path stands, or the nearest one above it."""
        while path not in self.values and path:
            path = path[:-1]
        return self.values.get(path, Position(1, 1))

    def key_position(self, path: Path) -> Position:
        """Where the key at this path stands, or the value where it is in a list."""
        return self.keys.get(path) or self.position(path)

    def select(self, *steps: str) -> Iterator[tuple[Path, Value]]:
        """Every value that is reached by these keys, `*` for each of a list; what is shaped otherwise is passed."""
        found: Iterable[tuple[Path, Value]] = [((), self.root)]
        for step in steps:
            found = [child for path, value in found for child in _children(path, value, step)]
        yield from found

    def texts(self, *steps: str) -> Iterator[tuple[Path, str]]:
        """Those of them that are texts."""
        for path, value in self.select(*steps):
            if isinstance(value, str):
                yield path, value


def _children(path: Path, value: Value, step: str) -> Iterator[tuple[Path, Value]]:
    if step == "*" and isinstance(value, list):
        yield from (((*path, number), child) for number, child in enumerate(value))
    elif isinstance(value, dict) and step in value:
        yield (*path, step), value[step]


def did_you_mean(written: str, known: Iterable[str]) -> str:
    """`; did you mean "title"?` where one of these is near, else nothing."""
    near = difflib.get_close_matches(written[:60], sorted(known), n=1, cutoff=0.5)
    return f'; did you mean "{near[0]}"?' if near else ""


def quoted(text: str) -> str:
    """What somebody wrote, in quotes, so short that it fits into a sentence."""
    return f'"{text[:40]}…"' if len(text) > 40 else f'"{text}"'


def read_tree(source: bytes) -> MarkedTree:
    """The file as a tree. Raises UnreadableError where it is too large, no UTF-8, no YAML, or more than we take."""
    text = _decoded(source)
    builder = _Builder()
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        place = error.problem_mark or error.context_mark
        position = Position(place.line + 1, place.column + 1) if place else Position(1, 1)
        raise UnreadableError([Mistake(position, f"this is no YAML: {error.problem or error.context}")]) from error
    except yaml.YAMLError as error:
        raise UnreadableError([Mistake(Position(1, 1), "this is no YAML")]) from error
    if not builder.tree.values:
        raise UnreadableError([Mistake(Position(1, 1), "the file is empty")])
    return builder.tree


def _decoded(source: bytes) -> str:
    if len(source) > LARGEST:
        raise UnreadableError([Mistake(Position(1, 1), f"the file is larger than {LARGEST // 1024} kB")])
    try:
        text = source.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = source[: error.start].decode("utf-8", errors="replace")
        raise UnreadableError([Mistake(_end_of(before), "this is not UTF-8 text; save the file as UTF-8")]) from error
    odd = _UNPRINTABLE.search(text)
    if odd:
        raise UnreadableError([Mistake(_end_of(text[: odd.start()]), "this is a character that no text has")])
    return text


def _end_of(text: str) -> Position:
    lines = text.split("\n")
    return Position(len(lines), len(lines[-1]) + 1)


class _Event(Protocol):
    start_mark: Any


class _Builder:
    """Takes the parser's events one by one, without recursion, so that no file can exhaust the stack."""

    def __init__(self) -> None:
        self.tree = MarkedTree()
        self._open: list[tuple[Path, dict[str, Any] | list[Any]]] = []
        self._key: list[str | None] = []
        self._documents = 0

    def take(self, event: yaml.Event) -> None:
        position = _position(event)
        match event:
            case yaml.DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    raise UnreadableError([Mistake(position, "a second document begins here; a file has one")])
            case yaml.AliasEvent():
                raise UnreadableError([Mistake(position, "aliases (*) are not taken; write it out")])
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self._open.pop()
                self._key.pop()
            case yaml.ScalarEvent():
                self._scalar(event, position)
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self._begin({} if isinstance(event, yaml.MappingStartEvent) else [], event, position)

    def _begin(
        self, container: dict[str, Any] | list[Any], event: yaml.CollectionStartEvent, position: Position
    ) -> None:
        if self._wants_key():
            raise UnreadableError([Mistake(position, "a name must be a plain word here, not a list or a group")])
        if len(self._open) >= DEEPEST:
            raise UnreadableError([Mistake(position, f"this is nested more than {DEEPEST} levels deep")])
        path = self._place(container, event, position)
        self._open.append((path, container))
        self._key.append(None)

    def _scalar(self, event: yaml.ScalarEvent, position: Position) -> None:
        if self._wants_key():
            self._take_key(event.value, position)
            return
        empty = event.implicit[0] and event.value in {"", "~", "null"}
        self._place(None if empty else event.value, event, position)

    def _wants_key(self) -> bool:
        return bool(self._open) and isinstance(self._open[-1][1], dict) and self._key[-1] is None

    def _take_key(self, name: str, position: Position) -> None:
        path, container = self._open[-1]
        here = (*path, name)
        if name in cast("dict[str, Any]", container):
            first = self.tree.keys[here]
            self.tree.mistakes.append(Mistake(position, f"{quoted(name)} is given already in line {first.line}"))
        else:
            self.tree.keys[here] = position
        self._key[-1] = name

    def _place(self, value: Value, event: yaml.NodeEvent, position: Position) -> Path:
        tag = getattr(event, "tag", None)
        if event.anchor is not None or tag not in {None, "!"}:
            raise UnreadableError([Mistake(position, "anchors (&) and tags (!) are not taken")])
        if not self._open:
            self.tree.root, path = value, cast("Path", ())
        else:
            above, container = self._open[-1]
            if isinstance(container, list):
                path = (*above, len(container))
                container.append(value)
            else:
                name = cast("str", self._key[-1])
                path = (*above, name)
                container[name] = value
                self._key[-1] = None
        self.tree.values[path] = position
        return path


def _position(event: _Event) -> Position:
    mark = event.start_mark
    return Position(mark.line + 1, mark.column + 1) if mark else Position(1, 1)


def known_names(schema: Mapping[str, Any], path: Path) -> Sequence[str]:
    """The names that a JSON schema knows at a path."""
    here: Mapping[str, Any] = schema
    for step in path:
        here = _resolved(schema, here)
        here = here.get("items", {}) if isinstance(step, int) else here.get("properties", {}).get(step, {})
    return list(_resolved(schema, here).get("properties", {}))


def _resolved(schema: Mapping[str, Any], part: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in part:
        part = schema["$defs"][part["$ref"].rsplit("/", 1)[-1]]
    return part
