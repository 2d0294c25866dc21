"""Calls for attention as they are kept, looked after by the job, shown on the picture and acknowledged."""

import re
from uuid import UUID

import pytest

from services.status.attention import store as attention_store
from services.status.attention.model import Flaw, Refused, Rule, RuleDraft, Subject, set_rule
from services.status.attention.store import AttentionStore
from services.status.situation.model import Round, Situation
from shared.events.status import ReadinessChanged
from shared.i18n import Locale
from shared.identity import Role
from shared.ids import new_id
from shared.settings import Settings
from tests.fakes import FakeClock
from tests.status.conftest import Stores
from tests.status.people import LIAISON, Desk, association, checkin, desk, round_of, storm

TWO_FIRST_AIDERS = RuleDraft(Subject.CAPABILITY, "forssa", "first-aid", 2, None)


def rule(situation: Situation, clock: FakeClock, draft: RuleDraft = TWO_FIRST_AIDERS) -> Rule:
    made = set_rule(
        draft, realm=situation.realm, situation_id=situation.id, rule_id=new_id(), by=LIAISON, now=clock.now()
    )
    assert isinstance(made, Rule)
    return made


async def looked(attention: AttentionStore, clock: FakeClock, *, minutes: int = 1) -> None:
    """So many minutes pass, and the job runs in each."""
    for _ in range(minutes):
        clock.move(minutes=1)
        while await attention.look_next():
            continue


async def asked(stores: Stores) -> Round:
    for name in ("Aino", "Bertta"):
        await stores.readiness.know(association(name, capabilities=("first-aid",)))
    return await stores.ask("Cecilia")


async def test_a_low_figure_becomes_a_call_and_an_answer_ends_it(stores: Stores, clock: FakeClock) -> None:
    round_ = await asked(stores)
    situation = await stores.situation_of(round_)
    attention = AttentionStore(stores.database, clock=clock)
    await attention.set_rule(rule(situation, clock))
    await stores.readiness.hear(checkin("Aino", round_))

    await looked(attention, clock, minutes=7)
    [call] = await attention.calls(situation.realm, situation.id)
    told = [event for event in await stores.told() if isinstance(event, ReadinessChanged)]
    await looked(attention, clock, minutes=3)
    told_later = [event for event in await stores.told() if isinstance(event, ReadinessChanged)]
    await stores.readiness.hear(checkin("Bertta", round_, after=9))
    await looked(attention, clock)

    assert call.watch.value == 1
    assert call.watch.low_since is not None
    assert len(told) == len(told_later)
    assert told[-1].happened_at == call.watch.opened_at
    assert await attention.calls(situation.realm, situation.id) == []
    [kept] = await attention.listed(situation.realm, situation.id)
    assert (kept.watch.value, kept.watch.ended_at) == (2, clock.now())


async def test_a_look_is_due_again_after_a_while_and_only_in_open_situations(stores: Stores, clock: FakeClock) -> None:
    situation = await stores.situation_of(await stores.ask("Aino"))
    attention = AttentionStore(stores.database, clock=clock)

    assert not await attention.look_next()
    await attention.set_rule(rule(situation, clock))
    assert [await attention.look_next() for _ in range(2)] == [True, False]
    clock.move(seconds=20)
    assert await attention.look_next()
    await stores.situations.close(situation)
    clock.move(minutes=9)
    assert not await attention.look_next()


async def test_a_rule_is_set_once_and_not_beyond_measure(
    stores: Stores, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attention_store, "MOST_RULES", 2)
    situation = await stores.situation_of(await stores.ask("Aino"))
    attention = AttentionStore(stores.database, clock=clock)
    first = rule(situation, clock)

    outcomes = [await attention.set_rule(one) for one in (first, first, rule(situation, clock), rule(situation, clock))]
    await attention.remove(situation.realm, situation.id, first.id)
    await attention.remove(situation.realm, situation.id, first.id)

    assert outcomes == [None, None, None, Refused((Flaw.TOO_MANY,))]
    assert len(await attention.listed(situation.realm, situation.id)) == 1
    await stores.situations.close(situation)
    assert await attention.set_rule(rule(situation, clock)) == Refused((Flaw.SITUATION_CLOSED,))


