"""Pages: partner links are made, listed and revoked; and what a partner sees who has one."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request
from markupsafe import Markup
from pydantic import BaseModel, Field
from starlette.responses import RedirectResponse, Response

from services.status.report.model import LIMITED, LIMITED_NEXT, Report
from services.status.report.model import Form as ReportForm
from services.status.report.press import files, find_file, headers
from services.status.report.store import ReportStore
from services.status.sharing.model import PURPOSE_LENGTH, USUAL_HOURS, Flaw, Link, LinkDraft, Refused, share
from services.status.sharing.store import LinkStore
from services.status.situation.model import Situation
from services.status.situation.store import SituationStore
from shared.clock import Clock
from shared.form_errors import wrong_with
from shared.i18n import N_, Locale, catalogue, texts
from shared.identity import Role, Staff, requires
from shared.ids import new_id
from shared.web import TroubleError, pages_of

Liaison = Annotated[Staff, Depends(requires(Role.LIAISON))]
Keeper = Annotated[Staff, Depends(requires(Role.LIAISON, Role.ADMINISTRATOR))]

NEWEST = "newest"
LIFETIMES = (1, 6, 12, 24, 72, 7 * 24, 14 * 24, 30 * 24)
"""Hours that the form offers."""

FLAWS: dict[Flaw, tuple[str, str]] = {
    Flaw.PURPOSE_MISSING: ("purpose", N_("Say for which partner the link is.")),
    Flaw.PURPOSE_TOO_LONG: ("purpose", N_("The partner's name may have at most 80 characters.")),
    Flaw.HOURS_OUT_OF_RANGE: ("hours", N_("Choose for how long the link is valid, from one hour to 30 days.")),
    Flaw.NO_SUCH_REPORT: ("number", N_("Choose a report that there is.")),
}
SAID = {
    "revoked": N_("The link is revoked. Nobody can open it any more."),
    "before": N_("This link was made already, and its address cannot be shown again. Revoke it and make another."),
}


class LinkForm(BaseModel):
    """What a person wrote into the form. The id is made with the empty form, so that sending it twice makes one."""

    link_id: UUID = Field(default_factory=new_id)
    number: str = NEWEST
    purpose: str = ""
    hours: str = str(USUAL_HOURS)

    def draft(self) -> LinkDraft:
        """The same as the model takes it."""
        return LinkDraft(
            purpose=self.purpose,
            hours=_number(self.hours),
            newest=self.number == NEWEST,
            number=_number(self.number),
        )


class LinkPages:
    """The pages of this topic."""

    def __init__(
        self, links: LinkStore, *, reports: ReportStore, situations: SituationStore, clock: Clock, public_url: str
    ) -> None:
        self._links = links
        self._reports = reports
        self._situations = situations
        self._clock = clock
        self._public_url = public_url

    def router(self) -> APIRouter:
        """All routes of this topic."""
        router = APIRouter()
        here = "/situations/{situation_id:uuid}/reports/links"
        router.add_api_route(here, self.list_all, methods=["GET"])
        router.add_api_route(here, self.make, methods=["POST"])
        router.add_api_route(f"{here}/{{link_id:uuid}}/revoke", self.revoke, methods=["POST"])
        router.add_api_route("/shared/{token}", self.open, methods=["GET"])
        router.add_api_route("/shared/{token}/report.{form}", self.file, methods=["GET"])
        return router

    async def list_all(
        self, request: Request, situation_id: UUID, staff: Keeper, number: str = NEWEST, said: str = ""
    ) -> Response:
        """The situation's links, and the form for one more; `number` names the report that it begins with."""
        return await self._page(
            request, await self._situations.one(situation_id), staff, LinkForm(number=number), said=said
        )

    async def make(
        self, request: Request, situation_id: UUID, staff: Liaison, form: Annotated[LinkForm, Form()]
    ) -> Response:
        """Make a link and show its address, this once; or the form again with what is wrong."""
        if staff.limited:
            raise TroubleError(HTTPStatus.FORBIDDEN, LIMITED, what_next=LIMITED_NEXT)
        situation = await self._situations.one(situation_id)
        newest = await self._reports.newest(situation)
        outcome = share(
            situation,
            form.draft(),
            reports=newest.number if newest else 0,
            link_id=form.link_id,
            made_by=staff.person_id,
            now=self._clock.now(),
        )
        if isinstance(outcome, Refused):
            return await self._page(request, situation, staff, form, flaws=outcome.flaws)
        token = await self._links.make(outcome)
        if token is None:
            return RedirectResponse(f"/situations/{situation_id}/reports/links?said=before", status_code=303)
        address = f"{self._public_url}/shared/{token}"
        return await self._page(request, situation, staff, LinkForm(), made=outcome, address=address)

    async def revoke(self, situation_id: UUID, link_id: UUID, staff: Keeper) -> Response:
        """End a link; ending it again changes nothing."""
        await self._links.revoke(await self._situations.one(situation_id), link_id, by=staff.person_id)
        return RedirectResponse(f"/situations/{situation_id}/reports/links?said=revoked", status_code=303)

    async def open(self, request: Request, token: str) -> Response:
        """What the link opens. Opening it changes nothing and is not counted: mail scanners open every link."""
        link = await self._links.opened_by(token)
        situation = await self._situations.get(link.situation_id) if link else None
        if link is None or situation is None:
            return _gone(request)
        report = await self._shared(link, situation)
        locale: Locale = request.state.locale
        html = await self._reports.form(report, ReportForm.HTML, locale) if report else b""
        response = pages_of(request).page(
            request,
            "shared_report.html",
            realm=link.realm,
            report=report,
            name=(report or situation).names.of(locale),
            article=Markup(html.decode()),  # noqa: S704 - rendered with escaping when it was frozen
            forms=[form.value for form in files()],
            newest=link.number is None,
            expires_at=link.expires_at,
        )
        response.headers["x-robots-tag"] = "noindex"
        return response

    async def file(self, request: Request, token: str, form: str) -> Response:
        """The same as a file."""
        link = await self._links.opened_by(token)
        situation = await self._situations.get(link.situation_id) if link else None
        report = await self._shared(link, situation) if link and situation else None
        wanted = find_file(form)
        if report is None or wanted is None:
            return _gone(request)
        locale: Locale = request.state.locale
        return Response(await self._reports.form(report, wanted, locale), headers=headers(report, wanted, locale))

    async def _shared(self, link: Link, situation: Situation) -> Report | None:
        if link.number is None:
            return await self._reports.newest(situation)
        return await self._reports.get(situation, link.number)

    async def _page(
        self,
        request: Request,
        situation: Situation,
        staff: Staff,
        form: LinkForm,
        *,
        flaws: Sequence[Flaw] = (),
        **values: Any,
    ) -> Response:
        locale: Locale = request.state.locale
        _ = texts(locale)
        numbers = [report.number for report in await self._reports.list_all(situation)]
        said = values.pop("said", "")
        return pages_of(request).page(
            request,
            "report_links.html",
            realm=situation.realm,
            situation=situation,
            name=situation.names.of(locale),
            form=form,
            **wrong_with((FLAWS[flaw] for flaw in flaws), locale),
            said=_(SAID[said]) if said in SAID else "",
            links=await self._links.list_all(situation),
            now=self._clock.now(),
            may_make=staff.may(Role.LIAISON) and not staff.limited,
            choices=[
                (NEWEST, _("Always the newest report")),
                *((str(number), _("Report %(number)s") % {"number": number}) for number in numbers),
            ],
            lifetimes=[(str(hours), _lifetime(hours, locale)) for hours in LIFETIMES],
            purpose_length=PURPOSE_LENGTH,
            **{"address": "", "made": None, **values},
        )


def _gone(request: Request) -> Response:
    """What unknown, expired and revoked links open alike."""
    response = pages_of(request).page(request, "shared_gone.html", status=HTTPStatus.NOT_FOUND)
    response.headers["x-robots-tag"] = "noindex"
    return response


def _lifetime(hours: int, locale: Locale) -> str:
    ngettext = catalogue(locale).ngettext
    if hours < 24:
        return ngettext("%(num)s hour", "%(num)s hours", hours) % {"num": hours}
    return ngettext("%(num)s day", "%(num)s days", hours // 24) % {"num": hours // 24}


def _number(text: str) -> int | None:
    digits = text.strip()
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 6 else None
