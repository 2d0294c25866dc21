"""The partners' API: a key opens what its scopes and limits say, and an answer comes in as by any other way."""

import asyncio
import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from httpx import Response
from limits import RateLimitItemPerMinute
from sqlalchemy import insert, select, update
from sqlmodel import col

from services.intake.checkin.store import CheckInRow
from services.intake.partner.store import ApiKey
from services.intake.registry.store import Association, AssociationNetwork
from shared.ids import digest, new_id
from shared.partner_keys import Scope
from shared.rate_limit import RateLimit
from shared.realm import Realm
from tests.intake.house import AINO, BERTTA, CECILIA, Intake, Round
from tests.intake.partner.keys import BASE, make_key

DOCUMENT = Path(__file__).parents[3] / "docs" / "openapi.json"


@pytest.fixture
async def ids(intake: Intake) -> list[UUID]:
    """Aino's, Bertta's and Cecilia's associations: in Hattula, Forssa and Loppi."""
    await intake.take_in(AINO, BERTTA, CECILIA)
    return await intake.ids()


async def check_in(
    intake: Intake, key: dict[str, str], opened: Round, association: UUID, *, again: str = "first", **said: Any
) -> Response:
    body = {"association_id": str(association), "status": "limited", **said}
    headers = {**key, "idempotency-key": again}
    return await intake.browser.post(f"{BASE}/rounds/{opened.round_id}/checkins", json=body, headers=headers)


async def listed(intake: Intake, key: dict[str, str], query: str = "") -> list[str]:
    answer = await intake.browser.get(f"{BASE}/associations?{query}", headers=key)
    return [item["name"] for item in answer.json()["items"]]


async def rows(intake: Intake) -> list[CheckInRow]:
    async with intake.database.read() as session:
        return list((await session.execute(select(CheckInRow))).scalars())


def test_the_document_is_the_one_in_the_docs(intake: Intake) -> None:
    kept = json.loads(DOCUMENT.read_text(encoding="utf-8"))

    assert intake.app.state.partner_api.openapi() == kept, "write it anew: python -m tests.intake.partner.document"


async def test_the_document_is_served_and_pages_are_not_in_it(intake: Intake) -> None:
    told = (await intake.browser.get(f"{BASE}/openapi.json")).json()

    assert told["openapi"].startswith("3.1")
    assert sorted(told["paths"]) == [
        "/associations",
        "/associations/{association_id}",
        "/rounds",
        "/rounds/{round_id}/checkins",
    ]
    assert [(await intake.browser.get(path)).status_code for path in ("/docs", "/openapi.json", f"{BASE}/docs")] == [
        404
    ] * 3


async def test_a_key_reads_the_registry_without_people(intake: Intake, ids: list[UUID]) -> None:
    key = await make_key(intake, Scope.REGISTRY_READ)

    page = (await intake.browser.get(f"{BASE}/associations", headers=key)).json()
    one = (await intake.browser.get(f"{BASE}/associations/{ids[0]}", headers=key)).json()

    assert [item["name"] for item in page["items"]] == ["Hattulan Martat", "Forssa Byalag", "Lopen Kyläseura"]
    assert one == page["items"][0]
    assert one["contacts"] is None
    assert "aino@example.org" not in json.dumps(page)


@pytest.mark.usefixtures("ids")
async def test_contacts_are_told_to_whoever_may_read_them(intake: Intake) -> None:
    key = await make_key(intake, Scope.REGISTRY_READ, Scope.CONTACTS_READ)

    page = (await intake.browser.get(f"{BASE}/associations", headers=key)).json()

    assert page["items"][0]["contacts"][0]["email"] == "aino@example.org"


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("q=hattulan", ["Hattulan Martat"]),
        ("municipality=433", ["Lopen Kyläseura"]),
        ("network=silta", ["Forssa Byalag"]),
        ("capability=transport", []),
        ("limit=1", ["Hattulan Martat"]),
        ("retired=true&q=byalag", ["Forssa Byalag"]),
    ],
)
async def test_one_filters(intake: Intake, ids: list[UUID], query: str, names: list[str]) -> None:
    async with intake.database.write() as session:
        await session.execute(insert(AssociationNetwork), {"association_id": ids[1], "network": "silta"})
        await session.execute(update(Association).where(col(Association.id) == ids[2]).values(retired=False))

    assert await listed(intake, await make_key(intake, Scope.REGISTRY_READ), query) == names


async def test_pages_follow_one_another_by_cursor(intake: Intake, ids: list[UUID]) -> None:
    key = await make_key(intake, Scope.REGISTRY_READ)

    first = (await intake.browser.get(f"{BASE}/associations?limit=2", headers=key)).json()
    second = (await intake.browser.get(f"{BASE}/associations?limit=2&cursor={first['next']}", headers=key)).json()

    assert [UUID(item["id"]) for item in (*first["items"], *second["items"])] == ids
    assert second["next"] is None


