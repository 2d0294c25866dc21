"""The picture's API: the page's own figures, names as far as the key sees, and nothing said twice for nothing."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from services.status.situation.model import Round, Words
from services.status.timeline.model import Update
from shared.clock import Clock
from shared.events.intake import NetworkChanged, OperatingStatus, PartnerKeyChanged
from shared.ids import digest, new_id, new_token
from shared.partner_keys import Scope, written
from shared.realm import LIVE
from shared.settings import Settings
from tests.fakes import STORM_EVENING, FakeClock
from tests.partner_asking import Api, Asked, asking
from tests.status.document import DOCUMENT, told
from tests.status.outlines import ATTRIBUTION, row_of_squares
from tests.status.people import BASE_URL, FORSSA, LIAISON, TAMMELA, Desk, association, checkin, desk, round_of, storm

BASE = "/api/v1/status"
ONE = f"{BASE}/situations/{{}}"


async def make_key(one: Desk, **limits: Any) -> dict[str, str]:
    """The header that carries a key of which intake has told."""
    key = written("Ab3dEf9h", new_token())
    await one.app.state.partners.know(key_told(key, **limits))
    return {"authorization": f"Bearer {key}"}


def key_told(key: str, *, revoked: bool = False, key_id: UUID | None = None, **limits: Any) -> PartnerKeyChanged:
    """What intake tells of a key."""
    return PartnerKeyChanged(
        happened_at=STORM_EVENING,
        realm=LIVE,
        key_id=key_id or new_id(),
        prefix="Ab3dEf9h",
        key_hash=digest(key).hex(),
        scopes=(Scope.PICTURE_READ,),
        expires_at=STORM_EVENING + timedelta(days=1),
        revoked=revoked,
        **limits,
    )


async def stormy(one: Desk) -> Round:
    """Aino of a network in Tammela answers and needs transport, Bertta of Forssa does not answer."""
    state = one.app.state
    names = {"fi": "SILTA-verkosto", "sv": "Nätverket SILTA"}
    await state.networks.know(NetworkChanged(happened_at=STORM_EVENING, realm=LIVE, code="silta", names=names))
    await state.readiness.know(association("Aino ry", TAMMELA, networks=("silta",), capabilities=("first-aid",)))
    await state.readiness.know(association("Bertta ry", FORSSA, capabilities=("first-aid",)))
    opened = storm()
    await state.situations.open(opened)
    round_ = await state.rounds.open(opened.situation, round_of(opened.situation))
    assert isinstance(round_, Round)
    await state.readiness.hear(checkin("Aino ry", round_, OperatingStatus.LIMITED, needs={"transport": 2}))
    await state.timeline.add(opened.situation, Update(new_id(), STORM_EVENING, LIAISON, Words("Sähköt poikki")))
    return round_


@pytest.fixture
async def open_desk(settings: Settings, clock: FakeClock) -> AsyncIterator[Desk]:
    async with desk(settings, clock) as one:
        yield one


def test_the_document_is_the_one_in_the_docs() -> None:
    kept = json.loads(DOCUMENT.read_text(encoding="utf-8"))

    assert told() == kept, "write it anew: python -m tests.status.document"


async def test_the_picture_tells_figures_with_coverage_and_age_and_no_person(open_desk: Desk) -> None:
    round_ = await stormy(open_desk)
    key = await make_key(open_desk)
    path = ONE.format(round_.situation_id)

    listed = (await open_desk.browser.get(f"{BASE}/situations", headers=key)).json()
    course = (await open_desk.browser.get(path, headers=key)).json()
    picture = (await open_desk.browser.get(f"{path}/picture", headers=key)).json()
    crossed = (await open_desk.browser.get(f"{path}/crossed?rows=network&columns=sector", headers=key)).json()

    assert [one["id"] for one in listed["items"]] == [str(round_.situation_id)]
    assert course["rounds"][0]["phase"] == "expected"
    assert course["updates"] == [{"at": "2026-11-21T18:00:00Z", "text": {"fi": "Sähköt poikki"}}]
    assert picture["region"]["counts"]["limited"] == 1
    assert picture["region"]["coverage"] == {
        "asked": 2,
        "answered": 1,
        "fresh": 1,
        "stale": 0,
        "silent": 1,
        "undeliverable": 0,
        "not_asked": 0,
    }
    assert picture["newest"] == {"limited": "2026-11-21T18:00:00Z"}
    assert [(one["code"], one["names"]["sv"]) for one in picture["networks"]] == [("silta", "Nätverket SILTA")]
    [forssa] = [one for one in picture["municipalities"] if one["code"] == FORSSA]
    assert (forssa["glance"], forssa["coverage"]["silent"]) == ("unknown", 1)
    assert [(cell["row"], cell["column"], cell["counts"]["limited"]) for cell in crossed["cells"]] == [
        ("silta", "village", 1)
    ]
    assert str(LIAISON) not in json.dumps([listed, course, picture])


async def test_municipalities_are_features_without_invented_borders(open_desk: Desk) -> None:
    round_ = await stormy(open_desk)
    key = await make_key(open_desk)

    answer = await open_desk.browser.get(ONE.format(f"{round_.situation_id}/municipalities.geojson"), headers=key)

    features = {one["id"]: one for one in answer.json()["features"]}
    assert answer.headers["content-type"] == "application/geo+json"
    assert answer.headers.get("access-control-allow-origin") is None
    assert "set-cookie" not in answer.headers
    assert len(features) == 11
    assert features[TAMMELA]["geometry"] is None
    assert features[TAMMELA]["properties"]["counts"]["limited"] == 1


async def test_municipalities_have_the_borders_that_an_operator_brought(open_desk: Desk) -> None:
    round_ = await stormy(open_desk)
    await open_desk.app.state.geography.replace(row_of_squares())
    key = await make_key(open_desk)

    answer = await open_desk.browser.get(ONE.format(f"{round_.situation_id}/municipalities.geojson"), headers=key)

    collection = answer.json()
    geometries = [one["geometry"] for one in collection["features"]]
    assert collection["attribution"] == ATTRIBUTION
    assert all(one["type"] == "Polygon" for one in geometries)
    [first] = geometries[0]["coordinates"]
    assert first[0] == first[-1]
    assert {len(position) for position in first} == {2}
    assert all(23 <= x <= 25.3 and 60.9 <= y <= 61.3 for one in geometries for x, y in one["coordinates"][0])


async def test_while_no_figure_changes_nothing_is_sent_again(open_desk: Desk, clock: FakeClock) -> None:
    round_ = await stormy(open_desk)
    key = await make_key(open_desk)
    path = ONE.format(f"{round_.situation_id}/picture")
    first = await open_desk.browser.get(path, headers=key)
    seen = {**key, "if-none-match": f'W/{first.headers["etag"]}, "other"'}

    same = await open_desk.browser.get(path, headers=seen)
    clock.move(minutes=1)
    later = await open_desk.browser.get(path, headers=seen)
    await open_desk.app.state.readiness.hear(checkin("Bertta ry", round_, after=1))
    changed = await open_desk.browser.get(path, headers=seen)

    assert [same.status_code, later.status_code, changed.status_code] == [304, 304, 200]
    assert same.content == b""
    assert changed.json()["region"]["coverage"]["answered"] == 2
    assert first.headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize(
    ("limits", "able", "needing"),
    [
        ({}, ["Aino ry", "Bertta ry"], 1),
        ({"municipalities": (FORSSA,)}, ["Bertta ry"], 0),
        ({"networks": ("silta",)}, ["Aino ry"], 1),
    ],
)
async def test_a_limited_key_is_told_names_of_its_own_only(
    open_desk: Desk, limits: dict[str, tuple[str, ...]], able: list[str], needing: int
) -> None:
    round_ = await stormy(open_desk)
    key = await make_key(open_desk, **limits)
    path = ONE.format(round_.situation_id)

    who_can = (await open_desk.browser.get(f"{path}/who-can?capability=first-aid", headers=key)).json()
    aid = (await open_desk.browser.get(f"{path}/aid", headers=key)).json()
    picture = (await open_desk.browser.get(f"{path}/picture", headers=key)).json()

    assert [one["name"] for one in who_can["items"]] == able
    assert aid["total"] == len(aid["items"]) == needing
    assert picture["region"]["coverage"]["asked"] == 2


async def test_a_key_that_is_revoked_or_over_opens_nothing_in_whichever_order_it_is_told(
    open_desk: Desk, clock: FakeClock
) -> None:
    key, key_id = written("Ab3dEf9h", new_token()), new_id()
    path, header = f"{BASE}/situations", {"authorization": f"Bearer {key}"}
    good = key_told(key, key_id=key_id)

    await open_desk.app.state.partners.know(good)
    before = await open_desk.browser.get(path, headers=header)
    await open_desk.app.state.partners.know(key_told(key, key_id=key_id, revoked=True))
    await open_desk.app.state.partners.know(good)
    after = await open_desk.browser.get(path, headers=header)
    other = await make_key(open_desk)
    clock.move(days=2)
    over = await open_desk.browser.get(path, headers=other)

    assert [before.status_code, after.status_code, over.status_code] == [200, 401, 401]
    assert over.headers["content-type"] == "application/problem+json"


async def test_what_there_is_not_and_what_cannot_be_are_problems(open_desk: Desk) -> None:
    key = await make_key(open_desk)
    nowhere = ONE.format(new_id())

    answers = [
        await open_desk.browser.get(path, headers=key)
        for path in (f"{nowhere}/picture", f"{BASE}/nothing", f"{nowhere}/crossed?rows=declined&columns=sector")
    ]

    assert [answer.status_code for answer in answers] == [404, 404, 422]
    assert {answer.headers["content-type"] for answer in answers} == {"application/problem+json"}


@pytest.fixture
def asked(settings: Settings, clock: Clock) -> Iterator[Asked]:
    """A storm, and a key."""

    async def start(stack: AsyncExitStack) -> Api:
        one = await stack.enter_async_context(desk(settings, clock))
        round_ = await stormy(one)
        known = {"situation_id": str(round_.situation_id)}
        return Api(one.app, one.browser, f"{BASE_URL}{BASE}", await make_key(one), known)

    with asking(start) as one:
        yield one


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_answer_is_as_described(asked: Asked) -> None:
    document = told()
    for path in document["paths"]:
        asked.ask(document, "GET", path, examples=400)
