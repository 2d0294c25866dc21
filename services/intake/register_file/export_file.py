"""Export file: what the register holds, written as CSV or as a workbook, some hundred rows at a time."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import xlsxwriter

from services.intake.register_file.cells import HEADING, cells_of
from services.intake.register_file.model import Holding
from shared.spreadsheet import MARK, as_typed, csv_line

CHUNK = 256 * 1024

Pages = AsyncIterator[list[Holding]]


async def csv_of(pages: Pages) -> AsyncIterator[bytes]:
    """The file in pieces, in UTF-8, with `;` between the cells."""
    yield (MARK + csv_line(HEADING)).encode()
    async for page in pages:
        yield "".join(csv_line(cells_of(one).values()) for one in page).encode()


async def workbook_of(pages: Pages) -> AsyncIterator[bytes]:
    """The file in pieces; it is made on the disk, so that its length costs no memory. Every cell is a text."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "register.xlsx"
        options = {"constant_memory": True, "tmpdir": folder}
        workbook = xlsxwriter.Workbook(str(path), options)
        sheet = workbook.add_worksheet()
        row = _write(sheet, 0, [list(HEADING)])
        async for page in pages:
            rows = [[as_typed(cell) for cell in cells_of(one).values()] for one in page]
            row = await asyncio.to_thread(_write, sheet, row, rows)
        await asyncio.to_thread(workbook.close)
        with path.open("rb") as file:
            while piece := await asyncio.to_thread(file.read, CHUNK):
                yield piece


def _write(sheet: xlsxwriter.worksheet.Worksheet, row: int, rows: list[list[str]]) -> int:
    """Write the rows from this row on; the row after them."""
    for cells in rows:
        for place, cell in enumerate(cells):
            if cell:
                sheet.write_string(row, place, cell)
        row += 1
    return row


WRITERS: Mapping[str, Callable[[Pages], AsyncIterator[bytes]]] = {"csv": csv_of, "xlsx": workbook_of}
"""The forms of a file, by the end of its name."""