async def test_a_limited_key_sees_its_own_only(intake: Intake, ids: list[UUID]) -> None:
    async with intake.database.write() as session:
        await session.execute(insert(AssociationNetwork), {"association_id": ids[1], "network": "silta"})
    opened = await intake.open_round(ids)
    scopes = (Scope.REGISTRY_READ, Scope.CHECKIN_WRITE)
    key = await make_key(intake, *scopes, municipalities=frozenset({"082"}), networks=frozenset({"silta"}))

    hidden = await intake.browser.get(f"{BASE}/associations/{ids[2]}", headers=key)
    answers = [await check_in(intake, key, opened, association) for association in ids]

    assert await listed(intake, key) == ["Hattulan Martat", "Forssa Byalag"]
    assert hidden.status_code == 404
    assert [answer.status_code for answer in answers] == [201, 201, 404]


async def test_open_rounds_are_told_with_their_realm(intake: Intake, ids: list[UUID]) -> None:
    live = await intake.open_round(ids, hours=2)
    drill = await intake.open_round(ids, realm=Realm("ex-1"), hours=1)
    await intake.open_round(ids, hours=0)
    key = await make_key(intake, Scope.REGISTRY_READ)

    told = (await intake.browser.get(f"{BASE}/rounds", headers=key)).json()["items"]

    assert [(one["id"], one["realm"]) for one in told] == [(str(drill.round_id), "ex-1"), (str(live.round_id), "live")]
    assert told[0]["names"] == {"fi": "Myrsky", "sv": "Storm"}


async def test_an_answer_is_recorded_and_told_with_its_channel_and_its_key(intake: Intake, ids: list[UUID]) -> None:
    opened, key_id = await intake.open_round(ids), new_id()
    key = await make_key(intake, Scope.CHECKIN_WRITE, key_id=key_id)
    said: dict[str, Any] = {
        "until": "2026-11-22T10:00:00+02:00",
        "note": "Sähköt poikki",
        "offers": [{"capability": "transport", "amount": 2}],
        "needs": [{"capability": "food-aid"}],
        "plan": True,
    }

    answer = await check_in(intake, key, opened, ids[2], **said)

    [row] = await rows(intake)
    [event] = await intake.said("checkin_received")
    assert answer.status_code == 201
    assert answer.json()["id"] == event["checkin_id"] == str(row.id)
    assert (row.channel, row.entered_by, row.status, row.plan) == ("api", key_id, "limited", True)
    assert (event["channel"], event["offers"]) == ("api", [{"capability": "transport", "amount": 2}])


async def test_what_is_sent_again_is_recorded_once_whatever_came_between(intake: Intake, ids: list[UUID]) -> None:
    opened = await intake.open_round(ids)
    key = await make_key(intake, Scope.CHECKIN_WRITE)

    first = await check_in(intake, key, opened, ids[0])
    await intake.browser.post(await intake.link(), data={"status": "normal"})
    again = await check_in(intake, key, opened, ids[0])
    other = await check_in(intake, key, opened, ids[0], status="suspended")

    assert [first.status_code, again.status_code, other.status_code] == [201, 200, 409]
    assert again.json() == first.json()
    assert [row.status for row in sorted(await rows(intake), key=lambda row: row.channel)] == ["limited", "normal"]


async def test_what_is_sent_many_times_at_once_is_recorded_once(intake: Intake, ids: list[UUID]) -> None:
    opened = await intake.open_round(ids)
    key = await make_key(intake, Scope.CHECKIN_WRITE)

    answers = await asyncio.gather(*(check_in(intake, key, opened, ids[0]) for _ in range(10)))

    assert {answer.status_code for answer in answers} <= {200, 201}
    assert len({answer.json()["id"] for answer in answers}) == len(await rows(intake)) == 1


async def test_whoever_was_not_asked_or_is_late_is_told_so(intake: Intake, ids: list[UUID]) -> None:
    opened = await intake.open_round(ids[:1])
    key = await make_key(intake, Scope.CHECKIN_WRITE)

    not_asked = await check_in(intake, key, opened, ids[1])
    intake.clock.move(hours=25)
    late = await check_in(intake, key, opened, ids[0])

    assert (not_asked.status_code, late.status_code) == (404, 409)
    assert await rows(intake) == []


@pytest.mark.parametrize(
    "said",
    [
        {"status": "splendid"},
        {"until": "0001-01-01T00:00:00+14:00"},
        {"note": "x" * 501},
        {"note": "\0"},
        {"offers": [{"capability": "magic"}]},
        {"needs": [{"capability": "transport", "amount": 0}]},
        {"association_id": "x"},
        {"surprise": 1},
    ],
)
async def test_what_is_wrong_is_said_without_repeating_it(
    intake: Intake, ids: list[UUID], said: dict[str, Any]
) -> None:
    opened = await intake.open_round(ids)

    answer = await check_in(intake, await make_key(intake, Scope.CHECKIN_WRITE), opened, ids[0], **said)

    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert answer.json()["errors"][0]["where"].startswith("body.")
    assert "splendid" not in answer.text


