"""Subscriber file pages: a list of people is chosen, looked over and imported; all subscribers are exported."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Request
from starlette.datastructures import FormData, UploadFile
from starlette.responses import RedirectResponse, Response, StreamingResponse

from services.notify.retention.store import RetentionStore
from services.notify.subscriber_file.columns import HEADINGS, LIMITS, REQUIRED
from services.notify.subscriber_file.export_file import csv_of
from services.notify.subscriber_file.model import BASIS_AT_LEAST, BASIS_AT_MOST, LISTED_AUDIENCES
from services.notify.subscriber_file.store import SubscriberFileStore
from services.notify.subscribers.model import AUDIENCE_NAMES, Audience, Problem
from shared.clock import Clock
from shared.i18n import N_, texts
from shared.identity import Role, Staff, requires
from shared.list_report import UnfitFileError, UploadState
from shared.sheet_file import NO_FILE
from shared.spreadsheet import MARK, csv_line
from shared.uploads import Kept
from shared.web import TroubleError, pages_of

Importer = Annotated[Staff, Depends(requires(Role.EDITOR, Role.ADMINISTRATOR, everywhere=True))]
Administrator = Annotated[Staff, Depends(requires(Role.ADMINISTRATOR, everywhere=True))]

AT_ONCE = 2.0
"""Seconds for which the answer waits for a small list, which is then shown without a page between."""

CSV = "text/csv; charset=utf-8"


@dataclass(frozen=True)
class ListForm:
    """The first step's form: what was chosen, and what is wrong with it."""

    audience: str = ""
    basis: str = ""
    sheet: str = ""
    problems: tuple[Problem, ...] = ()

    def wrong(self, name: str) -> str:
        """What is wrong with this field, in the reader's words; empty if nothing is."""
        return next((problem.message for problem in self.problems if problem.field == name), "")


def pages(
    store: SubscriberFileStore, retention: RetentionStore, *, clock: Clock, wake: Callable[[], None]
) -> APIRouter:
    """`/subscribers`: how many there are, the import of lists, the export; `wake` has the job look for lists."""
    router = APIRouter(prefix="/subscribers")
    _overview(router, store, retention, clock=clock)
    _choosing(router, store, wake=wake)
    _columns(router, store, wake=wake)
    _importing(router, store, wake=wake)
    return router


def _overview(router: APIRouter, store: SubscriberFileStore, retention: RetentionStore, *, clock: Clock) -> None:
    @router.get("")
    async def overview(request: Request, staff: Importer) -> Response:
        """How many subscribers there are and on what ground, and how long what is kept."""
        return pages_of(request).page(
            request,
            "subscribers.html",
            standing=await store.standing(),
            keeping=await retention.report(),
            groups=AUDIENCE_NAMES,
            administers=staff.may(Role.ADMINISTRATOR),
        )

    @router.post("/export.csv")
    async def export(staff: Administrator) -> Response:
        """All subscribers with the records of their consent."""
        day = clock.now().astimezone(ZoneInfo("Europe/Helsinki")).date().isoformat()
        return _download(csv_of(store.export(by=staff.person_id)), f"tilaajat-{day}.csv")


def _choosing(router: APIRouter, store: SubscriberFileStore, *, wake: Callable[[], None]) -> None:
    @router.get("/import")
    async def choose(request: Request, _staff: Importer) -> Response:
        """Choose a list and say on what ground its people may be written to."""
        return _choose_page(request, ListForm())

    @router.post("/import")
    async def try_out(request: Request, staff: Importer) -> Response:
        """Read the list and see what importing it would do. Nothing is imported."""
        async with request.form() as sent:
            form, name = _read_form(request, sent), ""
            if not form.problems:
                try:
                    name = await _received(store, sent, form, staff)
                except UnfitFileError as error:
                    told = texts(request.state.locale)(error.message) % error.values
                    form = ListForm(form.audience, form.basis, form.sheet, (Problem("file", told),))
        if form.problems:
            return _choose_page(request, form)
        wake()
        await store.settled(name, within=AT_ONCE)
        return RedirectResponse(f"/subscribers/import/{name}", status_code=303)


def _columns(router: APIRouter, store: SubscriberFileStore, *, wake: Callable[[], None]) -> None:
    @router.get("/import/{name}/columns")
    async def columns(request: Request, staff: Importer, name: str) -> Response:
        """Say which column is which."""
        kept = await _kept(store, name, staff)
        return _columns_page(request, name, kept, kept.columns)

    @router.post("/import/{name}/columns")
    async def choose_columns(request: Request, staff: Importer, name: str) -> Response:
        """Look over the list with these columns."""
        kept = await _kept(store, name, staff)
        async with request.form() as form:
            chosen = {
                field: int(place)
                for field in HEADINGS
                if (place := str(form.get(field, ""))).isdecimal() and int(place[:6]) < len(kept.headings)
            }
        wrong = _wrong_columns(request, chosen, kept)
        if wrong:
            return _columns_page(request, name, kept, chosen, wrong)
        await store.uploads.choose_columns(name, chosen, person_id=staff.person_id)
        wake()
        await store.settled(name, within=AT_ONCE)
        return RedirectResponse(f"/subscribers/import/{name}", status_code=303)


