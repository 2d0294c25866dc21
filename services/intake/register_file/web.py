"""Register file pages: a list of associations is chosen, looked over and imported; the register is exported."""

from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Request
from starlette.datastructures import FormData, UploadFile
from starlette.responses import RedirectResponse, Response, StreamingResponse

from services.intake.register_file.cells import problem_cells
from services.intake.register_file.columns import HEADINGS, LIMITS, REQUIRED
from services.intake.register_file.export_file import WRITERS
from services.intake.register_file.store import RegisterFileStore
from services.intake.registry.model import Wanted
from shared.clock import Clock
from shared.i18n import N_, texts
from shared.identity import Role, Staff, requires
from shared.list_report import UnfitFileError, UploadState
from shared.sheet_file import NO_FILE
from shared.spreadsheet import MARK, csv_line
from shared.uploads import Kept
from shared.web import TroubleError, pages_of

Administrator = Annotated[Staff, Depends(requires(Role.ADMINISTRATOR))]
Exporter = Annotated[Staff, Depends(requires(Role.CLERK, Role.ADMINISTRATOR))]

AT_ONCE = 2.0
"""Seconds for which the answer waits for a small file, which is then shown without a page between."""

MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def pages(store: RegisterFileStore, *, clock: Clock, wake: Callable[[], None]) -> APIRouter:
    """The import of lists, and the export of the register; `wake` has the job look for files to be read."""
    router = APIRouter(prefix="/registry")
    _export(router, store, clock=clock)
    _choosing(router, store, wake=wake)
    _importing(router, store, wake=wake)
    return router


def _choosing(router: APIRouter, store: RegisterFileStore, *, wake: Callable[[], None]) -> None:
    @router.get("/import")
    async def choose(request: Request, staff: Administrator) -> Response:
        """Choose a file."""
        _whole_region(staff)
        return _choose_page(request)

    @router.post("/import")
    async def try_out(request: Request, staff: Administrator) -> Response:
        """Read the file and see what importing it would do. Nothing is imported."""
        _whole_region(staff)
        async with request.form() as form:
            try:
                name = await _received(store, form, staff)
            except UnfitFileError as error:
                return _choose_page(request, error, sheet=str(form.get("sheet", ""))[:100])
        wake()
        await store.settled(name, within=AT_ONCE)
        return RedirectResponse(f"/registry/import/{name}", status_code=303)

    @router.get("/import/{name}/columns")
    async def columns(request: Request, staff: Administrator, name: str) -> Response:
        """Say which column is which."""
        kept = await _kept(store, name, staff)
        return _columns_page(request, name, kept, kept.columns)

    @router.post("/import/{name}/columns")
    async def choose_columns(request: Request, staff: Administrator, name: str) -> Response:
        """Look over the file with these columns."""
        kept = await _kept(store, name, staff)
        async with request.form() as form:
            chosen = {
                field: int(place)
                for field in HEADINGS
                if (place := str(form.get(field, ""))).isdecimal() and int(place[:6]) < len(kept.headings)
            }
        wrong = _wrong_columns(chosen, kept)
        if wrong:
            return _columns_page(request, name, kept, chosen, wrong)
        await store.uploads.choose_columns(name, chosen, person_id=staff.person_id)
        wake()
        await store.settled(name, within=AT_ONCE)
        return RedirectResponse(f"/registry/import/{name}", status_code=303)


def _importing(router: APIRouter, store: RegisterFileStore, *, wake: Callable[[], None]) -> None:
    @router.get("/import/{name}")
    async def report(request: Request, staff: Administrator, name: str) -> Response:
        """What importing would do, how far it is, or what it did."""
        kept = await _kept(store, name, staff)
        if kept.state is UploadState.COLUMNS:
            return RedirectResponse(f"/registry/import/{name}/columns", status_code=303)
        return _report_page(request, name, kept)

    @router.post("/import/{name}")
    async def confirm(request: Request, staff: Administrator, name: str) -> Response:
        """Import the file."""
        kept = await _kept(store, name, staff)
        async with request.form() as form:
            anyway = "anyway" in form
        if kept.state is UploadState.WAITING and kept.report.bad and not anyway:
            error = N_("Nothing was imported. Mend the file, or tick this.")
            return _report_page(request, name, kept, error=error)
        if await store.uploads.start(name, person_id=staff.person_id):
            wake()
            await store.settled(name, within=AT_ONCE)
        return RedirectResponse(f"/registry/import/{name}", status_code=303)

    @router.get("/import/{name}/problems.csv")
    async def problems(request: Request, staff: Administrator, name: str) -> Response:
        """The rows that cannot be taken, as they were written, to be mended and imported."""
        kept = await _kept(store, name, staff)
        _ = texts(request.state.locale)
        headings = [*kept.headings, _("Row in the file"), _("What is wrong")]

        async def lines() -> AsyncIterator[bytes]:
            yield (MARK + csv_line(headings)).encode()
            async for row, cells, errors in store.uploads.problems(name):
                told = [f"{error.column}: " * bool(error.column) + _(error.message) % error.values for error in errors]
                yield csv_line(problem_cells(kept.headings, row, cells, told)).encode()

        return _download(lines(), MEDIA_TYPES["csv"], "virheet.csv")


