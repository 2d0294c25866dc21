"""API: the picture for the systems of partners, each with a key of its own, as JSON and as GeoJSON."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends, FastAPI, Path, Query, Request
from pydantic import StringConstraints
from starlette.responses import JSONResponse, Response

from services.status.aid.model import Course, Side
from services.status.aid.store import AidStore
from services.status.capability.store import CapabilityStore
from services.status.network.store import NetworkStore
from services.status.partner.json_values import (
    AbleList,
    AidList,
    CellValue,
    CourseValue,
    CrossedValue,
    FeatureCollection,
    FeatureValue,
    LineValue,
    PictureValue,
    ReportList,
    SituationList,
    Value,
    able_value,
    aid_value,
    counts_value,
    coverage_value,
    line_value,
    names_of,
    report_value,
    round_value,
    situation_value,
    update_value,
)
from services.status.partner.store import PartnerStore
from services.status.picture.model import Line, crossed, picture_of
from services.status.picture.store import PictureStore
from services.status.readiness.model import Dimension
from services.status.report.store import ReportStore
from services.status.situation.model import ALL_MUNICIPALITIES, Situation
from services.status.situation.store import NoSuchSituationError, SituationStore
from services.status.timeline.store import TimelineStore
from shared import region
from shared.clock import Clock
from shared.identity import Within
from shared.partner_api import Keys, answers, partner_app
from shared.partner_keys import Partner, Scope
from shared.problems import ProblemError, as_problem

BASE = "/api/v1/status"
UPDATES = 100
KEPT_FOR = timedelta(seconds=5)
"""A body is made anew after this time in any case, so that a lost word delays and never deceives."""
KEPT = 200
"""Bodies kept at a time, of whichever situations are asked for."""

CROSSED = frozenset(Dimension) - {Dimension.DECLINED, Dimension.CAPABILITY_AREA}

Page = Annotated[int, Query(ge=1, le=10_000)]
CapabilityCode = Annotated[str, StringConstraints(pattern=r"^[a-z-]{1,40}$")]
MunicipalityCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{3}$")]
NetworkCode = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_.-]{0,60}$")]
SituationId = Annotated[UUID, Path()]
Shapes = Callable[[], Awaitable[Mapping[str, Mapping[str, Any]]]]
"""Where municipalities lie: GeoJSON geometries by code, as far as they are known."""


async def no_shapes() -> Mapping[str, Mapping[str, Any]]:
    """No boundaries are known."""
    return {}


class GeoJsonResponse(JSONResponse):
    """A response of GeoJSON."""

    media_type = "application/geo+json"


@dataclass(frozen=True)
class Body:
    """An encoded body, its tag, and when it was made. The tag is of what it says, not of when it was asked."""

    content: bytes
    tag: str
    made_at: datetime


class Kept:
    """Bodies that everybody with a key reads alike, made once for all until something is written."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._bodies: dict[tuple[UUID, str], Body] = {}

    def look_again(self) -> None:
        """Something was written: what is kept may not be so any more."""
        self._bodies.clear()

    async def body(self, key: tuple[UUID, str], make: Callable[[], Awaitable[tuple[Value, object]]]) -> Body:
        """The body under this key; `make` gives the value, and the part of it by which it is told from another."""
        now, kept = self._clock.now(), self._bodies.get(key)
        if kept is not None and now - kept.made_at < KEPT_FOR:
            return kept
        value, what = await make()
        tag = hashlib.sha256(repr(what).encode()).hexdigest()[:32]
        body = Body(value.model_dump_json().encode(), f'"{tag}"', now)
        if len(self._bodies) >= KEPT:
            self._bodies.clear()
        self._bodies[key] = body
        return body


@dataclass(frozen=True)
class Sources:
    """Where the API reads."""

    situations: SituationStore
    pictures: PictureStore
    networks: NetworkStore
    capabilities: CapabilityStore
    aid: AidStore
    reports: ReportStore
    timeline: TimelineStore
    clock: Clock
    shapes: Shapes = no_shapes