def _importing(router: APIRouter, store: SubscriberFileStore, *, wake: Callable[[], None]) -> None:
    @router.get("/import/{name}")
    async def report(request: Request, staff: Importer, name: str) -> Response:
        """What importing would do, how far it is, or what it did."""
        kept = await _kept(store, name, staff)
        if kept.state is UploadState.COLUMNS:
            return RedirectResponse(f"/subscribers/import/{name}/columns", status_code=303)
        return await _report_page(request, store, name, kept)

    @router.post("/import/{name}")
    async def confirm(request: Request, staff: Importer, name: str) -> Response:
        """Import the list."""
        kept = await _kept(store, name, staff)
        async with request.form() as form:
            anyway = "anyway" in form
        if kept.state is UploadState.WAITING and kept.report.bad and not anyway:
            error = N_("Nothing was imported. Mend the file, or tick this.")
            return await _report_page(request, store, name, kept, error=error)
        if await store.uploads.start(name, person_id=staff.person_id):
            wake()
            await store.settled(name, within=AT_ONCE)
        return RedirectResponse(f"/subscribers/import/{name}", status_code=303)

    @router.get("/import/{name}/problems.csv")
    async def problems(request: Request, staff: Importer, name: str) -> Response:
        """The rows that cannot be taken, as they were written, to be mended and imported."""
        kept = await _kept(store, name, staff)
        _ = texts(request.state.locale)
        width = len(kept.headings)

        async def lines() -> AsyncIterator[bytes]:
            yield (MARK + csv_line([*kept.headings, _("Row in the file"), _("What is wrong")])).encode()
            async for row, cells, errors in store.uploads.problems(name):
                told = [f"{error.column}: " * bool(error.column) + _(error.message) % error.values for error in errors]
                filled = [*cells, *[""] * (width - len(cells))][:width]
                yield csv_line([*filled, str(row), " ".join(told)]).encode()

        return _download(lines(), "virheet.csv")


def _download(body: AsyncIterator[bytes], file_name: str) -> Response:
    disposition = {"content-disposition": f'attachment; filename="{file_name}"'}
    return StreamingResponse(body, media_type=CSV, headers=disposition)


def _read_form(request: Request, sent: FormData) -> ListForm:
    _ = texts(request.state.locale)
    audience = str(sent.get("audience", ""))
    basis = " ".join(str(sent.get("basis", "")).split())
    problems = []
    if audience not in LISTED_AUDIENCES:
        problems.append(Problem("audience", _("Choose the group to which these people belong.")))
    if not BASIS_AT_LEAST <= len(basis) <= BASIS_AT_MOST:
        told = _("Say in 10 to 500 characters why we may write to these people.")
        problems.append(Problem("basis", told))
    return ListForm(audience, basis[:BASIS_AT_MOST], str(sent.get("sheet", "")).strip()[:100], tuple(problems))


async def _received(store: SubscriberFileStore, sent: FormData, form: ListForm, staff: Staff) -> str:
    file = sent.get("file")
    if not isinstance(file, UploadFile):
        raise UnfitFileError(NO_FILE)
    return await store.receive(
        file.file,
        file_name=file.filename or "",
        sheet=form.sheet,
        person_id=staff.person_id,
        about={"audience": Audience(form.audience).value, "basis": form.basis},
    )


async def _kept(store: SubscriberFileStore, name: str, staff: Staff) -> Kept:
    found = await store.uploads.get(name, person_id=staff.person_id)
    if found is None:
        raise TroubleError(
            HTTPStatus.NOT_FOUND,
            N_("This list is not kept any more. Lists are forgotten after a day, and when somebody is erased."),
            what_next=N_("Choose the file again."),
        )
    return found


def _wrong_columns(request: Request, chosen: Mapping[str, int], kept: Kept) -> dict[str, str]:
    """What must be chosen otherwise, by field."""
    _ = texts(request.state.locale)
    wrong = {name: _("Choose the column that holds this.") for name in REQUIRED if name not in chosen}
    first: dict[int, str] = {}
    for name, place in chosen.items():
        if first.setdefault(place, name) != name:
            heading = kept.headings[place] or str(place + 1)
            wrong[name] = _("The column %(heading)s is chosen twice.") % {"heading": heading}
    return wrong


def _choose_page(request: Request, form: ListForm) -> Response:
    return pages_of(request).page(
        request,
        "subscribers_import.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if form.problems else HTTPStatus.OK,
        form=form,
        groups=[(audience.value, AUDIENCE_NAMES[audience]) for audience in LISTED_AUDIENCES],
        headings=[(spellings[0], name in REQUIRED, LIMITS[name]) for name, spellings in HEADINGS.items()],
    )


def _columns_page(
    request: Request, name: str, kept: Kept, chosen: Mapping[str, int], wrong: Mapping[str, str] | None = None
) -> Response:
    columns = [
        (place, heading or str(place + 1), kept.samples[place] if place < len(kept.samples) else ())
        for place, heading in enumerate(kept.headings)
    ]
    return pages_of(request).page(
        request,
        "subscribers_columns.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK,
        name=name,
        chosen=chosen,
        wrong=wrong or {},
        columns=columns,
        fields=[(field, spellings[0], field in REQUIRED) for field, spellings in HEADINGS.items()],
    )


async def _report_page(
    request: Request, store: SubscriberFileStore, name: str, kept: Kept, *, error: str = ""
) -> Response:
    read = set(kept.columns.values())
    audience, basis = await store.stated(name)
    return pages_of(request).page(
        request,
        "subscribers_report.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK,
        name=name,
        kept=kept,
        report=kept.report,
        audience=AUDIENCE_NAMES[Audience(audience)] if audience else "",
        basis=basis,
        unread=[heading for place, heading in enumerate(kept.headings) if heading and place not in read],
        error=error,
    )
