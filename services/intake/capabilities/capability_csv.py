"""Capability CSV (format): the list of who can help, for a spreadsheet. Values in, text out."""

import csv
import io
from collections.abc import Iterable, Sequence

FORMULA = ("=", "+", "-", "@", "\t", "\r")


def table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table as Excel in Finland reads it: semicolons, and a mark of UTF-8 at its beginning.

    What a spreadsheet would take for a formula is marked as text by an apostrophe.
    """
    text = io.StringIO()
    sheet = csv.writer(text, delimiter=";", lineterminator="\r\n")
    for row in (heading, *rows):
        sheet.writerow([_as_text(cell) for cell in row])
    return f"\N{ZERO WIDTH NO-BREAK SPACE}{text.getvalue()}"


def _as_text(cell: str) -> str:
    return f"'{cell}" if cell.startswith(FORMULA) else cell
