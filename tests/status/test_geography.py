"""The map: a file of outlines is read or refused in plain words, kept once, and drawn with the figures of the table."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from services.status.geography import geojson
from services.status.geography.geojson import read_geography
from services.status.geography.model import Boundaries, UnfitGeographyError
from services.status.geography.store import GeographyStore
from services.status.situation.model import Round
from shared.events.intake import OperatingStatus
from shared.i18n import Locale
from shared.identity import Role
from shared.settings import Settings
from tests.fakes import FakeClock
from tests.status.conftest import Stores
from tests.status.outlines import ATTRIBUTION, CODES, collection, feature, row_of_squares, square
from tests.status.people import TAMMELA, Desk, association, checkin, desk, round_of, storm
from tests.test_operator import Operator


def read(document: Any, *, skip_others: bool = False) -> list[str]:
    """The codes that are drawn."""
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    return [shape.code for shape in read_geography(data, attribution=ATTRIBUTION, skip_others=skip_others).shapes]


@pytest.mark.parametrize("kind", ["Polygon", "MultiPolygon"])
@pytest.mark.parametrize("name", ["code", "KUNTA", "natcode"])
def test_the_usual_names_of_the_code_are_found(name: str, kind: str) -> None:
    assert read(collection(name=name, kind=kind)) == CODES


def test_a_code_may_have_lost_its_zeros_or_stand_in_the_id() -> None:
    numbered = [feature(int(code), square(23.0 + at / 5)) for at, code in enumerate(CODES)]
    named = [{**feature("?", square(23.0 + at / 5)), "id": f"KU{code}"} for at, code in enumerate(CODES)]

    assert read({"type": "FeatureCollection", "features": numbered}) == CODES
    assert read({"type": "FeatureCollection", "features": named}) == CODES


def test_others_are_refused_by_name_or_left_out() -> None:
    whole = collection()
    whole["features"].append(feature("091", square(26.0)))

    assert read(whole, skip_others=True) == CODES
    with pytest.raises(UnfitGeographyError, match="091"):
        read(whole)


def changed(**members: Any) -> dict[str, Any]:
    return {**collection(), **members}


def with_ring(ring: object) -> dict[str, Any]:
    whole = collection()
    whole["features"][0] = feature("061", ring)
    return whole


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (b"\xff", "not JSON"),
        (b"{", "not JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (json.dumps(collection()).replace("23.0", "NaN").encode(), "NaN is no number"),
        ([], "FeatureCollection"),
        (changed(features=[]), "no features"),
        (changed(features=[1]), "no feature"),
        (changed(features=collection()["features"][1:]), "lacks Forssa"),
        (changed(crs={"properties": {"name": "urn:ogc:def:crs:EPSG::3067"}}), "4326"),
        (collection(name="nimi"), "no property holds"),
        (with_ring([[327000, 6770000], [1, 2], [3, 4], [327000, 6770000]]), "convert it"),
        (with_ring([[61.0, 23.0], [61.2, 23.0], [61.2, 23.2], [61.0, 23.0]]), "longitude comes first"),
        (with_ring(square(23.0)[:-1]), "open ring"),
        (with_ring(square(23.0)[:3]), "fewer than four"),
        (with_ring("ring"), "fewer than four"),
        (with_ring([[1e999, 61], *square(23.0)]), "NaN|no number|two numbers"),
        (with_ring([["23", "61"], *square(23.0)]), "two numbers"),
        (with_ring([[23.0, 61.0]] * 5), "too small|no area"),
        (changed(features=[{"type": "Feature", "properties": {"code": code}} for code in CODES]), "no Polygon"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_reason(document: Any, why: str) -> None:
    with pytest.raises(UnfitGeographyError, match=why):
        read(document)


def test_what_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(geojson, "MOST_POSITIONS", 50)
    with pytest.raises(UnfitGeographyError, match="more than 50 positions"):
        read(collection())
    monkeypatch.setattr(geojson, "LARGEST_FILE", 100)
    with pytest.raises(UnfitGeographyError, match="larger than"):
        read(collection())


@pytest.mark.parametrize("attribution", ["", " ", "x" * 301])
def test_whose_data_it_is_must_be_said(attribution: str) -> None:
    with pytest.raises(UnfitGeographyError, match="whose data"):
        read_geography(json.dumps(collection()).encode(), attribution=attribution)


async def test_a_drawing_is_kept_once_and_taken_away(stores: Stores) -> None:
    store, geography = GeographyStore(stores.database), row_of_squares()

    assert await store.get() is None
    assert await store.replace(geography)
    assert not await store.replace(geography)
    assert await store.get() == geography
    assert await store.boundaries() == geography.boundaries
    assert await store.replace(None)
    assert await store.get() is None
    assert await store.boundaries() == Boundaries()


async def test_a_drawing_from_before_boundaries_were_kept_has_none_until_it_is_brought_again(stores: Stores) -> None:
    store, geography = GeographyStore(stores.database), row_of_squares()
    await store.replace(replace(geography, boundaries=Boundaries()))

    assert await store.get() == geography
    assert await store.boundaries() == Boundaries()
    assert await store.replace(geography)
    assert await store.boundaries() == geography.boundaries


async def situation_with_answers(office: Desk) -> Round:
    state = office.app.state
    for name in ("Aino", "Bertta", "Cecilia"):
        await state.readiness.know(association(name))
    opened = storm()
    await state.situations.open(opened)
    round_ = await state.rounds.open(opened.situation, round_of(opened.situation))
    assert isinstance(round_, Round)
    await state.readiness.hear(checkin("Aino", round_, OperatingStatus.LIMITED))
    return round_


async def test_the_map_says_what_the_table_says_and_leads_to_the_associations(
    settings: Settings, clock: FakeClock
) -> None:
    async with desk(settings, clock) as office:
        office.sign_in(Role.VIEWER)
        round_ = await situation_with_answers(office)
        page = f"/situations/{round_.situation_id}"
        without = (await office.browser.get(f"{page}?lang=en")).text
        await office.app.state.geography.replace(row_of_squares())

        shown = (await office.browser.get(f"{page}?lang=en")).text
        wall = await office.browser.get(f"{page}?lang=en&view=wall")
        live = await office.app.state.hub._render((round_.situation_id, Locale.EN, None))

    assert '<h2 id="map-title"' not in without
    assert "map-shapes" not in without
    told = dict(re.findall(r'<title id="told-(\d+)">([^<]+)</title>', shown))
    assert told[TAMMELA] == "Tammela: Operates in part. 1 of 3 answered, 0 out of date"
    assert told["061"] == "Forssa: No answers yet. 0 of 0 answered, 0 out of date"
    assert list(told) == CODES
    fills = dict(re.findall(r'href="#shape-(\d+)" fill="url\(#map-(\w+)\)"', shown))
    assert fills == {**dict.fromkeys(CODES, "silent"), TAMMELA: "limited"}
    assert re.search(rf'<a href="{page}/{TAMMELA}" id="map-{TAMMELA}"', shown)
    row = re.search(rf'<th scope="row"><a href="{page}/{TAMMELA}">Tammela</a></th>(.+?)</tr>', shown, re.DOTALL)
    assert row is not None
    assert re.findall(r">([\d/]+)<", row.group(1))[-1] == "1/3"
    assert re.search(r'class="map-count"[^>]*>▲<tspan class="map-share"> 1/3<', shown)
    assert ATTRIBUTION in shown
    assert wall.status_code == 200
    assert 'class="desk wall"' in wall.text
    assert row_of_squares().shapes[0].path in wall.text
    assert row_of_squares().shapes[0].path not in live


def test_an_operator_brings_the_outlines_and_takes_them_away(tmp_path: Path) -> None:
    operator = Operator(tmp_path)
    file = tmp_path / "municipalities.geojson"
    file.write_text(json.dumps(collection()), encoding="utf-8")
    bring = ("geo", "import", str(file), "--attribution", ATTRIBUTION)

    first, second = operator.told(*bring), operator.told(*bring)

    assert (first["municipalities"], first["changed"], second["changed"]) == (11, True, False)
    assert operator.told("geo", "remove") == {"changed": True}
    file.write_text("{}", encoding="utf-8")
    assert "FeatureCollection" in " ".join(operator.types(*bring, code=2).split())