def api(store: PartnerStore, sources: Sources, kept: Kept) -> FastAPI:
    """The application at BASE, with its own errors and its own document; it reads no cookie."""
    app = partner_app("Valmius: the picture", BASE)
    app.add_exception_handler(NoSuchSituationError, _no_such_situation)
    keys = Keys(store.partner)
    app.state.keys = keys
    _add_situations(app, sources, keys)
    _add_pictures(app, sources, keys, kept)
    _add_names(app, sources, keys)
    return app


async def _no_such_situation(_request: Request, _error: Exception) -> Response:
    return as_problem(HTTPStatus.NOT_FOUND, "There is no such situation.")


def _add_situations(app: FastAPI, sources: Sources, keys: Keys) -> None:
    reading = [Depends(keys.wants(Scope.PICTURE_READ))]

    @app.get("/situations", operation_id="listSituations", responses=answers(), dependencies=reading)
    async def situations(
        state: Annotated[Literal["open", "closed", "all"], Query()] = "open",
    ) -> SituationList:
        """The situations, those of exercises included. Scope `picture:read`."""
        found = await sources.situations.list_all()
        wanted = [one for one in found if state in ("all", "closed" if one.closed_at else "open")]
        return SituationList(items=tuple(map(situation_value, wanted)))

    @app.get(
        "/situations/{situation_id}",
        operation_id="getSituation",
        responses=answers(HTTPStatus.NOT_FOUND),
        dependencies=reading,
    )
    async def situation(situation_id: SituationId) -> CourseValue:
        """One situation with its rounds and its newest updates. Scope `picture:read`."""
        found = await sources.situations.one(situation_id)
        now = sources.clock.now()
        return CourseValue(
            situation=situation_value(found),
            rounds=tuple(round_value(one, now) for one in await sources.situations.rounds(found)),
            updates=tuple(map(update_value, await sources.timeline.newest(found, UPDATES))),
        )

    @app.get(
        "/situations/{situation_id}/reports",
        operation_id="listReports",
        responses=answers(HTTPStatus.NOT_FOUND),
        dependencies=reading,
    )
    async def reports(situation_id: SituationId) -> ReportList:
        """The situation reports that were made. Scope `picture:read`."""
        found = await sources.situations.one(situation_id)
        return ReportList(items=tuple(map(report_value, await sources.reports.list_all(found))))


def _add_pictures(app: FastAPI, sources: Sources, keys: Keys, kept: Kept) -> None:
    reading = [Depends(keys.wants(Scope.PICTURE_READ))]
    unchanged: dict[int | str, dict[str, Any]] = {304: {"description": "As under the tag in If-None-Match"}}
    may_be = {**unchanged, **answers(HTTPStatus.NOT_FOUND)}

    @app.get(
        "/situations/{situation_id}/picture",
        operation_id="getPicture",
        response_model=PictureValue,
        responses=may_be,
        dependencies=reading,
    )
    async def picture(request: Request, situation_id: SituationId) -> Response:
        """The figures with their coverage and age. Ask again with `If-None-Match`: 304 while no figure has changed.
        Scope `picture:read`."""
        found = await sources.situations.one(situation_id)
        body = await kept.body((found.id, "picture"), lambda: _picture(sources, found))
        return _told(request, body, "application/json")

    @app.get(
        "/situations/{situation_id}/municipalities.geojson",
        operation_id="getMunicipalities",
        response_model=FeatureCollection,
        response_class=GeoJsonResponse,
        responses=may_be,
        dependencies=reading,
    )
    async def municipalities(request: Request, situation_id: SituationId) -> Response:
        """The municipalities as features, with the same figures. Scope `picture:read`."""
        found = await sources.situations.one(situation_id)
        body = await kept.body((found.id, "geojson"), lambda: _features(sources, found))
        return _told(request, body, GeoJsonResponse.media_type)

    @app.get(
        "/situations/{situation_id}/crossed",
        operation_id="crossDimensions",
        responses=answers(HTTPStatus.NOT_FOUND),
        dependencies=reading,
    )
    async def cross(situation_id: SituationId, rows: Dimension, columns: Dimension) -> CrossedValue:
        """Any two dimensions crossed; pairs that do not occur are left out. Scope `picture:read`."""
        if not {rows, columns} <= CROSSED:
            raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "This dimension cannot be crossed.")
        found = await sources.situations.one(situation_id)
        cells = crossed(await sources.pictures.counts(found), rows, columns)
        return CrossedValue(
            rows=rows,
            columns=columns,
            figures_at=sources.clock.now(),
            cells=tuple(
                CellValue(row=row, column=column, counts=counts_value(line), coverage=coverage_value(line))
                for (row, column), line in sorted(cells.items())
            ),
        )


