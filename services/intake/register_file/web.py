"""Register file pages: a list of associations is chosen, looked over and imported; the register is exported."""

from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from services.intake.register_file.columns import LIMITS
from services.intake.register_file.export_file import WRITERS
from services.intake.register_file.store import RegisterFileStore
from services.intake.registry.model import Wanted
from shared.clock import Clock
from shared.downloads import CSV, download
from shared.i18n import N_
from shared.identity import Role, Staff, requires
from shared.list_pages import ListKind, ListPages
from shared.web import TroubleError

Administrator = Annotated[Staff, Depends(requires(Role.ADMINISTRATOR))]
Exporter = Annotated[Staff, Depends(requires(Role.CLERK, Role.ADMINISTRATOR))]

MEDIA_TYPES = {"csv": CSV, "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}


async def importer(staff: Administrator) -> Staff:
    """An administrator of the whole region: a list may name any association. Raises TroubleError for others."""
    if staff.limited:
        raise TroubleError(
            HTTPStatus.FORBIDDEN,
            N_("A list changes the register of the whole region, and you see a part of it."),
            what_next=N_("Ask an administrator of the whole region to import it."),
        )
    return staff


REGISTER = ListKind(
    path="/registry/import",
    choosing="import.html",
    reporting="import_report.html",
    importer=importer,
    limits=LIMITS,
    forgotten=N_("This file is not kept any more. Files are forgotten after a day."),
)


def pages(store: RegisterFileStore, *, clock: Clock, wake: Callable[[], None]) -> APIRouter:
    """The import of lists, and the export of the register; `wake` has the job look for files to be read."""
    router = APIRouter()
    _export(router, store, clock=clock)
    router.routes.extend(ListPages(store, REGISTER, clock=clock, wake=wake).routes().routes)
    return router


def _export(router: APIRouter, store: RegisterFileStore, *, clock: Clock) -> None:
    @router.get("/registry/export.{form}")
    async def export(request: Request, staff: Exporter, form: str) -> Response:
        """What the registry shows, as a file that the import reads."""
        if form not in WRITERS:
            raise TroubleError(HTTPStatus.NOT_FOUND, N_("The register is exported as CSV or XLSX."))
        found = await store.export(Wanted.asked(request.query_params, staff=staff), by=staff.person_id, form=form)
        file_name = f"yhdistykset-{_today(clock.now())}.{form}"
        return download(WRITERS[form](found()), MEDIA_TYPES[form], file_name)


def _today(now: datetime) -> str:
    return now.astimezone(ZoneInfo("Europe/Helsinki")).date().isoformat()
