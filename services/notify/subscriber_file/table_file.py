"""Table file (format): the bytes of a list of subscribers in, good rows and errors in plain words out."""

from collections.abc import Iterator, Mapping
from typing import BinaryIO

from services.notify.subscriber_file.columns import VOCABULARY
from services.notify.subscriber_file.model import Listed
from services.notify.subscriber_file.row_reader import RowReader
from shared.list_report import Bad
from shared.list_rows import ReadRow, read_rows
from shared.records import Seen, Table


def read_table(source: BinaryIO, columns: Mapping[str, int] | None = None) -> Iterator[Listed | Bad]:
    """The rows of the file, one at a time, as `read_rows` promises it. Raises HeadingError."""
    return read_rows(source, VOCABULARY, columns=columns, reader=_reader)


def _reader(table: Table, places: Mapping[str, int], seen: Seen) -> ReadRow[Listed]:
    return RowReader(table.heading, places, seen).read
