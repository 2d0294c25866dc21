"""CSV as spreadsheets open it without harm: no cell begins a formula."""

import csv
from collections.abc import Iterable
from io import StringIO

BYTE_ORDER_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"
"""At the beginning of the file, so that spreadsheets read it as UTF-8."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def line(cells: Iterable[object]) -> str:
    """One row. What a spreadsheet would take for a formula gets an apostrophe before it."""
    text = StringIO()
    csv.writer(text, delimiter=";").writerow([_plain(str(cell)) for cell in cells])
    return text.getvalue()


def _plain(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
