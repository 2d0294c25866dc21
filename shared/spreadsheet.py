"""Spreadsheet: tables for people's own programs. A cell is always text or a number there, never a formula."""

import re
from collections.abc import Iterable

FORMULA = "=+-@\t\r"
"""How a text begins that a spreadsheet program takes for something to work out, wherever the text came from."""

MARK = "\ufeff"
"""By this mark at the beginning of a file a spreadsheet program knows UTF-8."""

_AS_FORMULA = re.compile(rf"'*[{re.escape(FORMULA)}]")
_AS_TEXT = re.compile(rf"'+[{re.escape(FORMULA)}]")

Cell = str | int | float | None


def as_text(cell: str) -> str:
    """The text with an apostrophe before it where a spreadsheet program would else work it out."""
    return f"'{cell}" if _AS_FORMULA.match(cell) else cell


def as_typed(cell: str) -> str:
    """The text for a file that marks texts as such: only what `taken_back` would shorten gets an apostrophe."""
    return f"'{cell}" if _AS_TEXT.match(cell) else cell


def taken_back(cell: str) -> str:
    """The text without the apostrophe that `as_text` or `as_typed` puts before it."""
    return cell[1:] if _AS_TEXT.match(cell) else cell


def csv_line(cells: Iterable[Cell]) -> str:
    """The cells as a line of CSV with its end, semicolons between them, as spreadsheet programs here open it."""
    return ";".join(_quoted(_written(cell)) for cell in cells) + "\r\n"


def csv_bytes(rows: Iterable[Iterable[Cell]]) -> bytes:
    """The rows as a whole file of CSV in UTF-8."""
    return (MARK + "".join(csv_line(row) for row in rows)).encode()


def _written(cell: Cell) -> str:
    return as_text(cell) if isinstance(cell, str) else "" if cell is None else str(cell)


def _quoted(cell: str) -> str:
    return f'"{cell.replace(chr(34), chr(34) * 2)}"' if any(mark in cell for mark in '";\r\n,\t') else cell
