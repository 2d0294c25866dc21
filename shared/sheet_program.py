"""Sheet program (format): run as a program of its own, it writes one sheet of a workbook as CSV.

A workbook can be made to fill any memory: this program has bounds of its own, and whoever started it lives on when it
dies of them. It needs nothing of ours and says one line of JSON: `rows`, or `refused` with what there was instead.
"""

import csv
import json
import resource
import sys
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook, PasswordError, load_workbook

UNPACKED_LIMIT = 400 * 2**20
MEMORY_LIMIT = 1536 * 2**20
SECONDS_LIMIT = 60
COLUMNS_LIMIT = 200
TO_WORK_OUT = ("=", "+", "-", "@", "\t", "\r")
"""A text that begins so gets an apostrophe, as in every CSV file of ours: here it is a text and nothing to work out."""


UNREADABLE = (CalamineError, PasswordError, OSError, ValueError, zipfile.BadZipFile)


class RefusedError(Exception):
    """The workbook is not read; the reason is a word that the caller knows."""

    def __init__(self, reason: str, *found: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.found = found


def main() -> None:
    """`sheet_program.py WORKBOOK CSV ROWS_AT_MOST [SHEET]`."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS_LIMIT, SECONDS_LIMIT))
    source, target, limit, *sheet = sys.argv[1:]
    try:
        answer: dict[str, Any] = {"rows": write_csv(Path(source), Path(target), int(limit), sheet=(*sheet, "")[0])}
    except RefusedError as error:
        answer = {"refused": error.reason, "found": error.found}
    except UNREADABLE:
        answer = {"refused": "broken", "found": []}
    sys.stdout.write(json.dumps(answer))


def write_csv(source: Path, target: Path, limit: int, *, sheet: str = "") -> int:
    """Write the sheet of that name, or the first, one row to a line; how many. Raises RefusedError."""
    look_into(source)
    with load_workbook(str(source)) as workbook, target.open("w", encoding="utf-8", newline="") as file:
        rows = 0
        writer = csv.writer(file, delimiter=";", lineterminator="\n")
        for rows, cells in enumerate(rows_of(workbook, sheet), 1):
            if rows > limit:
                raise RefusedError("rows")
            if len(cells) > COLUMNS_LIMIT:
                raise RefusedError("columns")
            writer.writerow(cells)
        return rows


def look_into(source: Path) -> None:
    """Refuse what is no workbook, and what says that it becomes too large when it is unpacked."""
    try:
        with zipfile.ZipFile(source) as packed:
            files = packed.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        raise RefusedError("broken") from None
    if "[Content_Types].xml" not in {file.filename for file in files}:
        raise RefusedError("kind")
    if sum(file.file_size for file in files) > UNPACKED_LIMIT or len(files) > 10_000:
        raise RefusedError("unpacked")


def rows_of(workbook: CalamineWorkbook, name: str) -> Iterator[list[str]]:
    """The rows of the sheet from its very first on, empty ones too, without the empty cells at their ends."""
    names = workbook.sheet_names
    if not names or (name and name not in names):
        raise RefusedError("sheet", *names[:20])
    sheet = workbook.get_sheet_by_name(name or names[0])
    for row in sheet.iter_rows():
        cells = [text_of(cell) for cell in row]
        while cells and not cells[-1]:
            cells.pop()
        yield cells


def text_of(cell: object) -> str:
    """A cell as somebody would have typed it: whole numbers without decimals, dates as 2024-05-31, one line."""
    match cell:
        case str():
            text = " ".join(cell.split("\n")).replace("\r", " ")
            return f"'{text}" if text.startswith(TO_WORK_OUT) else text
        case bool():
            return str(cell).upper()
        case float() if cell.is_integer():
            return str(int(cell))
        case datetime() if cell.time() == time():
            return str(cell.date())
        case datetime() | date() | time() | timedelta() | float() | int():
            return str(cell)
    return ""


if __name__ == "__main__":
    main()