def _add_names(app: FastAPI, sources: Sources, keys: Keys) -> None:
    Reader = Annotated[Partner, Depends(keys.wants(Scope.PICTURE_READ))]  # noqa: N806 - a type

    @app.get("/situations/{situation_id}/who-can", operation_id="whoCan", responses=answers(HTTPStatus.NOT_FOUND))
    async def who_can(
        reader: Reader,
        situation_id: SituationId,
        capability: CapabilityCode,
        municipality: Annotated[list[MunicipalityCode] | None, Query(max_length=50)] = None,
        network: NetworkCode = "",
        page: Page = 1,
    ) -> AbleList:
        """Who can still do it, now, of those that the key may see, by 50 a page. Scope `picture:read`."""
        found = await sources.situations.one(situation_id)
        listed, ability = await sources.capabilities.able(
            found,
            capability,
            [code for code in municipality if code in ALL_MUNICIPALITIES] if municipality else ALL_MUNICIPALITIES,
            network=network,
            page=page,
            within=_within(reader),
        )
        return AbleList(
            figures_at=sources.clock.now(),
            can=ability.can,
            cannot=ability.cannot,
            not_known=ability.not_known,
            page=page,
            items=tuple(map(able_value, listed)),
        )

    @app.get("/situations/{situation_id}/aid", operation_id="listAid", responses=answers(HTTPStatus.NOT_FOUND))
    async def aid(
        reader: Reader,
        situation_id: SituationId,
        side: Side = Side.NEED,
        course: Course = Course.OPEN,
        page: Page = 1,
    ) -> AidList:
        """Needs or offers of those that the key may see, by 50 a page. Scope `picture:read`."""
        found = await sources.situations.one(situation_id)
        listed, total = await sources.aid.listed(
            found.realm, found.id, side, courses=(course,), capability="", page=page, within=_within(reader)
        )
        return AidList(total=total, page=page, items=tuple(map(aid_value, listed)))


def _within(reader: Partner) -> Within:
    return reader.sight if reader.sight.limited else None


def _told(request: Request, body: Body, media_type: str) -> Response:
    headers = {"etag": body.tag, "cache-control": "private, no-cache"}
    known = {tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")}
    if body.tag in known:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return Response(body.content, media_type=media_type, headers=headers)


async def _picture(sources: Sources, situation: Situation) -> tuple[PictureValue, object]:
    now = sources.clock.now()
    glance = await sources.pictures.glance(situation, since=now)
    shown = picture_of(situation, glance, now)
    networks = {network.code: network.names for network in await sources.networks.list_all()}
    lines: dict[str, dict[Any, int]] = {}
    for key, count in sorted(glance.tallies.items()):
        if key.dimension is Dimension.NETWORK:
            lines.setdefault(key.key, {})[key.state] = count

    def named(lines: Mapping[str, Line], things: Sequence[region.Named]) -> tuple[LineValue, ...]:
        return tuple(line_value(lines[thing.code], names_of(thing)) for thing in things)

    value = PictureValue(
        situation=situation_value(situation),
        figures_at=now,
        newest=shown.newest,
        declined=shown.declined,
        region=line_value(shown.whole, names_of(region.REGION)),
        municipalities=named(shown.municipalities, region.MUNICIPALITIES),
        sub_regions=named(shown.sub_regions, region.SUB_REGIONS),
        sectors=named(shown.sectors, region.SECTORS),
        capabilities=named(shown.capabilities, region.CAPABILITIES),
        networks=tuple(line_value(Line(code, counts), networks.get(code, {})) for code, counts in lines.items()),
    )
    return value, value.model_copy(update={"figures_at": None})


async def _features(sources: Sources, situation: Situation) -> tuple[FeatureCollection, object]:
    picture, _what = await _picture(sources, situation)
    shapes = await sources.shapes()
    features = tuple(
        FeatureValue(id=line.code, geometry=shapes.get(line.code), properties=line) for line in picture.municipalities
    )
    value = FeatureCollection(features=features)
    return value, value
