"""Paper pages: lists and sheets to print, and the page on which they are typed back row by row."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from markupsafe import Markup
from starlette.responses import HTMLResponse, RedirectResponse, Response

from services.intake.calling.store import CallRound, CallStore
from services.intake.checkin.model import CHANNEL_LABELS, STATUS_LABELS, Answer, Refused
from services.intake.checkin.store import CheckInStore
from services.intake.paper.model import NOTE_LIMIT, Typed, in_fours, paper_form
from services.intake.paper.print_pdf import NoPdfError, pdf_of
from services.intake.paper.qr_svg import qr_svg
from services.intake.paper.store import PAGE, PaperRow, PaperStore
from shared import region
from shared.clock import Clock
from shared.events.intake import Channel
from shared.i18n import N_, Locale, locale_or
from shared.identity import Role, Staff, requires
from shared.settings import Settings
from shared.web import HERE, TroubleError, pages_of

Clerk = Annotated[Staff, Depends(requires(Role.LIAISON, Role.CLERK, Role.ADMINISTRATOR))]

NOTHING_TYPED = Typed()


@dataclass(frozen=True)
class Line:
    """A row on the typing page: what is known, what was typed, and what is wrong with that."""

    row: PaperRow
    typed: Typed = NOTHING_TYPED
    error: str = ""


def pages(store: PaperStore, calls: CallStore, checkin: CheckInStore, *, clock: Clock, settings: Settings) -> APIRouter:
    """Lists, sheets and typing back."""
    desk = PaperDesk(store, calls, checkin, clock, settings)
    place = "/{round_id:uuid}/{municipality}"
    router = APIRouter(prefix="/paper")
    router.add_api_route("/{round_id:uuid}", desk.overview, methods=["GET"])
    router.add_api_route(f"{place}/list", desk.printed_list, methods=["GET"])
    router.add_api_route(f"{place}/list.pdf", desk.list_pdf, methods=["GET"])
    router.add_api_route(f"{place}/sheets", desk.sheets, methods=["GET"])
    router.add_api_route(f"{place}/sheets", desk.make_sheets, methods=["POST"])
    router.add_api_route(f"{place}/sheets.pdf", desk.sheets_pdf, methods=["GET"])
    router.add_api_route(f"{place}/answers", desk.typing, methods=["GET"])
    router.add_api_route(f"{place}/answers", desk.type_all, methods=["POST"])
    router.add_api_route(f"{place}/answers/{{invitation_id:uuid}}", desk.type_one, methods=["POST"])
    return router


class PaperDesk:
    """Where paper is made, and read."""

    def __init__(
        self, store: PaperStore, calls: CallStore, checkin: CheckInStore, clock: Clock, settings: Settings
    ) -> None:
        self._store = store
        self._calls = calls
        self._checkin = checkin
        self._clock = clock
        self._settings = settings

    async def overview(self, request: Request, staff: Clerk, round_id: UUID) -> Response:
        """The municipalities of a round."""
        values = await self._values(request, round_id)
        places = await self._store.places(round_id, staff.sight)
        names = {place.code: place.name(request.state.locale) for place in region.MUNICIPALITIES}
        return pages_of(request).page(request, "paper.html", places=places, names=names, **values)

    async def printed_list(self, request: Request, staff: Clerk, round_id: UUID, municipality: str) -> Response:
        """All rows of a municipality, with boxes."""
        return HTMLResponse(await self._list_html(request, staff, round_id, municipality))

    async def list_pdf(self, request: Request, staff: Clerk, round_id: UUID, municipality: str) -> Response:
        """The same as PDF."""
        return await _pdf(await self._list_html(request, staff, round_id, municipality), "list")

    async def sheets(self, request: Request, staff: Clerk, round_id: UUID, municipality: str) -> Response:
        """The sheets that have been made, fifty at a time."""
        return HTMLResponse(await self._sheets_html(request, staff, round_id, municipality))

    async def sheets_pdf(self, request: Request, staff: Clerk, round_id: UUID, municipality: str) -> Response:
        """The same as PDF."""
        return await _pdf(await self._sheets_html(request, staff, round_id, municipality), "sheets")

    async def make_sheets(self, request: Request, staff: Clerk, round_id: UUID, municipality: str) -> Response:
        """Make the sheets that are missing."""
        await self._values(request, round_id, municipality)
        await self._store.make_sheets(round_id, municipality, staff.sight, person_id=staff.person_id)
        return RedirectResponse(request.url.path, HTTPStatus.SEE_OTHER)

    async def typing(self, request: Request, staff: Clerk, round_id: UUID, municipality: str) -> Response:
        """The rows, to be typed; `find` puts the cursor on a row."""
        find = request.query_params.get("find", "")
        found = await self._store.page_of(round_id, municipality, staff.sight, find=find) if find.strip() else None
        number, at = found or (_page(request), None)
        rows, count = await self._store.rows(round_id, municipality, staff.sight, page=number)
        lines = [Line(row) for row in rows]
        shown = {"count": count, "page": number, "at": at, "find": find, "missed": bool(find.strip()) and found is None}
        return await self._typing_page(request, round_id, municipality, lines, **shown)

    async def type_all(self, request: Request, staff: Clerk, round_id: UUID, municipality: str) -> Response:
        """Record every row that was typed and is right; the others come back as they were typed."""
        await self._values(request, round_id, municipality)
        number = _page(request)
        rows, count = await self._store.rows(round_id, municipality, staff.sight, page=number)
        async with request.form(max_fields=PAGE * 2 + 10) as sent:
            played = [row for row in rows if not row.simulated]
            typed = {row.invitation_id: _typed(sent, f"-{row.invitation_id}") for row in played}
            find = str(sent.get("find", "")).strip()
        wrong = {key: one for key, one in typed.items() if not one.empty and one.wrong}
        right = [(key, one) for key, one in typed.items() if not one.empty and not one.wrong]
        await asyncio.gather(*(self._record(staff, key, one) for key, one in right))
        if not wrong:
            query = {"find": find} if find else {"page": number, "saved": len(right)}
            return RedirectResponse(f"{request.url.path}?{urlencode(query)}", HTTPStatus.SEE_OTHER)
        rows, count = await self._store.rows(round_id, municipality, staff.sight, page=number)
        lines = [
            Line(row, wrong[row.invitation_id], wrong[row.invitation_id].wrong)
            if row.invitation_id in wrong
            else Line(row)
            for row in rows
        ]
        shown = {"count": count, "page": number, "at": next(iter(wrong)), "find": find, "missed": False}
        return await self._typing_page(request, round_id, municipality, lines, **shown)

    async def type_one(
        self, request: Request, staff: Clerk, round_id: UUID, municipality: str, invitation_id: UUID
    ) -> Response:
        """Record one row; what comes back is its last cell, as the page has it."""
        await self._values(request, round_id, municipality)
        async with request.form(max_fields=10) as sent:
            typed = _typed(sent, "")
        rows, _count = await self._store.rows(round_id, municipality, staff.sight)
        if invitation_id not in {row.invitation_id for row in rows if not row.simulated}:
            raise TroubleError(HTTPStatus.NOT_FOUND, N_("There is no such row on this list."))
        if not typed.wrong:
            await self._record(staff, invitation_id, typed)
            rows, _count = await self._store.rows(round_id, municipality, staff.sight)
        row = next(row for row in rows if row.invitation_id == invitation_id)
        html = pages_of(request).fragment(
            request.state.locale,
            "paper_state.html",
            line=Line(row, typed, typed.wrong),
            channels=CHANNEL_LABELS,
            labels=STATUS_LABELS,
        )
        return HTMLResponse(html, HTTPStatus.UNPROCESSABLE_ENTITY if typed.wrong else HTTPStatus.OK)

    async def _record(self, staff: Staff, invitation_id: UUID, typed: Typed) -> None:
        outcome = await self._checkin.put(
            Answer(
                door=invitation_id,
                form_id=paper_form(invitation_id),
                said=typed.said(),
                at=self._clock.now(),
                channel=Channel.PAPER,
                entered_by=staff.person_id,
                brief=True,
            )
        )
        if isinstance(outcome, Refused):
            raise _closed()

    async def _typing_page(
        self, request: Request, round_id: UUID, municipality: str, lines: Sequence[Line], **shown: Any
    ) -> Response:
        values = await self._values(request, round_id, municipality)
        wrong = [line for line in lines if line.error]
        saved = request.query_params.get("saved", "")
        return pages_of(request).page(
            request,
            "paper_answers.html",
            status=HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK,
            lines=lines,
            wrong=wrong,
            saved=int(saved) if saved.isdecimal() and len(saved) < 4 else None,
            pages=max(1, -(-shown["count"] // PAGE)),
            channels=CHANNEL_LABELS,
            labels=STATUS_LABELS,
            note_limit=NOTE_LIMIT,
            **shown,
            **values,
        )

    async def _list_html(self, request: Request, staff: Staff, round_id: UUID, municipality: str) -> str:
        values = await self._values(request, round_id, municipality)
        rows, _count = await self._store.rows(round_id, municipality, staff.sight)
        return pages_of(request).html(
            request, "paper_list.html", status=200, rows=rows, now=self._clock.now(), labels=STATUS_LABELS, **values
        )

    async def _sheets_html(self, request: Request, staff: Staff, round_id: UUID, municipality: str) -> str:
        values = await self._values(request, round_id, municipality)
        number = _page(request)
        rows, count = await self._store.rows(round_id, municipality, staff.sight, page=number)
        made = await self._store.with_sheet(rows)
        sheets = [self._sheet(request, values["round"], row, token) for row, token in made]
        missing = sum(row.status is None and not row.simulated for row in rows) - len(made)
        return pages_of(request).html(
            request,
            "paper_sheets.html",
            status=200,
            sheets=sheets,
            missing=missing,
            page=number,
            pages=max(1, -(-count // PAGE)),
            **values,
        )

    def _sheet(self, request: Request, call_round: CallRound, row: PaperRow, token: str) -> Markup:
        """One sheet in the association's own language."""
        locale = locale_or(row.language)
        names = call_round.names
        address = f"{self._settings.public_url}/c/"
        html = pages_of(request).fragment(
            locale,
            "paper_sheet.html",
            realm=call_round.realm,
            row=row,
            situation=names.get(locale.lang) or names.get("fi") or "",
            closes_at=call_round.closes_at,
            labels=STATUS_LABELS,
            qr=qr_svg(f"{address}{token}"),
            host=address.partition("://")[2],
            code=in_fours(token),
            phone=self._settings.phone,
        )
        return Markup(html)  # noqa: S704 - rendered by our own template, which escapes

    async def _values(self, request: Request, round_id: UUID, municipality: str | None = None) -> dict[str, Any]:
        """What every page here shows of the round and the place. Raises TroubleError if either is unknown."""
        call_round = await self._calls.round(round_id)
        if call_round is None:
            raise _closed()
        locale: Locale = request.state.locale
        names = {place.code: place.name(locale) for place in region.MUNICIPALITIES}
        if municipality is not None and municipality not in names:
            raise TroubleError(HTTPStatus.NOT_FOUND, N_("There is no such municipality here."))
        titles = call_round.names
        return {
            "realm": call_round.realm,
            "round": call_round,
            "title": titles.get(locale.lang) or titles.get("fi") or next(iter(titles.values()), ""),
            "municipality": municipality,
            "place": names.get(municipality or "", ""),
        }


