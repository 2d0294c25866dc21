"""List rows: the bytes of a list that somebody imports in, its rows or what is wrong with them out."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import BinaryIO, TypeVar

from shared.list_report import Bad, RowError
from shared.records import Broken, HeadingError, Seen, Table, Vocabulary, filled, open_table

Row = TypeVar("Row")
ReadRow = Callable[[int, Sequence[str]], Row | Bad]
"""Reads the row of this number, which has these cells."""


def read_rows(
    source: BinaryIO,
    vocabulary: Vocabulary,
    *,
    columns: Mapping[str, int] | None,
    reader: Callable[[Table, Mapping[str, int], Seen], ReadRow[Row]],
) -> Iterator[Row | Bad]:
    """The rows of the file, one at a time, in its order; blank ones are passed over.

    `columns` tells at which place, from 0, each field stands; without it, the heading does, and HeadingError is
    raised before the first row if it does not name what is needed. `reader` is made once, for the table with these
    places. No bytes raise anything else.
    """
    table = open_table(source, vocabulary)
    places = table.columns if columns is None else columns
    if missing := vocabulary.missing_of(places):
        raise HeadingError(missing)
    with Seen() as seen:
        read = reader(table, places, seen)
        for number, cells in table.records(places):
            if isinstance(cells, Broken):
                yield Bad(number, (RowError(row=number, message=cells.message),), (cells.text,))
            elif filled(cells):
                yield read(number, cells)
