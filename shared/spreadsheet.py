"""Spreadsheet: tables for people's own programs. A cell is always text or a number there, never a formula."""

import csv
import io
from collections.abc import Iterable, Sequence

RISKY = ("=", "+", "-", "@", "\t", "\r")
"""What a cell must not begin with: spreadsheet programs would take it for a formula, wherever the text came from."""

Cell = str | int | float | None


def as_text(cell: Cell) -> Cell:
    """The cell with an apostrophe before it where a spreadsheet program would otherwise run it."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(RISKY) else cell


def csv_bytes(rows: Iterable[Sequence[Cell]]) -> bytes:
    """The rows as CSV in UTF-8 with a byte order mark and semicolons, as spreadsheet programs here open it."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";")
    for row in rows:
        writer.writerow([as_text(cell) for cell in row])
    return text.getvalue().encode("utf-8-sig")
