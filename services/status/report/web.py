"""Pages: a situation's reports: made, listed, read, downloaded and compared."""

from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request
from markupsafe import Markup
from pydantic import BaseModel, Field
from starlette.responses import RedirectResponse, Response

from services.status.report.model import (
    LIMITED,
    LIMITED_NEXT,
    SUMMARY_LENGTH,
    Draft,
    Flaw,
    Note,
    Refused,
    Report,
    compare,
    compile_report,
    write_note,
)
from services.status.report.model import Form as ReportForm
from services.status.report.press import NO_SUCH_FORM, Press, files, find_file, headers
from services.status.report.report_words import columns, difference_told, differing
from services.status.report.store import ReportStore
from services.status.situation.model import Situation
from services.status.situation.store import SituationStore
from shared.clock import Clock
from shared.form_errors import wrong_with
from shared.i18n import HELSINKI, N_, Locale, moment, texts
from shared.identity import Role, Staff, requires
from shared.ids import new_id
from shared.web import TroubleError, pages_of

AnyStaff = Annotated[Staff, Depends(requires())]
Liaison = Annotated[Staff, Depends(requires(Role.LIAISON))]

FLAWS: dict[Flaw, tuple[str, str]] = {
    Flaw.SUMMARY_TOO_LONG: ("summary", N_("The summary may have at most 4,000 characters. Shorten it.")),
    Flaw.NEXT_UNREADABLE: ("next_at", N_("The time of the next report could not be read. Give day and time.")),
    Flaw.NEXT_OUT_OF_RANGE: ("next_at", N_("The next report must be expected in the future, within 31 days.")),
}
SAID = {"frozen": N_("The report is frozen.")}


class NoteForm(BaseModel):
    """What a person wrote into the form. The id is made with the empty form, so that sending it twice makes one."""

    report_id: UUID = Field(default_factory=new_id)
    summary: str = ""
    next_at: str = ""

    def draft(self) -> Draft:
        """The same as the model takes it."""
        return Draft(self.summary, local_moment(self.next_at), next_wanted=bool(self.next_at.strip()))


def local_moment(text: str) -> datetime | None:
    """The moment that a person in Finland means by a date and time without a zone, or None."""
    try:
        meant = datetime.fromisoformat(text.strip())
        return meant.replace(tzinfo=HELSINKI) if meant.tzinfo is None else None
    except ValueError:
        return None


