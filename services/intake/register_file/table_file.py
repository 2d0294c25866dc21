"""Table file (format): the bytes of a register's CSV file in, good lines and errors in plain words out."""

from collections.abc import Iterator, Mapping
from typing import BinaryIO

from services.intake.register_file.columns import VOCABULARY
from services.intake.register_file.model import Listed
from services.intake.register_file.row_reader import RowReader
from shared.list_report import Bad, RowError
from shared.records import Broken, HeadingError, Seen, filled, open_table


def read_table(source: BinaryIO, columns: Mapping[str, int] | None = None) -> Iterator[Listed | Bad]:
    """The lines of the file, one at a time, in its order; blank ones are passed over.

    `columns` tells at which place, from 0, each field stands; without it, the heading does, and HeadingError is
    raised before the first line if it does not name what is needed. No bytes raise anything else.
    """
    table = open_table(source, VOCABULARY)
    places = table.columns if columns is None else columns
    if missing := VOCABULARY.missing_of(places):
        raise HeadingError(missing)
    with Seen() as seen:
        reader = RowReader(table.heading, places, table.separator, seen)
        for number, cells in table.records(places):
            if isinstance(cells, Broken):
                yield Bad(number, (RowError(row=number, message=cells.message),), (cells.text,))
            elif filled(cells):
                yield reader.read(number, cells)
