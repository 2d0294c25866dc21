"""Pages: opening a round, with a look at how many will be asked before anybody is."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request
from pydantic import BaseModel, Field
from starlette.responses import RedirectResponse, Response

from services.status.association.model import Filter
from services.status.association.store import AssociationStore
from services.status.network.store import NetworkStore
from services.status.round.model import EVERY_HOURS, PHASE_NAMES, Recurrence, Series, phase, recur, reminder_times
from services.status.round.store import RoundStore
from services.status.situation.model import (
    ALL_MUNICIPALITIES,
    ALL_SECTORS,
    Flaw,
    Refused,
    Round,
    RoundDraft,
    Situation,
    open_round,
)
from services.status.situation.store import SituationStore
from shared import region
from shared.clock import Clock
from shared.form_errors import wrong_with
from shared.i18n import N_, Locale, catalogue, moment, texts
from shared.identity import Role, Staff, requires
from shared.ids import new_id
from shared.web import TroubleError, pages_of

AnyStaff = Annotated[Staff, Depends(requires())]
Liaison = Annotated[Staff, Depends(requires(Role.LIAISON))]
EVERY_SECTOR = "all"
ENDED = N_("It is asked no more. A round that is open takes answers until its end.")

FLAWS: dict[Flaw, tuple[str, str]] = {
    Flaw.NO_MUNICIPALITY: ("municipalities", N_("Choose at least one municipality, or the whole region.")),
    Flaw.NO_SECTOR: ("sectors", N_("Choose at least one sector, or all of them.")),
    Flaw.DEADLINE_OUT_OF_RANGE: ("hours", N_("Give the time to answer in hours, from 1 to 336.")),
    Flaw.REMINDERS_OUT_OF_RANGE: ("reminders", N_("Choose from none to three reminders.")),
    Flaw.RECURRENCE_OUT_OF_RANGE: (
        "begins",
        N_("Choose hours of the day in their order, from 7 to 21 unless it is urgent."),
    ),
    Flaw.NOBODY_ASKED: (
        "municipalities",
        N_("The registry has no association like that. Nobody was asked; choose more widely."),
    ),
    Flaw.SITUATION_CLOSED: ("municipalities", N_("The situation is closed. Nobody was asked.")),
}
"""The field and the sentence for each flaw."""


class RoundForm(BaseModel):
    """What a person chose. The id is made with the empty form, so that sending it twice asks once."""

    round_id: UUID = Field(default_factory=new_id)
    municipalities: list[str] = []
    sectors: list[str] = []
    networks: list[str] = []
    capabilities: list[str] = []
    urgent: bool = False
    reminders: str = "2"
    hours: str = "24"
    every: str = ""
    begins: str = "8"
    ends: str = "20"
    step: Literal["count", "confirm", "open", "back"] = "count"

    def draft(self) -> RoundDraft:
        """The same as the model takes it."""
        digits = self.hours.strip()
        return RoundDraft(
            Filter(
                ALL_MUNICIPALITIES if region.REGION.code in self.municipalities else tuple(self.municipalities),
                ALL_SECTORS if EVERY_SECTOR in self.sectors else tuple(self.sectors),
                networks=tuple(self.networks),
                capabilities=tuple(self.capabilities),
            ),
            urgent=self.urgent,
            reminders=int(self.reminders) if self.reminders.isdecimal() and len(self.reminders) < 3 else -1,
            hours=int(digits) if digits.isdecimal() and len(digits) < 5 else None,
        )

    @property
    def recurs(self) -> Recurrence | None:
        """How the round recurs, as far as it does; numbers that cannot be read become ones that cannot be."""
        every, begins, ends = (int(text) if text.isdecimal() and len(text) < 3 else -1 for text in self._hours)
        return Recurrence(every, begins, ends) if self.every else None

    @property
    def _hours(self) -> tuple[str, str, str]:
        return self.every.strip(), self.begins.strip(), self.ends.strip()


class RoundPages:
    """The pages of this topic."""

    def __init__(
        self,
        store: RoundStore,
        *,
        situations: SituationStore,
        associations: AssociationStore,
        networks: NetworkStore,
        clock: Clock,
    ) -> None:
        self._store = store
        self._situations = situations
        self._associations = associations
        self._networks = networks
        self._clock = clock

    def router(self) -> APIRouter:
        """All routes of this topic."""
        router = APIRouter()
        router.add_api_route("/situations/{situation_id:uuid}/rounds", self.list_all, methods=["GET"])
        router.add_api_route(
            "/situations/{situation_id:uuid}/rounds/series/{series_id:uuid}/end", self.end, methods=["POST"]
        )
        router.add_api_route("/situations/{situation_id:uuid}/rounds/new", self.form, methods=["GET"])
        router.add_api_route("/situations/{situation_id:uuid}/rounds/new", self.submit, methods=["POST"])
        return router

    async def list_all(self, request: Request, situation_id: UUID, staff: AnyStaff, said: str = "") -> Response:
        """The situation's rounds with what silence is called in each, and those that recur."""
        situation, now = await self._situations.one(situation_id), self._clock.now()
        locale: Locale = request.state.locale
        _ = texts(locale)
        rounds = await self._situations.rounds(situation)
        return pages_of(request).page(
            request,
            "rounds.html",
            realm=situation.realm,
            situation=situation,
            name=situation.names.of(locale),
            rounds=[(one, _(PHASE_NAMES[phase(one, now)])) for one in rounds],
            series=[(one, recurrence_told(one, locale)) for one in await self._store.series(situation)],
            said=_(ENDED) if said == "ended" else "",
            may_ask=situation.closed_at is None and staff.may(Role.LIAISON),
        )

    async def end(self, situation_id: UUID, series_id: UUID, _staff: Liaison) -> Response:
        """Have a round opened anew no more."""
        await self._store.end_series(await self._situations.one(situation_id), series_id)
        return RedirectResponse(f"/situations/{situation_id}/rounds?said=ended", status_code=303)

    async def form(self, request: Request, situation_id: UUID, _staff: Liaison) -> Response:
        """The form, with everybody chosen."""
        situation = await self._open_one(situation_id)
        form = RoundForm(municipalities=[region.REGION.code], sectors=[EVERY_SECTOR])
        return await self._form_page(request, situation, form)

    async def submit(
        self, request: Request, situation_id: UUID, staff: Liaison, form: Annotated[RoundForm, Form()]
    ) -> Response:
        """Show how many, ask to confirm, or open: as the pressed button says. Only opening changes anything."""
        situation = await self._open_one(situation_id)
        known = {network.code for network in await self._networks.list_all()}
        form.networks = [code for code in form.networks if code in known]
        if form.step == "back":
            return await self._form_page(request, situation, form)
        outcome = open_round(
            situation, form.draft(), round_id=form.round_id, opened_by=staff.person_id, now=self._clock.now()
        )
        if isinstance(outcome, Refused):
            return await self._form_page(request, situation, form, flaws=outcome.flaws)
        recurring = recur(outcome, form.recurs) if form.recurs else None
        if isinstance(recurring, Refused):
            return await self._form_page(request, situation, form, flaws=recurring.flaws)
        outcome, series = recurring or (outcome, None)
        if form.step == "open":
            return await self._open(request, situation, form, outcome, series)
        asked = await self._associations.count(outcome.asks)
        if form.step == "confirm" and asked:
            return await self._confirm_page(request, situation, form, outcome, series, asked=asked)
        flaws = (Flaw.NOBODY_ASKED,) if form.step == "confirm" else ()
        return await self._form_page(request, situation, form, flaws=flaws, asked=asked)

    async def _open(
        self, request: Request, situation: Situation, form: RoundForm, round_: Round, series: Series | None
    ) -> Response:
        opened = await self._store.open(situation, round_, series)
        if isinstance(opened, Refused):
            return await self._form_page(request, situation, form, flaws=opened.flaws)
        return RedirectResponse(f"/situations/{situation.id}?said=asked", status_code=303)

    async def _open_one(self, situation_id: UUID) -> Situation:
        situation = await self._situations.one(situation_id)
        if situation.closed_at is not None:
            raise TroubleError(HTTPStatus.CONFLICT, N_("The situation is closed. Nobody was asked."))
        return situation

    async def _form_page(
        self,
        request: Request,
        situation: Situation,
        form: RoundForm,
        *,
        flaws: Sequence[Flaw] = (),
        asked: int | None = None,
    ) -> Response:
        locale: Locale = request.state.locale
        _ = texts(locale)
        return pages_of(request).page(
            request,
            "round_form.html",
            realm=situation.realm,
            situation=situation,
            form=form,
            asked=asked,
            **wrong_with((FLAWS[flaw] for flaw in flaws), locale),
            whole_region=region.REGION,
            sub_regions=[
                (sub_region, [region.municipality(code) for code in sub_region.municipalities])
                for sub_region in region.SUB_REGIONS
            ],
            sectors=region.SECTORS,
            capabilities=region.CAPABILITIES,
            networks=await self._networks.options(request.state.locale),
            every_sector=EVERY_SECTOR,
            recurrences=[("", _("No, ask once")), *((str(hours), _every(hours, locale)) for hours in EVERY_HOURS)],
        )

    async def _confirm_page(
        self,
        request: Request,
        situation: Situation,
        form: RoundForm,
        round_: Round,
        series: Series | None,
        *,
        asked: int,
    ) -> Response:
        names = await self._networks.names(request.state.locale)
        return pages_of(request).page(
            request,
            "round_confirm.html",
            realm=situation.realm,
            situation=situation,
            form=form,
            round=round_,
            series=series,
            recurrence=recurrence_told(series, request.state.locale) if series else "",
            asked=asked,
            municipalities=[region.municipality(code) for code in round_.asks.municipalities],
            sectors=[region.sector(code) for code in round_.asks.sectors],
            capabilities=[region.capability(code) for code in round_.asks.capabilities],
            networks=[names.get(code, code) for code in round_.asks.networks],
            everywhere=round_.asks.municipalities == ALL_MUNICIPALITIES,
            reminders=reminder_times(round_),
            whole_region=region.REGION,
            every_sector=round_.asks.sectors == ALL_SECTORS,
        )


def recurrence_told(series: Series, locale: Locale) -> str:
    """How a round recurs, in words."""
    _ = texts(locale)
    recurs = series.recurs
    if recurs.every >= 24:
        told = _("%(often)s at %(begins)s o'clock") % {"often": _every(recurs.every, locale), "begins": recurs.begins}
    else:
        told = _("%(often)s from %(begins)s to %(ends)s o'clock") % {
            "often": _every(recurs.every, locale),
            "begins": recurs.begins,
            "ends": recurs.ends,
        }
    if series.ended_at is not None:
        return told
    following = _("Next %(time)s") % {"time": moment(series.next_at, locale)}
    return f"{told}. {following}"


def _every(hours: int, locale: Locale) -> str:
    ngettext = catalogue(locale).ngettext
    if hours < 24:
        return ngettext("Every %(num)s hour", "Every %(num)s hours", hours) % {"num": hours}
    return ngettext("Every day", "Every %(num)s days", hours // 24) % {"num": hours // 24}
