"""Answers that disagree: counted apart, shown where one looks, ended by a liaison or by a later answer."""

import re
from dataclasses import replace
from uuid import UUID

import pytest

from services.status.aid.model import Course, Side
from services.status.answer.model import Choice, Flaw
from services.status.audit.model import DETAILS, SENTENCES, Act
from services.status.audit.store import AUDIT
from services.status.dispute.store import DisputeStore
from services.status.picture.model import picture_of
from services.status.picture.store import PictureStore
from services.status.readiness.model import Dimension, State, TallyKey, Verdict
from services.status.situation.model import Round, Situation
from shared.audit_rows import AuditStore
from shared.events.intake import OperatingStatus
from shared.events.status import ReadinessChanged
from shared.identity import Role
from tests.fakes import FakeClock
from tests.status.conftest import Stores
from tests.status.people import FORSSA, LIAISON, TAMMELA, Desk, association, association_id, checkin, round_of, storm

NORMAL, LIMITED, SUSPENDED = OperatingStatus
HALF_A_MINUTE = 0.5


@pytest.fixture
def disputes(stores: Stores, clock: FakeClock) -> DisputeStore:
    return DisputeStore(stores.database, clock=clock)


async def two_answers(stores: Stores) -> Situation:
    """Aino has answered twice, half a minute apart; the newer answer was heard first."""
    round_ = await stores.ask("Aino", "Bertta")
    await stores.readiness.hear(checkin("Aino", round_, NORMAL, after=HALF_A_MINUTE, offers={"transport": 2}))
    verdict = await stores.readiness.hear(checkin("Aino", round_, SUSPENDED))
    assert verdict is Verdict.HEARD
    return await stores.situation_of(round_)


async def choice(disputes: DisputeStore, situation: Situation, place: int = 0) -> Choice:
    dispute = await disputes.one(situation, association_id("Aino"))
    assert dispute is not None
    ids = [one.checkin_id for one in dispute.answers]
    return Choice(ids[place], frozenset(ids), "The chair confirmed it.", LIAISON)


async def test_a_dispute_is_counted_apart_and_the_newest_answer_everywhere(stores: Stores) -> None:
    situation = await two_answers(stores)

    tallies = await stores.tallies(situation)

    disputed = {key: count for key, count in tallies.items() if key.dimension is Dimension.DISPUTED}
    assert disputed == {
        TallyKey(Dimension.DISPUTED, TAMMELA, State.NORMAL): 1,
        TallyKey(Dimension.DISPUTED, "05", State.NORMAL): 1,
    }
    assert await stores.region(situation) == {State.NORMAL: 1, State.NOT_ANSWERED: 1}
    assert not await stores.readiness.recount(situation.realm, situation.id)


async def test_a_pin_moves_every_figure_and_wakes_the_pictures(
    stores: Stores, disputes: DisputeStore, clock: FakeClock
) -> None:
    situation = await two_answers(stores)
    before = len(await stores.told())

    flaws = await disputes.pin(situation, association_id("Aino"), await choice(disputes, situation))

    glance = await PictureStore(stores.database).glance(situation, since=situation.opened_at)
    [listed] = await disputes.listed(situation, within=None)
    assert flaws == ()
    assert [type(event) for event in (await stores.told())[before:]] == [ReadinessChanged]
    assert await stores.region(situation) == {State.SUSPENDED: 1, State.NOT_ANSWERED: 1}
    assert picture_of(situation, glance, clock.now()).disputed == 0
    assert listed.pin
    assert (listed.pin.answer.status, listed.pin.by, listed.pin.reason) == (
        SUSPENDED,
        LIAISON,
        "The chair confirmed it.",
    )
    assert not await stores.readiness.recount(situation.realm, situation.id)


async def test_a_pin_is_written_down_with_its_reason_and_a_refused_one_is_not(
    stores: Stores, disputes: DisputeStore, clock: FakeClock
) -> None:
    situation, audit = await two_answers(stores), AuditStore(stores.database, clock=clock, tables=AUDIT)
    chosen = await choice(disputes, situation)

    await disputes.pin(situation, association_id("Aino"), replace(chosen, reason=""))
    await disputes.pin(situation, association_id("Aino"), chosen)

    [link] = await audit.page()
    assert (link.deed.act, link.deed.actor, link.deed.subject) == (
        Act.ANSWER_PINNED,
        LIAISON,
        str(association_id("Aino")),
    )
    assert link.deed.details["reason"] == "The chair confirmed it."
    assert link.deed.details.keys() <= DETAILS.keys()
    assert SENTENCES.keys() == set(Act)


