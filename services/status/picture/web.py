"""Pages: the situation picture, complete without a script, and the associations of one municipality."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from markupsafe import Markup
from starlette.responses import Response

from services.status.answer.model import channel_names
from services.status.attention.store import AttentionStore
from services.status.geography.store import GeographyStore
from services.status.network.store import NetworkStore
from services.status.picture.model import NEWEST_CHANGES, RECENT, STATE_NAMES, Change, crossed, picture_of
from services.status.picture.picture_html import picture_html
from services.status.picture.store import LIST_PAGE, PictureStore
from services.status.readiness.model import Dimension, State
from services.status.rehearsal.model import BREAKS_OFF
from services.status.rehearsal.store import RunningExercises
from services.status.round.model import PHASE_NAMES, next_reminder, phase
from services.status.situation.model import KIND_NAMES, Situation
from services.status.situation.store import SituationStore
from services.status.timeline.store import TimelineStore
from shared import region
from shared.clock import Clock
from shared.i18n import N_, Locale, texts
from shared.identity import NotAllowedError, Role, Staff, Within, names_within, requires
from shared.web import Pages, TroubleError, pages_of

UPDATES = 5
"""The newest updates of the timeline on the picture's page."""

AnyStaff = Annotated[Staff, Depends(requires())]

DIMENSION_NAMES = {
    Dimension.MUNICIPALITY: N_("Municipality"),
    Dimension.SUB_REGION: N_("Sub-region"),
    Dimension.REGION: N_("Region"),
    Dimension.SECTOR: N_("Sector"),
    Dimension.NETWORK: N_("Network"),
    Dimension.CAPABILITY: N_("Capability"),
}
NAMED: Mapping[Dimension, Sequence[region.Named]] = {
    Dimension.MUNICIPALITY: region.MUNICIPALITIES,
    Dimension.SUB_REGION: region.SUB_REGIONS,
    Dimension.REGION: (region.REGION,),
    Dimension.SECTOR: region.SECTORS,
    Dimension.CAPABILITY: region.CAPABILITIES,
}

SAID = {
    "opened": N_("The situation is open. Next, ask the associations."),
    "changed": N_("The situation was changed."),
    "asked": N_("The associations are being asked. Answers appear here as they come."),
    "closed": N_("The situation is closed. The picture stays as it was at the end."),
}


