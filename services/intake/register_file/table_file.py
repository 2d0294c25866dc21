"""Table file (format): the bytes of a register's CSV file in, good lines and errors in plain words out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

from services.intake.register_file.columns import HeadingError, missing_of
from services.intake.register_file.model import Bad, Listed, RowError
from services.intake.register_file.records import Broken, Cells, open_table
from services.intake.register_file.row_reader import RowReader, Seen

SAMPLES = 3
SAMPLE_LENGTH = 40
SAMPLED_WITHIN = 1000
HEADINGS_AT_MOST = 200


@dataclass(frozen=True)
class Glance:
    """What a file looks like: its headings, the first cells below each, and the places of the fields that we know."""

    headings: tuple[str, ...]
    samples: tuple[tuple[str, ...], ...]
    columns: Mapping[str, int]
    has_rows: bool

    @property
    def missing(self) -> tuple[str, ...]:
        """The Finnish names of needed columns that no heading names."""
        return missing_of(self.columns)


def glance(source: BinaryIO) -> Glance:
    """A look at the beginning of the file. No bytes raise anything."""
    table = open_table(source)
    rows = (cells for _, cells in islice(table.records(table.columns), SAMPLED_WITHIN) if not isinstance(cells, Broken))
    first = list(islice((cells for cells in rows if _filled(cells)), SAMPLES))
    samples = [[cells[place].strip() for cells in first if place < len(cells)] for place in range(len(table.heading))]
    return Glance(
        headings=table.heading[:HEADINGS_AT_MOST],
        samples=tuple(tuple(text[:SAMPLE_LENGTH] for text in cells if text) for cells in samples[:HEADINGS_AT_MOST]),
        columns=table.columns,
        has_rows=bool(first),
    )


def read_table(source: BinaryIO, columns: Mapping[str, int] | None = None) -> Iterator[Listed | Bad]:
    """The lines of the file, one at a time, in its order; blank ones are passed over.

    `columns` tells at which place, from 0, each field stands; without it, the heading does, and HeadingError is
    raised before the first line if it does not name what is needed. No bytes raise anything else.
    """
    table = open_table(source)
    places = table.columns if columns is None else columns
    if missing := missing_of(places):
        raise HeadingError(missing)
    with Seen() as seen:
        reader = RowReader(table.heading, places, table.separator, seen)
        for number, cells in table.records(places):
            if isinstance(cells, Broken):
                yield Bad(number, (RowError(row=number, message=cells.message),), (cells.text,))
            elif _filled(cells):
                yield reader.read(number, cells)


def _filled(cells: Cells) -> bool:
    return any(cell.strip() for cell in cells)
