"""List pages: a list is chosen, its columns are named, it is looked over and taken in, the same wherever that is."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from types import MappingProxyType
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.datastructures import FormData, UploadFile
from starlette.responses import RedirectResponse, Response

from shared.clock import Clock
from shared.downloads import CSV, download
from shared.i18n import N_, Locale, texts
from shared.identity import Staff
from shared.list_report import UnfitFileError, UploadState
from shared.list_work import ListWork
from shared.progress import progress_frames, streamed
from shared.sheet_file import NO_FILE
from shared.spreadsheet import MARK, csv_line
from shared.uploads import Kept
from shared.web import TroubleError, pages_of

AT_ONCE = 2.0
"""Seconds for which the answer waits for a small list, which is then shown without a page between."""

EMPTY: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class ListKind:
    """What differs between kinds of lists: where their pages are, the templates of the first and the last step,
    the dependency that lets in who may import, the characters that a field may have, and how a missing list is told.
    """

    path: str
    choosing: str
    reporting: str
    importer: Callable[..., Awaitable[Staff]]
    limits: Mapping[str, int]
    forgotten: str


@dataclass(frozen=True)
class ListForm:
    """The first step as it was filled in: the sheet's name, and what is stated about the list besides.

    `wrong` is what must be filled in otherwise, by field, in the reader's words.
    """

    sheet: str = ""
    about: Mapping[str, str] = field(default_factory=dict)
    wrong: Mapping[str, str] = field(default_factory=dict)


class ListPages:
    """The pages on which lists of one kind are taken in. A service overrides what it asks or tells besides.

    `wake` has the job look for lists.
    """

    def __init__(self, work: ListWork[Any], kind: ListKind, *, clock: Clock, wake: Callable[[], None]) -> None:
        self.work = work
        self.kind = kind
        self._clock = clock
        self._wake = wake

    def about(self, request: Request, sent: FormData) -> tuple[Mapping[str, str], Mapping[str, str]]:
        """What the first step states about the list besides, and what is wrong with that, both by field."""
        del request, sent
        return EMPTY, EMPTY

    def asked(self) -> Mapping[str, Any]:
        """What the template of the first step needs besides."""
        return {}

    async def told(self, name: str) -> Mapping[str, Any]:
        """What the template of the last step needs besides, of the list of this name."""
        del name
        return {}

    def routes(self) -> APIRouter:
        """All steps, below the path of this kind."""
        router = APIRouter(prefix=self.kind.path)
        _choosing(router, self)
        _columns(router, self)
        _importing(router, self)
        _following(router, self)
        return router

    async def receive(self, request: Request, sent: FormData, staff: Staff) -> ListForm | str:
        """Keep the list that was sent; its name, or the form with what is wrong with it."""
        about, wrong = self.about(request, sent)
        form = ListForm(str(sent.get("sheet", "")).strip()[:100], about, wrong)
        if form.wrong:
            return form
        try:
            return await self._receive(sent, form, staff)
        except UnfitFileError as error:
            told = texts(request.state.locale)(error.message) % error.values
            return ListForm(form.sheet, form.about, {"file": told})

    async def _receive(self, sent: FormData, form: ListForm, staff: Staff) -> str:
        file = sent.get("file")
        if not isinstance(file, UploadFile):
            raise UnfitFileError(NO_FILE)
        return await self.work.receive(
            file.file, file_name=file.filename or "", person_id=staff.person_id, sheet=form.sheet, about=form.about
        )

    async def kept(self, name: str, staff: Staff) -> Kept:
        """This person's list; or the 404 page."""
        found = await self.work.uploads.get(name, person_id=staff.person_id)
        if found is None:
            raise TroubleError(HTTPStatus.NOT_FOUND, self.kind.forgotten, what_next=N_("Choose the file again."))
        return found

    async def under_way(self, name: str) -> Response:
        """Have the list read; to its page, at once where it is small."""
        self._wake()
        await self.work.settled(name, within=AT_ONCE)
        return self.to(name)

    def to(self, name: str) -> Response:
        """To the page of this list."""
        return RedirectResponse(f"{self.kind.path}/{name}", status_code=303)

    def live(self, request: Request, name: str, staff: Staff) -> Response:
        """How far the list is, as a line that stays open for as long as the session holds."""
        locale: Locale = request.state.locale
        pages = pages_of(request)

        async def look() -> Kept | None:
            return await self.work.uploads.get(name, person_id=staff.person_id)

        def render(kept: Kept) -> str:
            return pages.fragment(locale, "_list_progress.html", name=name, kept=kept, kind=self.kind)

        return streamed(
            progress_frames(
                look, render, ended=lambda kept: not kept.at_work, clock=self._clock, ends_at=staff.valid_until
            )
        )

    def choose_page(self, request: Request, form: ListForm) -> Response:
        """The first step."""
        known = self.work.vocabulary
        headings = known.headings.items()
        return pages_of(request).page(
            request,
            self.kind.choosing,
            status=_status(form.wrong),
            kind=self.kind,
            form=form,
            headings=[(spellings[0], name in known.required, self.kind.limits[name]) for name, spellings in headings],
            **self.asked(),
        )

    def columns_page(
        self, request: Request, name: str, kept: Kept, chosen: Mapping[str, int], wrong: Mapping[str, str] = EMPTY
    ) -> Response:
        """The step between, where the headings do not tell which column is which."""
        known = self.work.vocabulary
        columns = [
            (place, heading or str(place + 1), kept.samples[place] if place < len(kept.samples) else ())
            for place, heading in enumerate(kept.headings)
        ]
        return pages_of(request).page(
            request,
            "list_columns.html",
            status=_status(wrong),
            kind=self.kind,
            name=name,
            chosen=chosen,
            wrong=wrong,
            columns=columns,
            fields=[(field, spellings[0], field in known.required) for field, spellings in known.headings.items()],
        )

    async def report_page(self, request: Request, name: str, kept: Kept, *, error: str = "") -> Response:
        """The last step: what would be done, how far that is, what was done."""
        read = set(kept.columns.values())
        return pages_of(request).page(
            request,
            self.kind.reporting,
            status=_status(error),
            kind=self.kind,
            name=name,
            kept=kept,
            report=kept.report,
            unread=[heading for place, heading in enumerate(kept.headings) if heading and place not in read],
            error=error,
            **await self.told(name),
        )


