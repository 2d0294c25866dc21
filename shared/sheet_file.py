"""Sheet file: whatever is uploaded becomes a CSV file; a workbook by a program of its own, which may die of it."""

import asyncio
import json
import sys
from pathlib import Path
from typing import BinaryIO

from shared import sheet_program
from shared.i18n import N_
from shared.list_report import UnfitFileError
from shared.records import Glance, Vocabulary, glance

SIZE_AT_MOST = 30_000_000
ROWS_AT_MOST = 250_000
CHUNK = 256 * 1024
PATIENCE = 120.0
SIGNATURE = b"PK\x03\x04"
"""How a workbook begins."""

OLD_SIGNATURE = b"\xd0\xcf\x11\xe0"
"""How a workbook of before 2007, or one with a password, begins."""

TOO_LARGE = N_("The file is too large: at most 30 MB can be imported at once. Nothing was imported.")
NO_ROWS = N_("There are no rows below the heading. Nothing was imported.")
NO_FILE = N_("Choose a file that is not empty. Nothing was imported.")
OLD_KIND = N_("This is an old or locked spreadsheet. Save it as XLSX or CSV without a password. Nothing was imported.")
TOO_MANY_ROWS = N_("There are too many rows: at most %(limit)s can be imported at once. Nothing was imported.")
UNREADABLE = N_("The spreadsheet cannot be read. Save it anew as XLSX or CSV. Nothing was imported.")
REASONS = {
    "rows": TOO_MANY_ROWS,
    "columns": N_("There are too many columns: at most 200 can be read. Nothing was imported."),
    "unpacked": N_("The spreadsheet becomes too large when it is unpacked. Save it as CSV. Nothing was imported."),
    "sheet": N_("There is no sheet of that name. There are: %(found)s. Nothing was imported."),
    "kind": UNREADABLE,
    "broken": UNREADABLE,
}


async def as_csv(body: BinaryIO, folder: Path, *, sheet: str = "") -> Path:
    """The file, as CSV, in the folder. Raises UnfitFileError when it is too large or of another kind."""
    start = await asyncio.to_thread(_copy, body, folder / "received")
    if start.startswith(OLD_SIGNATURE):
        raise UnfitFileError(OLD_KIND)
    if not start.startswith(SIGNATURE):
        return folder / "received"
    await write_sheet(folder / "received", folder / "table", sheet=sheet)
    return folder / "table"


def _copy(body: BinaryIO, target: Path) -> bytes:
    """Copy it, as far as it is not too large; how it begins."""
    size, start = 0, b""
    with target.open("wb") as file:
        while chunk := body.read(CHUNK):
            start = start or chunk[:8]
            size += file.write(chunk)
            if size > SIZE_AT_MOST:
                raise UnfitFileError(TOO_LARGE)
    if not start:
        raise UnfitFileError(NO_FILE)
    return start


def look_over(file: BinaryIO, vocabulary: Vocabulary) -> Glance:
    """A glance at a CSV file, which is at its start again. Raises UnfitFileError for too many rows, or for none."""
    if sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(CHUNK), b"")) > ROWS_AT_MOST:
        raise UnfitFileError(TOO_MANY_ROWS, limit=f"{ROWS_AT_MOST:,}")
    file.seek(0)
    seen = glance(file, vocabulary)
    file.seek(0)
    if not seen.has_rows:
        raise UnfitFileError(NO_ROWS)
    return seen


async def write_sheet(workbook: Path, target: Path, *, sheet: str = "") -> None:
    """Write the named sheet, or the first, as CSV. Raises UnfitFileError when it cannot be read."""
    program = [sys.executable, "-I", sheet_program.__file__, str(workbook), str(target), str(ROWS_AT_MOST)]
    process = await asyncio.create_subprocess_exec(
        *program, *([sheet] if sheet else []), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        said, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
    except (TimeoutError, asyncio.CancelledError):
        process.kill()
        await process.wait()
        raise
    if process.returncode:
        raise UnfitFileError(UNREADABLE)
    answer = json.loads(said)
    if reason := answer.get("refused"):
        raise UnfitFileError(REASONS[reason], limit=f"{ROWS_AT_MOST:,}", found=", ".join(answer["found"]))
