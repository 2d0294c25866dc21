"""Capabilities pages: who can do what, and where; on the screen and as CSV."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from services.intake.capabilities.model import Able, Standing
from services.intake.capabilities.store import CapabilityStore, Situation
from services.intake.registry.model import Wanted
from shared import region
from shared.events.intake import OperatingStatus
from shared.i18n import N_, Locale, moment, texts
from shared.identity import Role, Staff, requires
from shared.realm import LIVE
from shared.spreadsheet import csv_bytes
from shared.web import pages_of

Anybody = Annotated[Staff, Depends(requires())]
SEES_CONTACTS = (Role.LIAISON, Role.CLERK, Role.ADMINISTRATOR)
SHOWN = 200

STANDINGS = {
    Standing.OFFERED: ("normal", N_("Offers it now")),
    Standing.OPERATING: ("info", N_("Operates; did not say")),
    Standing.OUT_OF_DATE: ("stale", N_("Answer out of date")),
    Standing.NO_ANSWER: ("not_answered", N_("No answer")),
    Standing.NOT_ASKED: ("not_asked", N_("Not asked")),
    Standing.SUSPENDED: ("suspended", N_("Suspended")),
}
STATUSES = {
    OperatingStatus.NORMAL: N_("Operates normally"),
    OperatingStatus.LIMITED: N_("Operates in part"),
    OperatingStatus.SUSPENDED: N_("Suspended"),
}


@dataclass(frozen=True)
class Asked:
    """What the address asks for."""

    capability: str
    area: str
    least: int
    situation: Situation | None

    @property
    def query(self) -> str:
        """The same as the query of an address."""
        situation = str(self.situation.situation_id) if self.situation else "none"
        return urlencode(
            {"capability": self.capability, "area": self.area, "least": self.least, "situation": situation}
        )

    def wanted(self, staff: Staff) -> Wanted:
        """The area, of what this person may see. An unknown one holds nobody."""
        municipal = self.area.isdecimal()
        return Wanted(
            municipality=self.area if municipal else "",
            sub_region="" if municipal else self.area,
            within=staff.municipalities,
            of=staff.networks,
        )


def pages(store: CapabilityStore) -> APIRouter:
    """Who can do what."""
    router = APIRouter()

    @router.get("/who-can")
    async def who_can(request: Request, staff: Anybody) -> Response:
        """The page: without a capability only the question."""
        situations = await store.situations()
        asked = _asked(request, situations)
        found = await _found(store, asked, staff)
        locale: Locale = request.state.locale
        _ = texts(locale)
        return pages_of(request).page(
            request,
            "who_can.html",
            realm=asked.situation.realm if asked.situation else LIVE,
            asked=asked,
            found=found[:SHOWN],
            count=len(found),
            now=sum(one.standing in {Standing.OFFERED, Standing.OPERATING} for one in found),
            standings={key.value: (mark, _(label)) for key, (mark, label) in STANDINGS.items()},
            statuses={key.value: _(label) for key, label in STATUSES.items()},
            sees_contacts=staff.may(*SEES_CONTACTS),
            names=region.names(locale),
            capabilities=[("", _("Choose")), *region.options(region.CAPABILITIES, locale)],
            areas=[
                ("", _("Whole region")),
                *region.options(region.SUB_REGIONS, locale),
                *region.options(region.MUNICIPALITIES, locale),
            ],
            situations=[
                *((str(one.situation_id), _situation_name(one, locale)) for one in situations),
                ("none", _("No situation, the register only")),
            ],
        )

    @router.get("/who-can.csv")
    async def as_csv(request: Request, staff: Anybody) -> Response:
        """The same list, whole, for a spreadsheet."""
        asked = _asked(request, await store.situations())
        found = await _found(store, asked, staff)
        table = _csv(asked, found, request.state.locale, contacts=staff.may(*SEES_CONTACTS))
        headers = {"content-disposition": 'attachment; filename="who-can.csv"'}
        return Response(table, media_type="text/csv; charset=utf-8", headers=headers)

    return router


async def _found(store: CapabilityStore, asked: Asked, staff: Staff) -> Sequence[Able]:
    if not asked.capability:
        return []
    area = asked.wanted(staff)
    return await store.who_can(asked.capability, area, least=asked.least, situation=asked.situation)


def _asked(request: Request, situations: Sequence[Situation]) -> Asked:
    """What is asked; the newest real situation unless another, or none, is chosen."""
    query = request.query_params
    capability, least = query.get("capability", ""), query.get("least", "")
    known = {one.code for one in region.CAPABILITIES}
    places = {one.code for one in (*region.MUNICIPALITIES, *region.SUB_REGIONS)}
    chosen = query.get("situation", "")
    by_id = {str(one.situation_id): one for one in situations}
    live = next((one for one in situations if one.realm.live), None)
    return Asked(
        capability=capability if capability in known else "",
        area=query.get("area", "") if query.get("area", "") in places else "",
        least=max(1, int(least)) if least.isdecimal() and least.isascii() and len(least) < 8 else 1,
        situation=by_id.get(chosen, live) if chosen != "none" else None,
    )


def _situation_name(situation: Situation, locale: Locale) -> str:
    name = situation.names.get(locale.lang) or situation.names.get(Locale.FI) or next(iter(situation.names.values()))
    return name if situation.realm.live else f"{texts(locale)(N_('EXERCISE:'))} {name}"


def _csv(asked: Asked, found: Sequence[Able], locale: Locale, *, contacts: bool) -> bytes:
    _ = texts(locale)
    heading = [_("Name"), _("Municipality"), _("How many"), _("Note")]
    heading += [_("Now"), _("Status"), _("Until"), _("Answered")] if asked.situation else []
    heading += [_("Contact"), _("Phone"), _("Best reached")] if contacts else []
    return csv_bytes([heading, *(_cells(one, asked, locale, contacts=contacts) for one in found)])


def _cells(one: Able, asked: Asked, locale: Locale, *, contacts: bool) -> list[str]:
    _ = texts(locale)
    cells = [one.name, region.names(locale).get(one.municipality, ""), str(one.known_amount or ""), one.note]
    if asked.situation and one.standing:
        answered = one.answered
        cells.append(_(STANDINGS[one.standing][1]))
        cells.append(_(STATUSES[answered.status]) if answered else "")
        cells.append(moment(answered.until, locale) if answered and answered.until else "")
        cells.append(moment(answered.at, locale) if answered else "")
    if contacts:
        person = one.contact
        cells += [person.name, person.phone, person.best_time] if person else ["", "", ""]
    return cells
