"""Format: outlines of municipalities as GeoJSON, read with every doubt (RFC 7946)."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from services.status.geography.model import Geography, Point, Ring, UnfitGeographyError, drawn
from shared import region

LARGEST_FILE = 30_000_000
"""Bytes. The whole of Finland at 1:1,000,000 has a third of it."""
MOST_POSITIONS = 400_000
LONGEST_ATTRIBUTION = 300

LONGITUDES, LATITUDES = (19.0, 32.0), (59.0, 70.5)
"""Where Finland lies."""
CODE_NAMES = ("code", "kunta", "natcode", "kuntakoodi", "kuntanumero", "kuntanro", "kunta_nro", "municipality", "id")
"""Properties that usually hold the municipality's code, in the order in which they are looked for."""
CODE = re.compile(r"(?:KU)?(\d{1,3})", re.IGNORECASE)
WGS84 = re.compile(r"CRS84|EPSG:{1,2}4326|WGS\s?84", re.IGNORECASE)


def read_geography(data: bytes, *, attribution: str, skip_others: bool = False) -> Geography:
    """The drawing of a FeatureCollection of polygons in longitude and latitude.

    Every municipality of the region must be there; others are refused, or left out with `skip_others`.
    Raises UnfitGeographyError.
    """
    attribution = " ".join(attribution.split())
    if not 0 < len(attribution) <= LONGEST_ATTRIBUTION:
        raise UnfitGeographyError(f"say whose data it is, in at most {LONGEST_ATTRIBUTION} characters")
    return drawn(_outlines(_collection(data), skip_others=skip_others), attribution=attribution)


def _collection(data: bytes) -> list[Mapping[str, Any]]:
    if len(data) > LARGEST_FILE:
        raise UnfitGeographyError(f"the file is larger than {LARGEST_FILE // 1_000_000} MB: take a coarser scale")
    try:
        document = json.loads(data.decode("utf-8-sig"), parse_constant=_no_number)
    except (UnicodeDecodeError, ValueError) as error:
        raise UnfitGeographyError(f"the file is not JSON: {error}") from error
    except RecursionError as error:
        raise UnfitGeographyError("the file is not GeoJSON: it is nested too deeply") from error
    if not isinstance(document, dict) or document.get("type") != "FeatureCollection":
        raise UnfitGeographyError('the file is not a GeoJSON "FeatureCollection"')
    _check_reference_system(document.get("crs"))
    features = document.get("features")
    if not isinstance(features, list) or not features:
        raise UnfitGeographyError("the collection has no features")
    if not all(isinstance(feature, dict) for feature in features):
        raise UnfitGeographyError("the collection holds something that is no feature")
    return features


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number")


def _check_reference_system(crs: Any) -> None:
    if crs is not None and not WGS84.search(json.dumps(crs)):
        raise UnfitGeographyError("the file says that it is not in WGS84: convert it to longitude/latitude (EPSG:4326)")


def _outlines(features: Sequence[Mapping[str, Any]], *, skip_others: bool) -> dict[str, list[Ring]]:
    known = {place.code: place for place in region.MUNICIPALITIES}
    codes = _codes(features)
    others = sorted(set(codes) - set(known))
    if others and not skip_others:
        raise UnfitGeographyError(f"not of this region: {_listed(others)}; --skip-others leaves them out")
    missing = [f"{place.fi} ({code})" for code, place in known.items() if code not in codes]
    if missing:
        raise UnfitGeographyError(f"the file lacks {_listed(missing)}")
    outlines: dict[str, list[Ring]] = {}
    positions = 0
    for code, feature in zip(codes, features, strict=True):
        if code in known:
            for ring in _rings(feature.get("geometry"), f"{known[code].fi} ({code})"):
                positions += len(ring)
                if positions > MOST_POSITIONS:
                    raise UnfitGeographyError(f"more than {MOST_POSITIONS} positions: take a coarser scale")
                outlines.setdefault(code, []).append(ring)
    return dict(sorted(outlines.items()))


def _codes(features: Sequence[Mapping[str, Any]]) -> list[str]:
    """The code of each feature, by the first of the usual properties that holds one in every feature, or by its id."""
    described = [_by_small_name(feature.get("properties")) for feature in features]
    for name in CODE_NAMES:
        found = [_code(properties.get(name)) for properties in described]
        codes = [code for code in found if code]
        if len(codes) == len(features):
            return codes
    codes = [code for code in (_code(feature.get("id")) for feature in features) if code]
    if len(codes) < len(features):
        raise UnfitGeographyError(f"no property holds a municipality code everywhere: one of {', '.join(CODE_NAMES)}")
    return codes


def _by_small_name(properties: Any) -> dict[str, Any]:
    return {str(name).lower(): value for name, value in properties.items()} if isinstance(properties, dict) else {}


def _code(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    found = CODE.fullmatch(str(value).strip())
    return found.group(1).zfill(3) if found else None


def _rings(geometry: Any, whose: str) -> Iterator[Ring]:
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if kind not in ("Polygon", "MultiPolygon"):
        raise UnfitGeographyError(f"{whose} has no Polygon or MultiPolygon")
    polygons = geometry.get("coordinates")
    polygons = [polygons] if kind == "Polygon" else polygons
    if not isinstance(polygons, list) or not polygons or not all(isinstance(one, list) and one for one in polygons):
        raise UnfitGeographyError(f"{whose} has no coordinates")
    for polygon in polygons:
        for ring in polygon:
            yield _ring(ring, whose)


def _ring(ring: Any, whose: str) -> Ring:
    if not isinstance(ring, list) or len(ring) < 4:
        raise UnfitGeographyError(f"{whose} has a ring of fewer than four positions")
    positions = [_position(position, whose) for position in ring]
    if positions[0] != positions[-1]:
        raise UnfitGeographyError(f"{whose} has an open ring: its last position is not its first")
    return [positions[0], *(after for before, after in pairwise(positions) if after != before)]


def _position(position: Any, whose: str) -> Point:
    if not isinstance(position, list) or len(position) < 2 or not all(map(_is_number, position[:2])):
        raise UnfitGeographyError(f"{whose} has a position that is not two numbers")
    x, y = float(position[0]), float(position[1])
    if abs(x) > 180 or abs(y) > 90:
        raise UnfitGeographyError(f"{whose} is not in longitude/latitude ({x:g}, {y:g}): convert it to EPSG:4326")
    if not (LONGITUDES[0] <= x <= LONGITUDES[1] and LATITUDES[0] <= y <= LATITUDES[1]):
        raise UnfitGeographyError(f"{whose} is not in Finland ({x:g}, {y:g}): longitude comes first, then latitude")
    return x, y


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e9


def _listed(words: Iterable[str]) -> str:
    every = list(words)
    return ", ".join(every[:5]) + (f" and {len(every) - 5} more" if len(every) > 5 else "")