async def test_without_idempotency_key_nothing_is_recorded(intake: Intake, ids: list[UUID]) -> None:
    opened, key = await intake.open_round(ids), await make_key(intake, Scope.CHECKIN_WRITE)
    body = {"association_id": str(ids[0]), "status": "limited"}

    answer = await intake.browser.post(f"{BASE}/rounds/{opened.round_id}/checkins", json=body, headers=key)

    assert answer.status_code == 422


@pytest.mark.parametrize("given", ["", "Bearer x", "Bearer valmius_abcdefgh_" + "x" * 43, "Basic eDp5"])
async def test_without_a_good_key_one_is_told_nothing(intake: Intake, given: str) -> None:
    answer = await intake.browser.get(f"{BASE}/associations", headers={"authorization": given} if given else {})

    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert answer.json()["title"] == "Unauthorized"


async def test_a_session_of_the_staff_is_no_key(intake: Intake) -> None:
    await intake.sign_in(*[])

    assert (await intake.browser.get(f"{BASE}/rounds")).status_code == 401


async def test_a_key_ends_by_its_time_and_by_revocation(intake: Intake) -> None:
    key_id = new_id()
    revoked, expired = (
        await make_key(intake, Scope.REGISTRY_READ, key_id=key_id),
        await make_key(intake, Scope.REGISTRY_READ),
    )
    good = await intake.browser.get(f"{BASE}/rounds", headers=revoked)

    await intake.app.state.partners.revoke(key_id, by=new_id())
    after = await intake.browser.get(f"{BASE}/rounds", headers=revoked)
    intake.clock.move(hours=31 * 24)
    late = await intake.browser.get(f"{BASE}/rounds", headers=expired)

    assert [good.status_code, after.status_code, late.status_code] == [200, 401, 401]
    assert after.text == late.text


async def test_of_a_key_only_its_hash_and_the_day_of_its_use_are_kept(intake: Intake) -> None:
    key = await make_key(intake, Scope.REGISTRY_READ)
    await intake.browser.get(f"{BASE}/rounds", headers=key)

    async with intake.database.read() as session:
        row = (await session.execute(select(ApiKey))).scalar_one()
    secret = key["authorization"][-43:]  # there may be a "_" in it
    assert row.last_used_on == intake.clock.now().date()
    assert secret not in repr(row)
    assert len(row.key_hash) == 32


async def test_a_key_asks_so_often_and_no_oftener(intake: Intake) -> None:
    intake.app.state.partner_api.state.keys.pace = RateLimit(RateLimitItemPerMinute(2))
    key, other = await make_key(intake, Scope.REGISTRY_READ), await make_key(intake, Scope.REGISTRY_READ)

    answers = [await intake.browser.get(f"{BASE}/rounds", headers=key) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].headers["retry-after"] == "60"
    assert answers[2].headers["content-type"] == "application/problem+json"
    assert (await intake.browser.get(f"{BASE}/rounds", headers=other)).status_code == 200


async def test_whoever_guesses_keys_is_stopped(intake: Intake) -> None:
    answers = [await intake.browser.get(f"{BASE}/rounds", headers={"authorization": "Bearer x"}) for _ in range(61)]

    assert [answer.status_code for answer in answers[-2:]] == [401, 429]


async def test_another_site_asks_with_a_key_or_not_at_all(intake: Intake, ids: list[UUID]) -> None:
    opened, key = await intake.open_round(ids), await make_key(intake, Scope.CHECKIN_WRITE)
    elsewhere = {**key, "sec-fetch-site": "cross-site", "origin": "https://partner.example"}

    by_key = await check_in(intake, elsewhere, opened, ids[0])
    with_cookie = await check_in(intake, {**elsewhere, "cookie": "valmius=x"}, opened, ids[0])

    assert (by_key.status_code, with_cookie.status_code) == (201, 403)
    assert "access-control-allow-origin" not in by_key.headers


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/nothing", 404), ("GET", "/no%0Athing", 404), ("DELETE", "/rounds", 405)]
)
async def test_what_is_not_there_is_a_problem_too(intake: Intake, method: str, path: str, status: int) -> None:
    answer = await intake.browser.request(method, f"{BASE}{path}")

    assert (answer.status_code, answer.json()["status"]) == (status, status)
    assert answer.headers["content-type"] == "application/problem+json"


async def test_who_shows_the_picture_is_told_of_keys_for_it_by_their_hash_alone(intake: Intake) -> None:
    key_id = new_id()
    await make_key(intake, Scope.REGISTRY_READ, Scope.CONTACTS_READ)
    made = await make_key(intake, Scope.PICTURE_READ, Scope.CHECKIN_WRITE, networks=frozenset({"silta"}), key_id=key_id)
    key = made["authorization"].removeprefix("Bearer ")

    for _ in range(2):
        assert await intake.app.state.partners.revoke(key_id, by=new_id())

    told = await intake.said("partner_key_changed")
    assert [(one["key_id"], one["revoked"]) for one in told] == [(str(key_id), False), (str(key_id), True)]
    assert {one["key_hash"] for one in told} == {digest(key).hex()}
    assert (told[0]["scopes"], told[0]["networks"]) == (["picture:read"], ["silta"])
    assert key.rsplit("_", 1)[1] not in json.dumps(told)
