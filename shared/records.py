"""Records: the bytes of a CSV file in, its heading and its rows of cells out, whatever was done to them."""

import codecs
import csv
import io
import sqlite3
import unicodedata
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from itertools import islice
from types import TracebackType
from typing import BinaryIO

from shared.i18n import N_

LINE_LIMIT = 100_000
"""Characters of one line at most, so that no file can fill the memory."""

HEADING_WITHIN = 20
"""Titles and empty lines may stand above the heading, which is looked for in so many lines."""

JOINED = 20
"""Lines that a cell with line breaks may span at most."""

SEPARATORS = ";,\t"
SAMPLES = 3
SAMPLE_LENGTH = 40
SAMPLED_WITHIN = 1000
HEADINGS_AT_MOST = 200
BY_WINDOWS = "valmius.windows"
"""The name of our way with bytes that are no UTF-8: they are read as Windows writes them."""


class HeadingError(Exception):
    """No row names the columns that are needed; `missing` are their Finnish names."""

    def __init__(self, missing: tuple[str, ...]) -> None:
        super().__init__(", ".join(missing))
        self.missing = missing


def squeezed(text: str) -> str:
    """Letters and digits only, in one case and one Unicode form: what two spellings share."""
    return "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum())


@dataclass(frozen=True)
class Vocabulary:
    """The headings under which each field of a kind of list is known, the first of them ours; and the needed fields."""

    headings: Mapping[str, tuple[str, ...]]
    required: tuple[str, ...]

    @cached_property
    def _spellings(self) -> dict[str, str]:
        return {squeezed(spelling): name for name, spellings in self.headings.items() for spelling in spellings}

    def columns_of(self, heading: Sequence[str]) -> dict[str, int]:
        """The place, from 0, of each field that the heading names; the first where one is named twice."""
        found: dict[str, int] = {}
        for place, cell in enumerate(heading):
            name = self._spellings.get(squeezed(cell))
            if name is not None:
                found.setdefault(name, place)
        return found

    def missing_of(self, columns: Mapping[str, int]) -> tuple[str, ...]:
        """The names, as we write them, of needed columns that are not there."""
        return tuple(self.headings[name][0] for name in self.required if name not in columns)


@dataclass(frozen=True)
class Broken:
    """A row whose cells cannot be told apart: why, for people, and as it was written."""

    message: str
    text: str


Cells = Sequence[str]


@dataclass(frozen=True)
class Table:
    """A file that has been begun. `row` is that of the heading, `columns` the places of the fields that it names."""

    heading: tuple[str, ...]
    row: int
    separator: str
    columns: Mapping[str, int]
    lines: "Lines"
    required: tuple[str, ...]

    def records(self, columns: Mapping[str, int]) -> Iterator[tuple[int, Cells | Broken]]:
        """The rows below the heading with their numbers, once; the needed ones of `columns` tell rows apart."""
        places = [columns[name] for name in self.required if name in columns]
        number = self.row
        while (line := self.lines.take()) is not None:
            number += 1
            yield number, self._cells(line, places)

    def _cells(self, line: str, places: Sequence[int]) -> Cells | Broken:
        if len(line) >= LINE_LIMIT:
            return Broken(N_("The row is too long to be read."), line[:200])
        if '"' not in line:
            return line.rstrip("\r\n").split(self.separator)
        return self._quoted(line, places)

    def _quoted(self, line: str, places: Sequence[int]) -> Cells | Broken:
        """The cells of a row with quotation marks, which may go on over more lines.

        Where a closing mark is missing, the line alone is broken: what it would swallow is read by itself.
        """
        taken: list[str] = []

        def feed() -> Iterator[str]:
            yield line
            while len(taken) < JOINED and (more := self.lines.take()) is not None:
                taken.append(more)
                yield more

        try:
            cells = next(csv.reader(feed(), delimiter=self.separator, strict=True), [])
        except csv.Error:
            cells = []
        if cells and not self._swallows(line, taken, places):
            return cells
        self.lines.give_back(taken)
        return Broken(N_("The row cannot be read: a quotation mark may be missing."), line.rstrip("\r\n"))

    def _swallows(self, line: str, taken: Sequence[str], places: Sequence[int]) -> bool:
        """True if among the lines of one row there are rows: between the first and the last, or both of these."""
        between = any(self._whole(more, places) for more in taken[:-1])
        return between or bool(taken and self._whole(line, places) and self._whole(taken[-1], places))

    def _whole(self, line: str, places: Sequence[int]) -> bool:
        """True if the line is a row by itself: all that is needed stands in its place."""
        cells = line.split(self.separator)
        return all(place < len(cells) and cells[place].strip(' "\r\n') for place in places)


class Lines:
    """Lines to be taken one at a time, some of which may be given back."""

    def __init__(self, read: Callable[[], str]) -> None:
        self._read = read
        self._kept: deque[str] = deque()

    def take(self) -> str | None:
        """The next line, with its end; None after the last."""
        return self._kept.popleft() if self._kept else self._read() or None

    def give_back(self, lines: Sequence[str]) -> None:
        """Have these lines come next."""
        self._kept.extendleft(reversed(lines))


