"""Register file pages: importing a list of associations in two steps."""

from http import HTTPStatus
from io import BytesIO
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.datastructures import UploadFile
from starlette.responses import RedirectResponse, Response

from services.intake.register_file.model import ImportReport
from services.intake.register_file.store import RegisterFileStore
from services.intake.register_file.table_file import HEADINGS, LIMITS, REQUIRED, HeadingError, read_table
from shared.i18n import N_, texts
from shared.identity import Role, Staff, requires
from shared.web import TroubleError, pages_of

Administrator = Annotated[Staff, Depends(requires(Role.ADMINISTRATOR))]


def pages(store: RegisterFileStore) -> APIRouter:
    """The import of lists."""
    router = APIRouter(prefix="/registry")

    @router.get("/import")
    async def choose(request: Request, _staff: Administrator) -> Response:
        """Choose a file."""
        return _choose_page(request)

    @router.post("/import")
    async def try_out(request: Request, staff: Administrator) -> Response:
        """Read the file and see what importing it would do. Nothing is imported."""
        async with request.form() as form:
            file = form.get("file")
            body = await file.read() if isinstance(file, UploadFile) else b""
        if not body:
            return _choose_page(request, N_("Choose a file that is not empty. Nothing was imported."))
        try:
            report = await store.preview(read_table(BytesIO(body)))
        except HeadingError as error:
            message = N_("The first row does not name these columns: %(columns)s. Nothing was imported.")
            return _choose_page(request, message, columns=", ".join(error.missing))
        if not report.rows:
            return _choose_page(request, N_("There are no rows below the heading. Nothing was imported."))
        name = await store.keep_upload(body, report, person_id=staff.person_id)
        return RedirectResponse(f"/registry/import/{name}", status_code=303)

    @router.get("/import/{name}")
    async def report(request: Request, staff: Administrator, name: str) -> Response:
        """What importing would do; after it, what it did."""
        state, told = await _upload(store, name, staff)
        return _report_page(request, told, state=state)

    @router.post("/import/{name}")
    async def confirm(request: Request, staff: Administrator, name: str) -> Response:
        """Import the file."""
        state, told = await _upload(store, name, staff)
        async with request.form() as form:
            anyway = "anyway" in form
        if told.bad and not anyway:
            return _report_page(
                request, told, state=state, error=N_("Nothing was imported. Mend the file, or tick this.")
            )
        await _import(store, name, staff)
        return RedirectResponse(f"/registry/import/{name}", status_code=303)

    return router


async def _upload(store: RegisterFileStore, name: str, staff: Staff) -> tuple[str, ImportReport]:
    found = await store.upload(name, person_id=staff.person_id)
    if found is None:
        raise TroubleError(
            HTTPStatus.NOT_FOUND,
            N_("This file is not kept any more. Files are forgotten after a day."),
            what_next=N_("Choose the file again."),
        )
    return found


async def _import(store: RegisterFileStore, name: str, staff: Staff) -> None:
    body = await store.claim_upload(name, person_id=staff.person_id)
    if body is None:
        return  # sent twice: the page shows how the first one goes
    report = ImportReport()
    done = False
    try:
        async for progress in store.import_rows(read_table(BytesIO(body)), by=staff.person_id):
            report = progress
        done = True
    finally:
        await (store.finish_upload(name, report) if done else store.release_upload(name))


def _choose_page(request: Request, error: str = "", **values: str) -> Response:
    _ = texts(request.state.locale)
    return pages_of(request).page(
        request,
        "import.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK,
        error=_(error) % values if error else "",
        headings=[(spellings[0], name in REQUIRED, LIMITS[name]) for name, spellings in HEADINGS.items()],
    )


def _report_page(request: Request, report: ImportReport, *, state: str, error: str = "") -> Response:
    return pages_of(request).page(
        request,
        "import_report.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK,
        report=report,
        state=state,
        error=error,
    )