async def test_a_choice_between_what_is_no_longer_so_is_refused(stores: Stores, disputes: DisputeStore) -> None:
    situation = await two_answers(stores)
    old = await choice(disputes, situation)
    [round_] = await stores.situations.rounds(situation)
    await stores.readiness.hear(checkin("Aino", round_, LIMITED, after=10))

    assert await disputes.pin(situation, association_id("Aino"), old) == (Flaw.ANSWERS_CHANGED,)
    assert await disputes.pin(situation, association_id("nobody"), old) == (Flaw.ANSWERS_CHANGED,)
    assert await disputes.one(situation, association_id("Aino")) is None
    await stores.situations.close(situation)
    assert await disputes.pin(situation, association_id("Aino"), old) == (Flaw.SITUATION_CLOSED,)


async def test_a_pin_goes_into_a_merger_and_leaves_with_who_leaves(stores: Stores, disputes: DisputeStore) -> None:
    situation = await two_answers(stores)
    await disputes.pin(situation, association_id("Aino"), await choice(disputes, situation))

    await stores.readiness.know(association("Aino", version=2, retired=True, merged_into="Bertta"))
    [merged] = await disputes.listed(situation, within=None)
    offers = await stores.aid.listed(
        situation.realm, situation.id, Side.OFFER, courses=(Course.OPEN,), capability="", page=1, within=None
    )
    assert (merged.name, merged.state) == ("Bertta", State.SUSPENDED)
    assert offers[1] == 1
    assert not await stores.readiness.recount(situation.realm, situation.id)

    await stores.readiness.know(association("Bertta", version=2, retired=True))
    assert await disputes.listed(situation, within=None) == []
    assert not await stores.readiness.recount(situation.realm, situation.id)


async def stormy(one: Desk) -> Round:
    """Aino's answers disagree, Bertta in Forssa has not answered; in the running service."""
    await one.app.state.readiness.know(association("Aino"))
    await one.app.state.readiness.know(association("Bertta", FORSSA))
    opened = storm()
    await one.app.state.situations.open(opened)
    round_: Round = await one.app.state.rounds.open(opened.situation, round_of(opened.situation))
    await one.app.state.readiness.hear(checkin("Aino", round_, SUSPENDED))
    await one.app.state.readiness.hear(checkin("Aino", round_, NORMAL, after=HALF_A_MINUTE))
    return round_


async def test_a_liaison_sees_the_dispute_chooses_with_a_reason_and_it_is_over(open_desk: Desk) -> None:
    round_ = await stormy(open_desk)
    browser, here = open_desk.browser, f"/situations/{round_.situation_id}"
    page = f"{here}/disputes/{association_id('Aino')}"
    open_desk.sign_in(Role.LIAISON)

    picture = await browser.get(here)
    listed = await browser.get(f"{here}/{TAMMELA}")
    empty = await browser.post(page, data={"reason": " "})
    form = await browser.get(page)
    ids = re.findall(r'name="seen" value="([^"]+)"', form.text)
    long = await browser.post(page, data={"answer": ids[0], "seen": ids, "reason": "x" * 301})
    pinned = await browser.post(page, data={"answer": ids[0], "seen": ids, "reason": "The <chair> called."})
    after = await browser.get(f"{here}/disputes?said=pinned")

    assert f'href="{here}/disputes"' in picture.text
    assert "1 yhdistyksen vastaukset ovat ristiriidassa" in picture.text
    assert "Linkillä" in listed.text
    assert "30 s aiemmin" in listed.text
    assert (empty.status_code, long.status_code, pinned.status_code) == (422, 422, 303)
    assert 'href="#f-answer"' in empty.text
    assert 'href="#f-reason"' in empty.text
    assert "x" * 301 in long.text
    assert f'value="{UUID(ids[0])}" id="f-answer-{UUID(ids[0])}" checked' in long.text
    assert "The &lt;chair&gt; called." in after.text
    assert str(LIAISON) not in after.text
    assert "ristiriidassa" not in (await browser.get(here)).text
    assert "Vahvistettu" in (await browser.get(f"{here}/{TAMMELA}")).text


async def test_others_see_what_is_in_their_sight_and_choose_nothing(open_desk: Desk) -> None:
    round_ = await stormy(open_desk)
    here = f"/situations/{round_.situation_id}/disputes"

    open_desk.sign_in(Role.EDITOR)
    seen = await open_desk.browser.get(here)
    refused = await open_desk.browser.post(f"{here}/{association_id('Aino')}", data={})
    open_desk.sign_in(Role.LIAISON, municipalities=frozenset({FORSSA}))
    elsewhere = await open_desk.browser.get(here)
    open_desk.sign_in(Role.LIAISON)
    none = await open_desk.browser.get(f"{here}/{association_id('Bertta')}")
    await open_desk.app.state.situations.close(await open_desk.app.state.situations.get(round_.situation_id))
    closed = await open_desk.browser.get(f"{here}/{association_id('Aino')}")

    assert "Aino" in seen.text
    assert f"{here}/" not in seen.text
    assert refused.status_code == 403
    assert "Aino" not in elsewhere.text
    assert (none.status_code, closed.status_code) == (404, 409)
