"""Register files for tests: workbooks, uploads that are worked on, and what came of them."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import xlsxwriter

from services.intake.register_file.export_file import WRITERS
from services.intake.register_file.store import RegisterFileStore
from services.intake.registry.model import Wanted
from shared.list_report import ImportReport, RowError, UploadState
from shared.sheet_program import write_csv
from shared.uploads import Kept
from tests.intake.house import Intake

Cell = str | float | bool | None


def workbook(*rows: Sequence[Cell], sheets: Sequence[str] = ("Sheet1",)) -> bytes:
    """A workbook whose first sheet has these rows; a text is written as a text, even if it looks like a formula."""
    file = BytesIO()
    with xlsxwriter.Workbook(file, {"strings_to_formulas": False, "in_memory": True}) as book:
        first, *_ = [book.add_worksheet(name) for name in sheets]
        for row, cells in enumerate(rows):
            for place, cell in enumerate(cells):
                if cell is not None:
                    first.write(row, place, cell)
    return file.getvalue()


def store_of(intake: Intake) -> RegisterFileStore:
    store: RegisterFileStore = intake.app.state.register_files
    return store


async def upload(intake: Intake, body: bytes, *, person_id: UUID | None = None, sheet: str = "") -> str:
    """Keep the file; the running service's job does not know of it until it looks again."""
    return await store_of(intake).receive(BytesIO(body), file_name="lista", person_id=person_id, sheet=sheet)


async def kept(intake: Intake, name: str) -> Kept:
    found = await store_of(intake).uploads.get(name, person_id=None)
    assert found is not None
    return found


async def brought_in(intake: Intake, body: bytes) -> tuple[ImportReport, ImportReport, list[RowError]]:
    """Have the file looked over and imported: both reports, and all that was wrong in it."""
    store = store_of(intake)
    name = await upload(intake, body)
    while (await kept(intake, name)).at_work:
        await store.work()
    tried = await kept(intake, name)
    assert tried.state is UploadState.WAITING
    assert await store.uploads.start(name, person_id=None)
    while (await kept(intake, name)).at_work:
        await store.work()
    done = await kept(intake, name)
    assert done.state is UploadState.DONE
    problems = [error async for _, _, errors in store.uploads.problems(name) for error in errors]
    return tried.report, done.report, problems


async def exported(intake: Intake, form: str) -> bytes:
    """The whole register as a file."""
    found = await store_of(intake).export(Wanted(), by=None, form=form)
    return b"".join([piece async for piece in WRITERS[form](found())])


def sheet_as_csv(body: bytes, *, sheet: str = "", limit: int = 1000) -> str:
    """What the program that reads workbooks makes of it, in this process."""
    with TemporaryDirectory() as folder:
        source, target = Path(folder) / "book", Path(folder) / "table"
        source.write_bytes(body)
        write_csv(source, target, limit, sheet=sheet)
        return target.read_text(encoding="utf-8")