class ReportPages:
    """The pages of this topic."""

    def __init__(self, store: ReportStore, *, situations: SituationStore, press: Press, clock: Clock) -> None:
        self._store = store
        self._situations = situations
        self._press = press
        self._clock = clock

    def router(self) -> APIRouter:
        """All routes of this topic; they go before those of the picture, whose municipalities stand at one place with
        the word `reports`."""
        router = APIRouter(prefix="/situations/{situation_id:uuid}/reports")
        router.add_api_route("", self.list_all, methods=["GET"])
        router.add_api_route("/new", self.form, methods=["GET"])
        router.add_api_route("/new", self.freeze, methods=["POST"])
        router.add_api_route("/{number:int}", self.show, methods=["GET"])
        router.add_api_route("/{number:int}/since", self.since, methods=["GET"])
        router.add_api_route("/{number:int}/report.{form}", self.file, methods=["GET"])
        return router

    async def list_all(self, request: Request, situation_id: UUID, staff: AnyStaff) -> Response:
        """The situation's reports."""
        situation = await self._situations.one(situation_id)
        return _page(
            request,
            "reports.html",
            situation,
            reports=await self._store.list_all(situation),
            may_make=staff.may(Role.LIAISON),
            may_see_links=staff.may(Role.LIAISON, Role.ADMINISTRATOR),
        )

    async def form(self, request: Request, situation_id: UUID, staff: Liaison) -> Response:
        """The empty form, with what a report would say now."""
        refuse_limited(staff)
        return await self._form_page(request, await self._situations.one(situation_id), NoteForm(), staff)

    async def freeze(
        self, request: Request, situation_id: UUID, staff: Liaison, form: Annotated[NoteForm, Form()]
    ) -> Response:
        """Freeze the report and show it; or the form again with what is wrong."""
        refuse_limited(staff)
        situation = await self._situations.one(situation_id)
        outcome = write_note(
            form.draft(),
            report_id=form.report_id,
            person_id=staff.person_id,
            roles=staff.roles,
            now=self._clock.now(),
        )
        if isinstance(outcome, Refused):
            return await self._form_page(request, situation, form, staff, flaws=outcome.flaws)
        report = await self._store.freeze(situation, outcome)
        return RedirectResponse(f"/situations/{situation_id}/reports/{report.number}?said=frozen", status_code=303)

    async def show(
        self, request: Request, situation_id: UUID, number: int, staff: AnyStaff, said: str = ""
    ) -> Response:
        """The report as it was frozen; what stands in `said` is acknowledged."""
        situation = await self._situations.one(situation_id)
        report = await self._report(situation, number)
        newest = await self._store.newest(situation)
        locale: Locale = request.state.locale
        html = await self._store.form(report, ReportForm.HTML, locale)
        return _page(
            request,
            "report.html",
            situation,
            report=report,
            name=report.names.of(locale),
            newest=newest.number if newest else number,
            article=Markup(html.decode()),  # noqa: S704 - rendered with escaping when it was frozen
            forms=[form.value for form in files()],
            said=texts(locale)(SAID[said]) if said in SAID else "",
            may_share=staff.may(Role.LIAISON) and not staff.limited,
        )

    async def file(self, request: Request, situation_id: UUID, number: int, form: str, _staff: AnyStaff) -> Response:
        """The report as a file."""
        report = await self._report(await self._situations.one(situation_id), number)
        wanted = find_file(form)
        if wanted is None:
            raise TroubleError(HTTPStatus.NOT_FOUND, NO_SUCH_FORM)
        locale: Locale = request.state.locale
        return Response(await self._store.form(report, wanted, locale), headers=headers(report, wanted, locale))

    async def since(
        self, request: Request, situation_id: UUID, number: int, _staff: AnyStaff, until: str = ""
    ) -> Response:
        """What changed after the report: up to now, or up to the later report whose number is `until`."""
        situation = await self._situations.one(situation_id)
        earlier = await self._report(situation, number)
        later = await self._later(situation, earlier, until)
        locale: Locale = request.state.locale
        _ = texts(locale)
        changes = compare(earlier, later.tallies)
        numbers = [one.number for one in await self._store.list_all(situation) if one.number > number]
        frozen = later.number > number
        return _page(
            request,
            "report_since.html",
            situation,
            report=earlier,
            told=difference_told(changes, later, locale),
            label=_("From %(start)s to %(end)s")
            % {"start": moment(earlier.figures_at, locale), "end": moment(later.figures_at, locale)},
            columns=columns(locale),
            groups=differing(changes, locale, networks=later.network_names),
            until=str(later.number) if frozen else "",
            choices=[
                ("", _("The figures of now")),
                *((str(n), _("Report %(number)s") % {"number": n}) for n in numbers),
            ],
        )

    async def _later(self, situation: Situation, earlier: Report, until: str) -> Report:
        """The later report, or one under the earlier's number that says what is so now and is never kept."""
        if until.isdecimal() and len(until) < 6 and int(until) > earlier.number:
            return await self._report(situation, int(until))
        return await self._unfrozen(situation, earlier.number, None, Note(new_id(), "", None, earlier.compiled_by, ()))

    async def _unfrozen(self, situation: Situation, number: int, previous: Report | None, note: Note) -> Report:
        facts = await self._store.facts(situation)
        return compile_report(situation, facts, note, number=number, previous=previous, now=self._clock.now())

    async def _form_page(
        self, request: Request, situation: Situation, form: NoteForm, staff: Staff, *, flaws: Sequence[Flaw] = ()
    ) -> Response:
        locale: Locale = request.state.locale
        previous = await self._store.newest(situation)
        note = Note(form.report_id, "", None, staff.person_id, tuple(sorted(staff.roles)))
        draft = await self._unfrozen(situation, previous.number + 1 if previous else 1, previous, note)
        return _page(
            request,
            "report_form.html",
            situation,
            form=form,
            **wrong_with((FLAWS[flaw] for flaw in flaws), locale),
            summary_length=SUMMARY_LENGTH,
            draft=Markup(self._press(draft, ReportForm.HTML, locale).decode()),  # noqa: S704 - rendered with escaping
        )

    async def _report(self, situation: Situation, number: int) -> Report:
        report = await self._store.get(situation, number)
        if report is None:
            raise TroubleError(HTTPStatus.NOT_FOUND, N_("This situation has no report with this number."))
        return report


def refuse_limited(staff: Staff) -> None:
    """Refuse to make a report for whoever sees only a part of the region."""
    if staff.limited:
        raise TroubleError(HTTPStatus.FORBIDDEN, LIMITED, what_next=LIMITED_NEXT)


def _page(request: Request, template: str, situation: Situation, *, status: int = 200, **values: Any) -> Response:
    locale: Locale = request.state.locale
    named = {"name": situation.names.of(locale), **values}
    return pages_of(request).page(request, template, status=status, realm=situation.realm, situation=situation, **named)