class PicturePages:
    """The pages of this topic."""

    def __init__(
        self,
        store: PictureStore,
        situations: SituationStore,
        *,
        networks: NetworkStore,
        timeline: TimelineStore,
        geography: GeographyStore,
        attention: AttentionStore,
        running: RunningExercises,
        pages: Pages,
        clock: Clock,
    ) -> None:
        self._store = store
        self._geography = geography
        self._attention = attention
        self._situations = situations
        self._networks = networks
        self._running = running
        self._timeline = timeline
        self._pages = pages
        self._clock = clock

    def router(self) -> APIRouter:
        """All routes of this topic but the live one."""
        router = APIRouter()
        router.add_api_route("/situations/{situation_id:uuid}", self.show, methods=["GET"])
        router.add_api_route("/situations/{situation_id:uuid}/crossed", self.cross, methods=["GET"])
        router.add_api_route("/situations/{situation_id:uuid}/{municipality}", self.list_associations, methods=["GET"])
        return router

    async def fragment(self, situation_id: UUID, locale: Locale, within: Within) -> str:
        """The part of the page that is kept live, as it is now, for those who may see so much by name."""
        return await self._fragment(await self._situations.one(situation_id), locale, within)

    async def show(
        self,
        request: Request,
        situation_id: UUID,
        staff: AnyStaff,
        since: str = "",
        said: str = "",
        view: str = "",
    ) -> Response:
        """The picture. `since` adds what changed after that moment; what stands in `said` is acknowledged; the `view`
        "wall" is for a screen that is read from across the room."""
        situation = await self._situations.one(situation_id)
        now = self._clock.now()
        looked = moment_of(since)
        rounds = await self._situations.rounds(situation)
        locale: Locale = request.state.locale
        _ = texts(locale)
        return pages_of(request).page(
            request,
            "picture_wall.html" if view == "wall" else "picture.html",
            realm=situation.realm,
            situation=situation,
            name=situation.names.of(locale),
            kind=_(KIND_NAMES[situation.kind]),
            said=_(SAID[said]) if said in SAID else "",
            fragment=Markup(await self._fragment(situation, locale, names_within(staff))),  # noqa: S704 - rendered with escaping just now
            geography=await self._geography.get(),
            live=f"/situations/{situation.id}/live?{urlencode({'lang': locale})}",
            refresh=f"?{urlencode({'since': now.isoformat()})}",
            looked=looked,
            changes=await self._changes(situation, looked, names_within(staff)),
            newest_changes=NEWEST_CHANGES,
            states=_state_names(locale),
            municipality_names=_municipality_names(locale),
            updates=await self._timeline.newest(situation, UPDATES),
            rounds=rounds,
            phases={round_.id: _(PHASE_NAMES[phase(round_, now)]) for round_ in rounds},
            next_reminders={round_.id: next_reminder(round_) for round_ in rounds},
            running=await self._running.now() if situation.realm.live and staff.may(*BREAKS_OFF) else [],
            may_ask=situation.closed_at is None and staff.may(Role.LIAISON),
            may_change=situation.closed_at is None and staff.may(Role.LIAISON, Role.ADMINISTRATOR),
        )

    async def cross(
        self, request: Request, situation_id: UUID, _staff: AnyStaff, rows: str = "", columns: str = "", state: str = ""
    ) -> Response:
        """Any two dimensions crossed; each cell counts those in a state, or how many of those asked answered."""
        situation = await self._situations.one(situation_id)
        down, across = _dimension(rows, Dimension.SUB_REGION), _dimension(columns, Dimension.SECTOR)
        wanted = State(state) if state in State._value2member_map_ else None
        cells = crossed(await self._store.counts(situation), down, across)
        locale: Locale = request.state.locale
        _ = texts(locale)
        networks = await self._networks.names(locale)
        return pages_of(request).page(
            request,
            "crossed.html",
            realm=situation.realm,
            situation=situation,
            name=situation.names.of(locale),
            dimensions=[(key.value, _(label)) for key, label in DIMENSION_NAMES.items()],
            down=down,
            across=across,
            rows=_keys(down, {row for row, _column in cells}, locale, networks),
            columns=_keys(across, {column for _row, column in cells}, locale, networks),
            cells=cells,
            state=wanted,
            states=_state_names(locale),
            seen_at=self._clock.now(),
        )

    async def list_associations(
        self,
        request: Request,
        situation_id: UUID,
        municipality: str,
        staff: AnyStaff,
        state: str = "",
        page: str = "1",
    ) -> Response:
        """The associations of a municipality by name, with their states; `state` narrows."""
        situation = await self._situations.one(situation_id)
        if municipality not in _municipality_names(Locale.FI):
            raise TroubleError(HTTPStatus.NOT_FOUND, N_("There is no such municipality in the region."))
        if not (staff.sees(municipality) or staff.networks):
            raise NotAllowedError
        wanted = State(state) if state in State._value2member_map_ else None
        number = max(int(page), 1) if page.isdecimal() and len(page) < 6 else 1
        listed, total = await self._store.listed(
            situation, municipality, state=wanted, page=number, within=names_within(staff)
        )
        locale: Locale = request.state.locale
        return pages_of(request).page(
            request,
            "associations.html",
            realm=situation.realm,
            situation=situation,
            name=situation.names.of(locale),
            municipality=region.municipality(municipality).name(locale),
            listed=listed,
            total=total,
            number=number,
            pages=max(1, -(-total // LIST_PAGE)),
            state=wanted,
            states=_state_names(locale),
            channels=channel_names(locale),
            may_pin=situation.closed_at is None and staff.may(Role.LIAISON) and not staff.limited,
            sectors={sector.code: sector.name(locale) for sector in region.SECTORS},
        )

    async def _fragment(self, situation: Situation, locale: Locale, within: Within) -> str:
        now = self._clock.now()
        glance = await self._store.glance(situation, since=now - RECENT, within=within)
        geography = await self._geography.get()
        calls = await self._attention.calls(situation.realm, situation.id) if situation.closed_at is None else []
        return picture_html(self._pages, locale, picture_of(situation, glance, now), geography=geography, calls=calls)

    async def _changes(self, situation: Situation, looked: datetime | None, within: Within) -> Sequence[Change]:
        return await self._store.changes(situation, since=looked, within=within) if looked else ()


def _dimension(text: str, otherwise: Dimension) -> Dimension:
    return next((dimension for dimension in DIMENSION_NAMES if dimension == text), otherwise)


def _keys(
    dimension: Dimension, occurring: set[str], locale: Locale, networks: Mapping[str, str]
) -> list[tuple[str, str]]:
    """The keys of a dimension that occur, in the region's own order, with their names."""
    if dimension is Dimension.NETWORK:
        return sorted(((code, networks.get(code, code)) for code in occurring), key=lambda one: one[1].casefold())
    own = NAMED.get(dimension, ())
    named = [(one.code, one.name(locale)) for one in own if one.code in occurring]
    unnamed = sorted(occurring - {code for code, _name in named})
    return [*named, *((code, code) for code in unnamed)]


def moment_of(text: str) -> datetime | None:
    """The moment that an address names, or None if it names none. Without a time zone it is UTC."""
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _state_names(locale: Locale) -> dict[State, str]:
    _ = texts(locale)
    return {state: _(name) for state, name in STATE_NAMES.items()}


def _municipality_names(locale: Locale) -> dict[str, str]:
    return {place.code: place.name(locale) for place in region.MUNICIPALITIES}
