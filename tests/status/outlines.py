"""Outlines for the tests of the map: the region as a row of squares, each beside the next."""

import json
from typing import Any

from services.status.geography.geojson import read_geography
from services.status.geography.model import Geography
from shared.region import MUNICIPALITIES

CODES = [place.code for place in MUNICIPALITIES]
ATTRIBUTION = "Borders: a surveyor"


def square(west: float, south: float = 61.0, size: float = 0.2) -> list[list[float]]:
    """A closed ring of longitudes and latitudes; its eastern side is the western side of the next."""
    east, north = round(west + size, 6), round(south + size, 6)
    return [[west, south], [east, south], [east, north], [west, north], [west, south]]


def feature(code: object, ring: object, *, name: str = "code", kind: str = "Polygon") -> dict[str, Any]:
    """One municipality of one ring."""
    coordinates = [[ring]] if kind == "MultiPolygon" else [ring]
    return {"type": "Feature", "properties": {name: code}, "geometry": {"type": kind, "coordinates": coordinates}}


def collection(*, name: str = "code", kind: str = "Polygon") -> dict[str, Any]:
    """The whole region, from west to east."""
    features = [
        feature(code, square(round(23 + number * 0.2, 6)), name=name, kind=kind) for number, code in enumerate(CODES)
    ]
    return {"type": "FeatureCollection", "features": features}


def row_of_squares() -> Geography:
    """The same, drawn."""
    return read_geography(json.dumps(collection()).encode(), attribution=ATTRIBUTION)
