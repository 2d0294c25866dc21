"""Offers and needs as they are kept: always those of the present answer, with how far each has come."""

import re

import pytest

from services.status.aid.model import Aid, Course, Side
from services.status.aid.store import AidKey
from services.status.situation.model import Round
from shared.identity import Role
from tests.fakes import FakeClock
from tests.status.conftest import Stores
from tests.status.people import (
    FORSSA,
    LIAISON,
    Desk,
    association,
    association_id,
    checkin,
    round_of,
    storm,
)


async def listed(stores: Stores, round_: Round, side: Side = Side.NEED, course: Course = Course.OPEN) -> list[Aid]:
    found, total = await stores.aid.listed(
        round_.realm, round_.situation_id, side, courses=[course], capability="", page=1
    )
    assert total == len(found)
    return found


async def move(stores: Stores, round_: Round, name: str, side: Side, course: Course) -> int:
    key = AidKey(association_id(name), side, "transport")
    return await stores.aid.move(round_.realm, round_.situation_id, [key], course, by=LIAISON)


async def test_a_later_answer_takes_the_place_of_what_was_offered_before(stores: Stores) -> None:
    round_ = await stores.ask("Aino", "Bertta")
    await stores.readiness.hear(checkin("Aino", round_, offers={"transport": 4, "premises": None}, after=1))
    await stores.readiness.hear(checkin("Aino", round_, offers={"transport": 4}, needs={"food-aid": 9}, after=5))
    await stores.readiness.hear(checkin("Aino", round_, offers={"first-aid": 1}, after=2))

    assert [(one.capability, one.amount) for one in await listed(stores, round_, Side.OFFER)] == [("transport", 4)]
    assert [(one.name, one.capability, one.amount) for one in await listed(stores, round_)] == [("Aino", "food-aid", 9)]


async def test_what_is_named_again_keeps_how_far_it_has_come_until_its_amount_changes(stores: Stores) -> None:
    round_ = await stores.ask("Aino")
    await stores.readiness.hear(checkin("Aino", round_, needs={"transport": 4}, after=1))
    assert await move(stores, round_, "Aino", Side.NEED, Course.AGREED) == 1

    await stores.readiness.hear(checkin("Aino", round_, needs={"transport": 4}, after=2))
    assert [one.amount for one in await listed(stores, round_, course=Course.AGREED)] == [4]
    await stores.readiness.hear(checkin("Aino", round_, needs={"transport": 6}, after=3))
    assert [one.amount for one in await listed(stores, round_, course=Course.OPEN)] == [6]


async def test_an_offer_is_fresh_for_as_long_as_its_answer(stores: Stores, clock: FakeClock) -> None:
    round_ = await stores.ask("Aino")
    await stores.readiness.hear(checkin("Aino", round_, offers={"transport": 4}))
    fresh = await stores.aid.open_offers(round_.realm, round_.situation_id, ["transport"])
    clock.move(hours=13)

    assert [one.name for one in fresh] == ["Aino"]
    assert await stores.aid.open_offers(round_.realm, round_.situation_id, ["transport"]) == []
    assert [one.fresh for one in await listed(stores, round_, Side.OFFER)] == [False]


async def test_what_a_merged_association_offered_goes_with_its_answer(stores: Stores) -> None:
    round_ = await stores.ask("Aino", "Bertta", "Cecilia")
    await stores.readiness.hear(checkin("Aino", round_, offers={"transport": 4}, after=5))
    await stores.readiness.hear(checkin("Bertta", round_, offers={"premises": 1}, after=1))
    await stores.readiness.hear(checkin("Cecilia", round_, offers={"food-aid": 1}, after=1))

    await stores.readiness.know(association("Aino", version=2, retired=True, merged_into="Bertta"))
    await stores.readiness.know(association("Cecilia", version=2, retired=True))

    offers = await listed(stores, round_, Side.OFFER)
    assert [(one.name, one.capability) for one in offers] == [("Bertta", "transport")]


async def _evening(one: Desk) -> Round:
    """Aino needs a ride; Bertta, further away, offers two, and Cecilia in Forssa one."""
    state = one.app.state
    for name, place in (("Aino", "834"), ("Bertta", "433"), ("Cecilia", FORSSA)):
        await state.readiness.know(association(name, place))
    opened = storm()
    await state.situations.open(opened)
    round_ = await state.rounds.open(opened.situation, round_of(opened.situation))
    assert isinstance(round_, Round)
    await state.readiness.hear(checkin("Aino", round_, needs={"transport": 1}))
    await state.readiness.hear(checkin("Bertta", round_, offers={"transport": 2}))
    await state.readiness.hear(checkin("Cecilia", round_, offers={"transport": 1}))
    return round_


async def test_a_liaison_agrees_a_need_with_the_nearest_offer(open_desk: Desk) -> None:
    round_ = await _evening(open_desk)
    open_desk.sign_in(Role.LIAISON)
    path = f"/situations/{round_.situation_id}/aid"

    page = (await open_desk.browser.get(f"{path}?lang=en")).text
    assert page.index("Cecilia") < page.index("Bertta")
    which = re.findall(r'name="which" value="([^"]+)"', page)[0]
    other = re.findall(r'name="with" value="([^"]+)"', page)[0]
    moved = await open_desk.browser.post(path, data={"which": which, "with": other, "course": "agreed", "back": ""})

    assert moved.status_code == 303
    assert "There is nothing like that." in (await open_desk.browser.get(f"{path}?lang=en")).text
    agreed = (await open_desk.browser.get(f"{path}?course=agreed&lang=en")).text
    assert "Aino" in agreed
    offers = (await open_desk.browser.get(f"{path}?side=offer&lang=en")).text
    assert "Bertta" in offers
    assert "Cecilia" not in offers


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({}, 422),
        ({"which": "x need transport", "course": "agreed"}, 422),
        ({"which": f"{association_id('Aino')} need transport", "course": "gone"}, 422),
        ({"which": f"{association_id('Aino')} need premises", "course": "agreed"}, 409),
    ],
)
async def test_what_cannot_be_moved_is_refused(open_desk: Desk, form: dict[str, str], status: int) -> None:
    round_ = await _evening(open_desk)
    open_desk.sign_in(Role.LIAISON)

    answer = await open_desk.browser.post(f"/situations/{round_.situation_id}/aid", data=form)

    assert answer.status_code == status


async def test_others_look_and_do_not_touch(open_desk: Desk) -> None:
    round_ = await _evening(open_desk)
    open_desk.sign_in(Role.VIEWER)
    path = f"/situations/{round_.situation_id}/aid"

    page = await open_desk.browser.get(path)

    assert page.status_code == 200
    assert 'name="which"' not in page.text
    assert (await open_desk.browser.post(path, data={"course": "agreed"})).status_code == 403
