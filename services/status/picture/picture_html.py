"""Format: the picture as the part of the page that is kept live; the same for everybody who reads in one language."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.status.attention.model import Watched, rule_names
from services.status.geography.model import Geography
from services.status.picture.model import FACE_NAMES, LIVE_CHANGES, STATE_NAMES, Picture
from services.status.picture.trend_svg import BAND_NAMES, BANDS, draw
from services.status.readiness.model import Face, State
from shared import region
from shared.i18n import Locale, number, texts
from shared.web import Pages

FIGURES = (
    State.NORMAL,
    State.LIMITED,
    State.SUSPENDED,
    State.STALE,
    State.NOT_ANSWERED,
    State.UNDELIVERABLE,
    State.NOT_ASKED,
)
ROWS, COLUMNS = 3, 4


@dataclass(frozen=True)
class Band:
    """One band of the trend, or one part of a bar, as the macros take it."""

    state: str
    label: str
    count: int
    points: str = ""


@dataclass(frozen=True)
class Part:
    """One line of a legend."""

    state: str
    label: str


MAP_FILLS = {Face.NORMAL: "normal", Face.LIMITED: "limited", Face.SUSPENDED: "suspended", Face.UNKNOWN: "silent"}
"""The pattern with which a municipality is filled on the map."""


def picture_html(
    pages: Pages,
    locale: Locale,
    picture: Picture,
    *,
    geography: Geography | None = None,
    calls: Sequence[Watched] = (),
) -> str:
    """The fragment `_picture.html`, filled. The map uses shapes that stand elsewhere in the page."""
    _ = texts(locale)
    trend = draw(picture.trend, start=picture.trend_from, end=picture.trend_to)
    bands = [Band(area.state, _(BAND_NAMES[area.state]), area.count, area.points) for area in trend.areas]
    return pages.fragment(
        locale,
        "_picture.html",
        picture=picture,
        situation=picture.situation,
        figures=FIGURES,
        states={state: _(name) for state, name in STATE_NAMES.items()},
        faces={face: _(name) for face, name in FACE_NAMES.items()},
        tiles=_tiles(),
        geography=geography,
        calls=calls,
        unanswered=[one for one in calls if not one.watch.quiet(picture.seen_at)],
        names=rule_names(locale),
        map_parts=[Part(MAP_FILLS[one], _(name)) for one, name in FACE_NAMES.items()],
        map_fills=MAP_FILLS,
        sub_regions=[
            (sub_region, [region.municipality(code) for code in sub_region.municipalities])
            for sub_region in region.SUB_REGIONS
        ],
        sectors=region.SECTORS,
        capabilities=[one for one in region.CAPABILITIES if picture.capabilities[one.code].counts],
        municipality_names={place.code: place.name(locale) for place in region.MUNICIPALITIES},
        region=region.REGION,
        bands=bands,
        band_names=[_(BAND_NAMES[name]) for name, _states in BANDS],
        trend=trend,
        up=[number(count, locale) for count in trend.up],
        newest_changes=LIVE_CHANGES,
    )


def _tiles() -> list[region.Municipality | None]:
    """The tile grid row by row; None where no municipality lies."""
    at = {place.tile: place for place in region.MUNICIPALITIES}
    return [at.get(region.Tile(row, column)) for row in range(1, ROWS + 1) for column in range(1, COLUMNS + 1)]
