"""Registry pages: looking up associations, and importing a list of them in two steps."""

from http import HTTPStatus
from io import BytesIO
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from starlette.datastructures import UploadFile
from starlette.responses import RedirectResponse, Response

from services.intake.registry.model import ContactState, ImportReport
from services.intake.registry.store import PAGE, RegistryStore, Wanted
from services.intake.registry.table_file import HEADINGS, LIMITS, REQUIRED, HeadingError, read_table
from shared import region
from shared.i18n import N_, Locale, texts
from shared.identity import Role, Staff, requires
from shared.web import TroubleError, pages_of

Reader = Annotated[Staff, Depends(requires(Role.LIAISON, Role.CLERK, Role.ADMINISTRATOR))]
Administrator = Annotated[Staff, Depends(requires(Role.ADMINISTRATOR))]

CONTACT_STATES = {
    ContactState.UNCONFIRMED: N_("not confirmed yet"),
    ContactState.CONFIRMED: N_("confirmed"),
    ContactState.FAILED: N_("the last letter did not arrive"),
}


def pages(store: RegistryStore) -> APIRouter:
    """The registry, and the import of lists."""
    router = APIRouter(prefix="/registry")
    _add_import(router, store)

    @router.get("")
    async def listing(request: Request, staff: Reader) -> Response:
        """The associations that are looked for, by name."""
        wanted, number = _wanted(request, staff)
        found = await store.find(wanted, page=number)
        query = urlencode({"q": wanted.text, "municipality": wanted.municipality, "sector": wanted.sector})
        return pages_of(request).page(
            request,
            "registry.html",
            found=found,
            wanted=wanted,
            page=number,
            pages=max(1, -(-found.count // PAGE)),
            href=f"/registry?{query}&page={{page}}",
            municipalities=_named(request, region.MUNICIPALITIES, N_("Whole region")),
            sectors=_named(request, region.SECTORS, N_("All sectors")),
            names=_names(request),
            may_import=staff.may(Role.ADMINISTRATOR),
        )

    @router.get("/{association_id}")
    async def one(request: Request, staff: Reader, association_id: str) -> Response:
        """An association and its contacts."""
        found = await store.get(_uuid(association_id))
        if found is None or (staff.municipalities and found[0].municipality not in staff.municipalities):
            raise TroubleError(HTTPStatus.NOT_FOUND, N_("There is no such association in the registry."))
        association, contacts = found
        languages = {locale.value: locale.own_name for locale in Locale}
        return pages_of(request).page(
            request,
            "association.html",
            association=association,
            contacts=contacts,
            names=_names(request),
            languages_by_code=languages,
            contact_states=CONTACT_STATES,
        )

    return router


def _add_import(router: APIRouter, store: RegistryStore) -> None:
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


async def _upload(store: RegistryStore, name: str, staff: Staff) -> tuple[str, ImportReport]:
    found = await store.upload(name, person_id=staff.person_id)
    if found is None:
        raise TroubleError(
            HTTPStatus.NOT_FOUND,
            N_("This file is not kept any more. Files are forgotten after a day."),
            what_next=N_("Choose the file again."),
        )
    return found


async def _import(store: RegistryStore, name: str, staff: Staff) -> None:
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


def _wanted(request: Request, staff: Staff) -> tuple[Wanted, int]:
    """What the address asks for, and the number of the page."""
    asked = request.query_params
    wanted = Wanted(
        text=asked.get("q", "")[:200].replace("\0", ""),
        municipality=asked.get("municipality", "").replace("\0", ""),
        sector=asked.get("sector", "").replace("\0", ""),
        within=staff.municipalities,
    )
    page = asked.get("page", "")
    return wanted, max(1, int(page)) if page.isdecimal() and len(page) < 7 else 1


def _named(request: Request, things: tuple[region.Named, ...], everything: str) -> list[tuple[str, str]]:
    """The options of a select: all, then each by its name in the reader's language."""
    locale: Locale = request.state.locale
    return [("", texts(locale)(everything)), *((thing.code, thing.name(locale)) for thing in things)]


def _names(request: Request) -> dict[str, str]:
    """Names of municipalities and sectors by code, in the reader's language."""
    locale: Locale = request.state.locale
    return {thing.code: thing.name(locale) for thing in (*region.MUNICIPALITIES, *region.SECTORS)}


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise TroubleError(HTTPStatus.NOT_FOUND, N_("There is no such association in the registry.")) from None
