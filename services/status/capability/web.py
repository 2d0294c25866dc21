"""Pages: who can still do it, where, right now; the same as a file for a spreadsheet."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from services.status.capability.model import Ability, Able, Answer, answer
from services.status.capability.store import EXPORTED, LIST_PAGE, CapabilityStore
from services.status.network.store import NetworkStore
from services.status.picture.model import STATE_NAMES
from services.status.readiness.model import State
from services.status.situation.model import ALL_MUNICIPALITIES, Situation
from services.status.situation.store import SituationStore
from shared import region
from shared.clock import Clock
from shared.i18n import N_, Locale, moment, texts
from shared.identity import Staff, names_within, requires
from shared.spreadsheet import Cell, csv_bytes
from shared.web import TroubleError, pages_of

AnyStaff = Annotated[Staff, Depends(requires())]

ANSWER_NAMES = {
    Answer.CAN: N_("can now"),
    Answer.CANNOT: N_("cannot now"),
    Answer.NOT_KNOWN: N_("not known"),
}


@dataclass(frozen=True)
class Asked:
    """What the address asks: which capability, in which area (a municipality, a sub-region) and network, "" for all."""

    capability: str
    area: str
    network: str

    @property
    def municipalities(self) -> tuple[str, ...]:
        """The municipalities of the area."""
        for sub_region in region.SUB_REGIONS:
            if sub_region.code == self.area:
                return sub_region.municipalities
        return (self.area,) if self.area else ALL_MUNICIPALITIES


class CapabilityPages:
    """The pages of this topic."""

    def __init__(
        self, store: CapabilityStore, *, situations: SituationStore, networks: NetworkStore, clock: Clock
    ) -> None:
        self._store = store
        self._situations = situations
        self._networks = networks
        self._clock = clock

    def router(self) -> APIRouter:
        """All routes of this topic."""
        router = APIRouter()
        router.add_api_route("/situations/{situation_id:uuid}/who-can", self.show, methods=["GET"])
        router.add_api_route("/situations/{situation_id:uuid}/who-can.csv", self.export, methods=["GET"])
        return router

    async def show(self, request: Request, situation_id: UUID, staff: AnyStaff, page: str = "1") -> Response:
        """Those who have the capability, those who can now first; without one chosen, the question."""
        situation = await self._situations.one(situation_id)
        asked = _asked(request)
        number = max(1, int(page)) if page.isdecimal() and len(page) < 6 else 1
        listed: list[Able] = []
        ability: Ability | None = None
        if asked.capability:
            listed, ability = await self._store.able(
                situation,
                asked.capability,
                asked.municipalities,
                network=asked.network,
                page=number,
                within=names_within(staff),
            )
        total = ability.known + ability.not_known if ability else 0
        locale: Locale = request.state.locale
        _ = texts(locale)
        return pages_of(request).page(
            request,
            "who_can.html",
            realm=situation.realm,
            situation=situation,
            name=situation.names.of(locale),
            asked=asked,
            capabilities=[(one.code, one.name(locale)) for one in region.CAPABILITIES],
            areas=_areas(locale),
            networks=await self._networks.names(locale),
            all_networks=[("", _("All networks")), *await self._networks.options(locale)],
            listed=listed,
            ability=ability,
            answers={one.association_id: _(ANSWER_NAMES[answer(one.state)]) for one in listed},
            states={state: _(label) for state, label in STATE_NAMES.items()},
            municipalities={place.code: place.name(locale) for place in region.MUNICIPALITIES},
            seen_at=self._clock.now(),
            number=number,
            pages=max(1, -(-total // LIST_PAGE)),
            query=urlencode({"capability": asked.capability, "area": asked.area, "network": asked.network}),
        )

    async def export(self, request: Request, situation_id: UUID, staff: AnyStaff) -> Response:
        """The same as CSV, at most EXPORTED rows."""
        situation = await self._situations.one(situation_id)
        asked = _asked(request)
        if not asked.capability:
            raise TroubleError(HTTPStatus.UNPROCESSABLE_ENTITY, N_("Choose what must be done."))
        listed, _ability = await self._store.able(
            situation,
            asked.capability,
            asked.municipalities,
            network=asked.network,
            page=1,
            size=EXPORTED,
            within=names_within(staff),
        )
        networks = await self._networks.names(request.state.locale)
        body = csv_bytes(_rows(listed, situation, request.state.locale, networks))
        name = f"who-can-{asked.capability}-{self._clock.now():%Y%m%dT%H%MZ}.csv"
        headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
        return Response(body, media_type="text/csv; charset=utf-8", headers=headers)


def _asked(request: Request) -> Asked:
    query = request.query_params
    areas = {place.code for place in (*region.MUNICIPALITIES, *region.SUB_REGIONS)}
    capability, area = query.get("capability", ""), query.get("area", "")
    known = {one.code for one in region.CAPABILITIES}
    return Asked(
        capability if capability in known else "", area if area in areas else "", query.get("network", "")[:60]
    )


def _areas(locale: Locale) -> list[tuple[str, str]]:
    """The whole region, its sub-regions and its municipalities, as options."""
    places = [(place.code, place.name(locale)) for place in (*region.SUB_REGIONS, *region.MUNICIPALITIES)]
    return [("", texts(locale)(N_("The whole region"))), *places]


def _rows(listed: list[Able], situation: Situation, locale: Locale, networks: Mapping[str, str]) -> list[list[Cell]]:
    _ = texts(locale)
    heading: list[Cell] = [
        *(_("Association"), _("Municipality"), _("Now"), _("State"), _("Answered at")),
        *(_("Expects it to last until"), _("Offered amount"), _("In the register"), _("Networks")),
    ]
    places = {place.code: place.name(locale) for place in region.MUNICIPALITIES}
    rows: list[list[Cell]] = [
        [
            *(one.name, places.get(one.municipality, one.municipality)),
            *(_(ANSWER_NAMES[answer(one.state)]), _(STATE_NAMES[State(one.state)])),
            *(moment(at, locale) if at else "" for at in (one.reported_at, one.until)),
            *(one.amount, _("yes") if one.registered else _("no")),
            "; ".join(networks.get(code, code) for code in one.networks),
        ]
        for one in listed
    ]
    name = situation.names.of(locale)
    return [[name if situation.realm.live else f"{_('EXERCISE:')} {name}"], heading, *rows]