def _typed(sent: Mapping[str, Any], suffix: str) -> Typed:
    """What was typed into one row, without what surrounds it."""
    note = " ".join(str(sent.get(f"note{suffix}", "")).split())
    return Typed(str(sent.get(f"box{suffix}", "")).strip(), "".join(c for c in note if c.isprintable()))


def _page(request: Request) -> int:
    page = request.query_params.get("page", "")
    return max(1, int(page)) if page.isdecimal() and len(page) < 7 else 1


def _closed() -> TroubleError:
    return TroubleError(
        HTTPStatus.CONFLICT,
        N_("The round is closed: it takes no answers any more. Nothing was recorded."),
        what_next=N_("Go back to the calls to see which rounds are open."),
    )


async def _pdf(html: str, name: str) -> Response:
    """The page as PDF, made beside the event loop."""
    try:
        content = await asyncio.to_thread(pdf_of, html, static=HERE / "static")
    except NoPdfError:
        raise TroubleError(
            HTTPStatus.NOT_IMPLEMENTED,
            N_("This installation cannot make PDF files."),
            what_next=N_("Go back and print the page itself: it looks the same on paper."),
        ) from None
    return Response(
        content, media_type="application/pdf", headers={"content-disposition": f'inline; filename="{name}.pdf"'}
    )
