"""Who can do it now: by the register or by offer, and only by a fresh answer."""

import csv
import io

import pytest

from services.status.capability.model import Ability, Answer, answer
from services.status.capability.store import CapabilityStore
from services.status.readiness.model import FRESH, State
from services.status.situation.model import ALL_MUNICIPALITIES, Round
from shared.events.intake import OperatingStatus
from shared.identity import Role
from tests.fakes import FakeClock
from tests.status.conftest import Stores
from tests.status.people import FORSSA, TAMMELA, Desk, association, checkin, round_of, storm

ABLE = {"capabilities": ("transport",)}


@pytest.mark.parametrize("state", State)
def test_only_a_fresh_answer_says_that_somebody_can_or_cannot(state: State) -> None:
    assert (answer(state) is Answer.NOT_KNOWN) == (state not in FRESH)


async def test_those_who_can_come_first_then_those_who_cannot_then_the_silent(stores: Stores, clock: FakeClock) -> None:
    for name in ("Aino", "Bertta", "Cecilia", "Dag"):
        await stores.readiness.know(association(name, capabilities=("transport",)))
    for name in ("Eila", "Fanni"):
        await stores.readiness.know(association(name, capabilities=("first-aid",)))
    opened = storm()
    await stores.situations.open(opened)
    round_ = await stores.rounds.open(opened.situation, round_of(opened.situation))
    assert isinstance(round_, Round)
    await stores.readiness.hear(checkin("Bertta", round_, OperatingStatus.SUSPENDED))
    await stores.readiness.hear(checkin("Cecilia", round_, OperatingStatus.LIMITED))
    await stores.readiness.hear(checkin("Dag", round_, OperatingStatus.NORMAL))
    await stores.readiness.hear(checkin("Eila", round_, OperatingStatus.LIMITED, offers={"transport": 3}))
    store = CapabilityStore(stores.database)

    listed, ability = await store.able(opened.situation, "transport", ALL_MUNICIPALITIES, page=1)

    assert [one.name for one in listed] == ["Dag", "Cecilia", "Eila", "Bertta", "Aino"]
    assert ability == Ability(can=3, cannot=1, not_known=1)
    eila = listed[2]
    assert (eila.offered, eila.registered, eila.amount) == (True, False, 3)
    assert await store.able(opened.situation, "transport", [FORSSA], page=1) == ([], Ability(0, 0, 0))
    clock.move(hours=13)
    await stores.readiness.expire_due()
    assert (await store.able(opened.situation, "transport", [TAMMELA], page=1))[1] == Ability(0, 0, 5)


async def test_the_page_and_the_file_say_the_same_and_a_name_is_never_a_formula(open_desk: Desk) -> None:
    state = open_desk.app.state
    for name in ("=1+1 ry", "Bertta"):
        await state.readiness.know(association(name, TAMMELA, capabilities=("transport",)))
    opened = storm()
    await state.situations.open(opened)
    round_ = await state.rounds.open(opened.situation, round_of(opened.situation))
    await state.readiness.hear(checkin("Bertta", round_))
    open_desk.sign_in(Role.VIEWER)
    path = f"/situations/{opened.situation.id}/who-can"

    question = (await open_desk.browser.get(f"{path}?lang=en")).text
    page = (await open_desk.browser.get(f"{path}?capability=transport&area=forssa&lang=en")).text
    file = await open_desk.browser.get(f"{path}.csv?capability=transport&area=forssa&lang=en")

    assert "can now" not in question
    assert "<b>1 can now</b>" in page
    rows = list(csv.reader(io.StringIO(file.content.decode("utf-8-sig")), delimiter=";"))
    assert [row[0] for row in rows[2:]] == ["Bertta", "'=1+1 ry"]
    assert rows[2][2] == "can now"
    assert (await open_desk.browser.get(f"{path}.csv?capability=juggling")).status_code == 422