async def open_storm(office: Desk) -> UUID:
    state = office.app.state
    await state.readiness.know(association("Aino", capabilities=("first-aid",)))
    opened = storm()
    await state.situations.open(opened)
    assert isinstance(await state.rounds.open(opened.situation, round_of(opened.situation)), Round)
    situation_id: UUID = opened.situation.id
    return situation_id


async def test_a_liaison_sets_a_rule_sees_its_call_and_acknowledges(settings: Settings, clock: FakeClock) -> None:
    async with desk(settings, clock) as office:
        situation_id = await open_storm(office)
        attention: AttentionStore = office.app.state.attention
        office.sign_in(Role.LIAISON)
        page = f"/situations/{situation_id}/attention"
        form = {"subject": "capability", "capability": "first-aid", "area": "forssa", "rule_id": str(new_id())}

        wrong = await office.browser.post(f"{page}?lang=en", data={**form, "wanted": "many"})
        done = [await office.browser.post(page, data={**form, "wanted": "2"}) for _ in range(2)]
        await looked(attention, clock, minutes=6)
        render = office.app.state.hub._render
        calling = await render((situation_id, Locale.EN, None))
        shown = (await office.browser.get(f"{page}?lang=en")).text
        found = re.search(rf'action="({page}/[^"]+/acknowledge)"', shown)
        assert found is not None
        acknowledged = await office.browser.post(found.group(1), data={"hours": "2"})
        quiet = await render((situation_id, Locale.EN, None))
        nonsense = await office.browser.post(found.group(1), data={"hours": "999"})
        removed = await office.browser.post(found.group(1).replace("acknowledge", "remove"))
        too_late = await office.browser.post(found.group(1), data={"hours": "2"})

    assert wrong.status_code == 422
    assert 'href="#f-capability-wanted"' in wrong.text
    assert 'value="many"' in wrong.text
    assert {response.status_code for response in done} == {303}
    text = "Forssa sub-region, first aid: 0 able now, at least 2 wanted"
    assert f"<li>{text}" in calling
    assert re.search(rf"data-live-say>[^<]+ told [\d:]+: {text}", calling)
    assert shown.count("at least 2 able</th>") == 1
    assert acknowledged.status_code == 303
    assert "Acknowledged until" in quiet
    assert not re.search(rf"data-live-say>[^<]+{text}", quiet)
    assert (nonsense.status_code, removed.status_code, too_late.status_code) == (422, 303, 409)


async def test_others_read_the_rules_and_change_none(settings: Settings, clock: FakeClock) -> None:
    async with desk(settings, clock) as office:
        situation_id = await open_storm(office)
        page = f"/situations/{situation_id}/attention"
        office.sign_in(Role.VIEWER)
        read_only = await office.browser.get(f"{page}?lang=fi")
        office.sign_in(Role.LIAISON, municipalities=frozenset({"061"}))
        limited = await office.browser.get(page)
        refused = await office.browser.post(page, data={"subject": "coverage", "area": "05", "wanted": "50"})
        office.sign_in(Role.LIAISON)
        unknown = await office.browser.get(f"/situations/{new_id()}/attention")
        await office.app.state.situations.close(await office.app.state.situations.get(situation_id))
        closed = await office.browser.post(page, data={"subject": "coverage", "area": "05", "wanted": "50"})

    assert "Sääntöjä ei ole" in read_only.text
    assert "Aseta sääntö" not in read_only.text
    assert '<form method="post">' not in limited.text
    assert (refused.status_code, unknown.status_code, closed.status_code) == (403, 404, 409)