def open_table(source: BinaryIO, vocabulary: Vocabulary) -> Table:
    """The table in the bytes; its rows are read from the source as they are asked for. No bytes raise anything.

    UTF-8 and UTF-16, and in UTF-8 whatever Windows wrote; `;`, `,` or tab between cells. The heading is the row, of
    the first ones, that names most of what is needed and most of all; else the first that is not empty.
    """
    lines = Lines(_reader(source))
    first = list(islice(iter(lines.take, None), HEADING_WITHIN))
    row, separator = _heading(first, vocabulary)
    lines.give_back(first[row:])
    heading = tuple(cell.strip() for cell in _split(first[row - 1], separator)) if first else ()
    return Table(heading, row, separator, vocabulary.columns_of(heading), lines, vocabulary.required)


def _reader(source: BinaryIO) -> Callable[[], str]:
    """Reads a line, of which what is over the limit is passed over."""
    codecs.register_error(BY_WINDOWS, _as_windows_writes)
    text = _Text(source, encoding=_encoding(source), errors=BY_WINDOWS, newline="")

    def read() -> str:
        line = more = text.readline(LINE_LIMIT)
        while len(more) >= LINE_LIMIT and not more.endswith(("\n", "\r")):
            more = text.readline(LINE_LIMIT)
        return line

    return read


class _Text(io.TextIOWrapper):
    """Text over bytes that are their owner's to close."""

    def close(self) -> None:
        """Leave the bytes open."""


def _encoding(source: BinaryIO) -> str:
    """The encoding by its mark, or by zeros where Latin letters in UTF-16 have them; the source is at its start."""
    start = source.read(200)
    source.seek(0)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    for encoding, zeros, letters in (("utf-16-le", start[1::2], start[::2]), ("utf-16-be", start[::2], start[1::2])):
        if len(zeros) > 10 and zeros.count(0) > len(zeros) * 0.8 and not letters.count(0):
            return encoding
    return "utf-8-sig"


def _as_windows_writes(error: UnicodeError) -> tuple[str, int]:
    """The bytes at fault as Windows would have meant them; those that mean nothing become the mark of it."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    wrong = error.object[error.start : error.end]
    text = "�" if error.encoding.startswith("utf-16") else wrong.decode("cp1252", "replace")
    return text, error.end


def _heading(lines: Sequence[str], vocabulary: Vocabulary) -> tuple[int, str]:
    """The row of the heading, from 1, and the separator under which it is one."""
    best = (1, SEPARATORS[0])
    most = (0, 0, 0)
    for row, line in enumerate(lines, 1):
        for separator in SEPARATORS:
            cells = _split(line, separator)
            columns = vocabulary.columns_of(cells)
            filled = sum(bool(cell.strip()) for cell in cells)
            found = (sum(name in columns for name in vocabulary.required), len(columns), 0 if columns else filled)
            if found > most:
                best, most = (row, separator), found
    return best


def _split(line: str, separator: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=separator), [])
    except csv.Error:
        return line.rstrip("\r\n").split(separator)


@dataclass(frozen=True)
class Glance:
    """What a file looks like: its headings, the first cells below each, and the places of the fields that we know.

    `missing` are the names of needed columns that no heading names.
    """

    headings: tuple[str, ...]
    samples: tuple[tuple[str, ...], ...]
    columns: Mapping[str, int]
    has_rows: bool
    missing: tuple[str, ...]


def glance(source: BinaryIO, vocabulary: Vocabulary) -> Glance:
    """A look at the beginning of the file. No bytes raise anything."""
    table = open_table(source, vocabulary)
    rows = (cells for _, cells in islice(table.records(table.columns), SAMPLED_WITHIN) if not isinstance(cells, Broken))
    first = list(islice((cells for cells in rows if filled(cells)), SAMPLES))
    samples = [[cells[place].strip() for cells in first if place < len(cells)] for place in range(len(table.heading))]
    return Glance(
        headings=table.heading[:HEADINGS_AT_MOST],
        samples=tuple(tuple(text[:SAMPLE_LENGTH] for text in cells if text) for cells in samples[:HEADINGS_AT_MOST]),
        columns=table.columns,
        has_rows=bool(first),
        missing=vocabulary.missing_of(table.columns),
    )


def filled(cells: Cells) -> bool:
    """True if something stands in the row."""
    return any(cell.strip() for cell in cells)


class Seen:
    """Remembers by key the first row that had it, on the disk: a file of any length costs no memory."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        for statement in (
            "PRAGMA journal_mode=OFF",
            "PRAGMA synchronous=OFF",
            "PRAGMA cache_size=-1000",
            "CREATE TABLE seen (key INTEGER PRIMARY KEY, row INTEGER NOT NULL)",
            "BEGIN",
        ):
            self._database.execute(statement)

    def __enter__(self) -> "Seen":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()

    def first(self, key: str, row: int) -> int:
        """The first row that had this key: the given one, if none before it had."""
        number = int.from_bytes(blake2b(key.encode("utf-8", "replace"), digest_size=8).digest(), "big", signed=True)
        if self._database.execute("INSERT OR IGNORE INTO seen VALUES (?, ?)", (number, row)).rowcount == 1:
            return row
        [(first,)] = self._database.execute("SELECT row FROM seen WHERE key = ?", (number,))
        return int(first)