def _export(router: APIRouter, store: RegisterFileStore, *, clock: Clock) -> None:
    @router.get("/export.{form}")
    async def export(request: Request, staff: Exporter, form: str) -> Response:
        """What the registry shows, as a file that the import reads."""
        if form not in WRITERS:
            raise TroubleError(HTTPStatus.NOT_FOUND, N_("The register is exported as CSV or XLSX."))
        found = await store.export(Wanted.asked(request.query_params, staff=staff), by=staff.person_id, form=form)
        file_name = f"yhdistykset-{_today(clock.now())}.{form}"
        return _download(WRITERS[form](found()), MEDIA_TYPES[form], file_name)


def _today(now: datetime) -> str:
    return now.astimezone(ZoneInfo("Europe/Helsinki")).date().isoformat()


def _download(body: AsyncIterator[bytes], media_type: str, file_name: str) -> Response:
    disposition = {"content-disposition": f'attachment; filename="{file_name}"'}
    return StreamingResponse(body, media_type=media_type, headers=disposition)


def _whole_region(staff: Staff) -> None:
    """A list may name any association: whoever sees only some of them cannot import one."""
    if staff.limited:
        raise TroubleError(
            HTTPStatus.FORBIDDEN,
            N_("A list changes the register of the whole region, and you see a part of it."),
            what_next=N_("Ask an administrator of the whole region to import it."),
        )


async def _kept(store: RegisterFileStore, name: str, staff: Staff) -> Kept:
    _whole_region(staff)
    found = await store.uploads.get(name, person_id=staff.person_id)
    if found is None:
        raise TroubleError(
            HTTPStatus.NOT_FOUND,
            N_("This file is not kept any more. Files are forgotten after a day."),
            what_next=N_("Choose the file again."),
        )
    return found


async def _received(store: RegisterFileStore, form: FormData, staff: Staff) -> str:
    file, sheet = form.get("file"), str(form.get("sheet", "")).strip()[:100]
    if not isinstance(file, UploadFile):
        raise UnfitFileError(NO_FILE)
    return await store.receive(file.file, file_name=file.filename or "", sheet=sheet, person_id=staff.person_id)


def _wrong_columns(chosen: dict[str, int], kept: Kept) -> dict[str, tuple[str, dict[str, str]]]:
    """What must be chosen otherwise, by field: a sentence and what it quotes."""
    wrong: dict[str, tuple[str, dict[str, str]]] = {
        name: (N_("Choose the column that holds this."), {}) for name in REQUIRED if name not in chosen
    }
    first: dict[int, str] = {}
    for name, place in chosen.items():
        if first.setdefault(place, name) != name:
            values = {"heading": kept.headings[place] or str(place + 1)}
            wrong[name] = (N_("The column %(heading)s is chosen twice."), values)
    return wrong


def _choose_page(request: Request, error: UnfitFileError | None = None, *, sheet: str = "") -> Response:
    _ = texts(request.state.locale)
    return pages_of(request).page(
        request,
        "import.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK,
        error=_(error.message) % error.values if error else "",
        sheet=sheet,
        headings=[(spellings[0], name in REQUIRED, LIMITS[name]) for name, spellings in HEADINGS.items()],
    )


def _columns_page(
    request: Request,
    name: str,
    kept: Kept,
    chosen: Mapping[str, int],
    wrong: dict[str, tuple[str, dict[str, str]]] | None = None,
) -> Response:
    _ = texts(request.state.locale)
    told = {field: _(message) % values for field, (message, values) in (wrong or {}).items()}
    columns = [
        (place, heading or str(place + 1), kept.samples[place] if place < len(kept.samples) else ())
        for place, heading in enumerate(kept.headings)
    ]
    return pages_of(request).page(
        request,
        "import_columns.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK,
        name=name,
        kept=kept,
        chosen=chosen,
        wrong=told,
        columns=columns,
        fields=[(field, spellings[0], field in REQUIRED) for field, spellings in HEADINGS.items()],
    )


def _report_page(request: Request, name: str, kept: Kept, *, error: str = "") -> Response:
    read = set(kept.columns.values())
    return pages_of(request).page(
        request,
        "import_report.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK,
        name=name,
        kept=kept,
        report=kept.report,
        unread=[heading for place, heading in enumerate(kept.headings) if heading and place not in read],
        error=error,
    )