def _choosing(router: APIRouter, pages: ListPages) -> None:
    @router.get("")
    async def choose(request: Request, _staff: Annotated[Staff, Depends(pages.kind.importer)]) -> Response:
        """Choose a list."""
        return pages.choose_page(request, ListForm())

    @router.post("")
    async def try_out(request: Request, staff: Annotated[Staff, Depends(pages.kind.importer)]) -> Response:
        """Read the list and see what importing it would do. Nothing is imported."""
        async with request.form() as sent:
            received = await pages.receive(request, sent, staff)
        if isinstance(received, ListForm):
            return pages.choose_page(request, received)
        return await pages.under_way(received)


def _columns(router: APIRouter, pages: ListPages) -> None:
    @router.get("/{name}/columns")
    async def columns(request: Request, staff: Annotated[Staff, Depends(pages.kind.importer)], name: str) -> Response:
        """Say which column is which."""
        kept = await pages.kept(name, staff)
        return pages.columns_page(request, name, kept, kept.columns)

    @router.post("/{name}/columns")
    async def choose_columns(
        request: Request, staff: Annotated[Staff, Depends(pages.kind.importer)], name: str
    ) -> Response:
        """Look over the list with these columns."""
        kept, known = await pages.kept(name, staff), pages.work.vocabulary
        async with request.form() as form:
            chosen = {
                field: int(place)
                for field in known.headings
                if (place := str(form.get(field, ""))).isdecimal() and int(place[:6]) < len(kept.headings)
            }
        wrong = _wrong_columns(request, chosen, kept, required=known.required)
        if wrong:
            return pages.columns_page(request, name, kept, chosen, wrong)
        await pages.work.uploads.choose_columns(name, chosen, person_id=staff.person_id)
        return await pages.under_way(name)


def _importing(router: APIRouter, pages: ListPages) -> None:
    @router.get("/{name}")
    async def report(request: Request, staff: Annotated[Staff, Depends(pages.kind.importer)], name: str) -> Response:
        """What importing would do, how far it is, or what it did."""
        kept = await pages.kept(name, staff)
        if kept.state is UploadState.COLUMNS:
            return RedirectResponse(f"{pages.kind.path}/{name}/columns", status_code=303)
        return await pages.report_page(request, name, kept)

    @router.post("/{name}")
    async def confirm(request: Request, staff: Annotated[Staff, Depends(pages.kind.importer)], name: str) -> Response:
        """Import the list."""
        kept = await pages.kept(name, staff)
        async with request.form() as form:
            anyway = "anyway" in form
        if kept.state is UploadState.WAITING and kept.report.bad and not anyway:
            error = N_("Nothing was imported. Mend the file, or tick this.")
            return await pages.report_page(request, name, kept, error=error)
        if await pages.work.uploads.start(name, person_id=staff.person_id):
            return await pages.under_way(name)
        return pages.to(name)


def _following(router: APIRouter, pages: ListPages) -> None:
    @router.get("/{name}/live")
    async def live(request: Request, staff: Annotated[Staff, Depends(pages.kind.importer)], name: str) -> Response:
        """How far the list is, whenever that changed."""
        await pages.kept(name, staff)
        return pages.live(request, name, staff)

    @router.get("/{name}/problems.csv")
    async def problems(request: Request, staff: Annotated[Staff, Depends(pages.kind.importer)], name: str) -> Response:
        """The rows that cannot be taken, as they were written, to be mended and imported."""
        kept = await pages.kept(name, staff)
        _ = texts(request.state.locale)

        async def lines() -> AsyncIterator[bytes]:
            yield (MARK + csv_line([*kept.headings, _("Row in the file"), _("What is wrong")])).encode()
            async for row, cells, errors in pages.work.uploads.problems(name):
                told = [f"{error.column}: " * bool(error.column) + _(error.message) % error.values for error in errors]
                yield csv_line(problem_cells(kept.headings, row, cells, told)).encode()

        return download(lines(), CSV, "virheet.csv")


def problem_cells(heading: Sequence[str], row: int, cells: Sequence[str], sentences: Iterable[str]) -> list[str]:
    """A row that could not be taken, as it was written, with its number and what is wrong at the end."""
    kept = [*cells, *[""] * (len(heading) - len(cells))][: len(heading)]
    return [*kept, str(row), " ".join(sentences)]


def _wrong_columns(
    request: Request, chosen: Mapping[str, int], kept: Kept, *, required: Iterable[str]
) -> dict[str, str]:
    """What must be chosen otherwise, by field."""
    _ = texts(request.state.locale)
    wrong = {name: _("Choose the column that holds this.") for name in required if name not in chosen}
    first: dict[int, str] = {}
    for name, place in chosen.items():
        if first.setdefault(place, name) != name:
            heading = kept.headings[place] or str(place + 1)
            wrong[name] = _("The column %(heading)s is chosen twice.") % {"heading": heading}
    return wrong


def _status(wrong: object) -> HTTPStatus:
    return HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK
