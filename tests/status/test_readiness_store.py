"""The readiness store: every figure is true to the standings, in whichever order news come."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from services.status.association.model import Filter
from services.status.readiness.model import Dimension, State, TallyKey, Verdict
from services.status.readiness.standing_rows import CHANGE, TREND
from services.status.situation.model import ALL_MUNICIPALITIES, ALL_SECTORS, Flaw, Refused, Round
from shared.events.intake import OperatingStatus
from shared.events.status import ASKED_PER_EVENT, ReadinessChanged, RoundOpened
from shared.ids import new_id
from tests.fakes import FakeClock
from tests.status.conftest import Stores
from tests.status.people import (
    FORSSA,
    HATTULA,
    TAMMELA,
    association,
    association_id,
    checkin,
    not_reached_event,
    round_of,
    storm,
)

LIMITED, SUSPENDED = OperatingStatus.LIMITED, OperatingStatus.SUSPENDED


async def test_a_round_asks_everybody_once_and_counts_them_as_silent(stores: Stores) -> None:
    round_ = await stores.ask("Aino", "Bertta", "Cecilia")
    situation = await stores.situation_of(round_)

    again = await stores.rounds.open(situation, round_)

    opened = [event for event in await stores.told() if isinstance(event, RoundOpened)]
    assert isinstance(again, Round)
    assert again.asked == round_.asked == 3
    assert [set(event.association_ids) for event in opened] == [
        {association_id("Aino"), association_id("Bertta"), association_id("Cecilia")}
    ]
    assert await stores.region(situation) == {State.NOT_ANSWERED: 3}
    assert not await stores.readiness.recount(situation.realm, situation.id)


async def test_a_large_round_is_told_in_parts_that_name_everybody_once(stores: Stores) -> None:
    names = [f"Yhdistys {number}" for number in range(2 * ASKED_PER_EVENT + 1)]
    round_ = await stores.ask(*names)

    parts = [event for event in await stores.told() if isinstance(event, RoundOpened)]

    assert [(event.part, event.parts) for event in parts] == [(1, 3), (2, 3), (3, 3)]
    assert sorted(id_ for event in parts for id_ in event.association_ids) == sorted(map(association_id, names))
    assert round_.asked == len(names)


async def test_who_is_in_the_area_and_not_in_the_filter_is_not_asked(stores: Stores) -> None:
    await stores.readiness.know(association("Aino", TAMMELA))
    await stores.readiness.know(association("Bertta", FORSSA))
    await stores.readiness.know(association("Cecilia", TAMMELA, "sports"))
    await stores.readiness.know(association("Entinen", TAMMELA, retired=True))
    opened = storm()
    await stores.situations.open(opened)

    counted = await stores.associations.count(Filter((TAMMELA,), ("village",)))
    round_ = await stores.rounds.open(
        opened.situation, round_of(opened.situation, municipalities=[TAMMELA], sectors=["village"])
    )

    assert isinstance(round_, Round)
    assert round_.asked == counted == 1
    assert await stores.region(opened.situation) == {State.NOT_ASKED: 2, State.NOT_ANSWERED: 1}


async def test_a_second_round_asks_the_others_and_keeps_what_is_known(stores: Stores, clock: FakeClock) -> None:
    first = await stores.ask("Aino", "Bertta")
    situation = await stores.situation_of(first)
    await stores.readiness.hear(checkin("Aino", first))
    await stores.readiness.hear(not_reached_event("Bertta", first))
    await stores.readiness.know(association("Cecilia", FORSSA))

    second = round_of(situation, now=clock.move(hours=1))
    await stores.rounds.open(situation, second)

    assert await stores.region(situation) == {State.NORMAL: 1, State.NOT_ANSWERED: 2}
    assert await stores.readiness.hear(not_reached_event("Bertta", first)) is Verdict.OTHER_ROUND
    assert await stores.readiness.hear(not_reached_event("Bertta", second)) is Verdict.HEARD
    assert not await stores.readiness.recount(situation.realm, situation.id)


async def test_a_round_that_reaches_nobody_is_refused_and_leaves_nothing(stores: Stores) -> None:
    opened = storm()
    await stores.situations.open(opened)

    refused = await stores.rounds.open(opened.situation, round_of(opened.situation))

    assert refused == Refused((Flaw.NOBODY_ASKED,))
    assert await stores.situations.rounds(opened.situation) == []
    assert not [event for event in await stores.told() if isinstance(event, RoundOpened)]


async def test_a_closed_situation_takes_no_round(stores: Stores) -> None:
    round_ = await stores.ask("Aino")
    situation = await stores.situation_of(round_)
    await stores.situations.close(situation)

    assert await stores.rounds.open(situation, round_of(situation)) == Refused((Flaw.SITUATION_CLOSED,))


async def test_a_check_in_moves_one_from_silent_to_its_state_in_every_dimension(stores: Stores) -> None:
    round_ = await stores.ask("Aino", "Bertta")
    situation = await stores.situation_of(round_)

    verdict = await stores.readiness.hear(checkin("Aino", round_, LIMITED))

    tallies = await stores.tallies(situation)
    assert verdict is Verdict.HEARD
    for dimension, key in (
        (Dimension.MUNICIPALITY, TAMMELA),
        (Dimension.SUB_REGION, "forssa"),
        (Dimension.REGION, "05"),
        (Dimension.SECTOR, "village"),
    ):
        assert tallies[TallyKey(dimension, key, State.LIMITED)] == 1
        assert tallies[TallyKey(dimension, key, State.NOT_ANSWERED)] == 1
    assert isinstance((await stores.told())[-1], ReadinessChanged)


async def test_the_same_event_delivered_again_changes_nothing_and_says_nothing(stores: Stores) -> None:
    round_ = await stores.ask("Aino")
    news = checkin("Aino", round_)
    await stores.readiness.hear(news)
    before = len(await stores.told())

    verdict = await stores.readiness.hear(news)

    assert verdict is Verdict.REPEATED
    assert len(await stores.told()) == before


async def test_an_older_report_that_comes_late_changes_nothing(stores: Stores) -> None:
    round_ = await stores.ask("Aino")
    situation = await stores.situation_of(round_)
    await stores.readiness.hear(checkin("Aino", round_, SUSPENDED, after=20))

    verdict = await stores.readiness.hear(checkin("Aino", round_, after=10))

    assert verdict is Verdict.OLDER
    assert await stores.region(situation) == {State.SUSPENDED: 1}


async def test_an_association_that_was_not_asked_is_counted_when_it_reports(stores: Stores) -> None:
    round_ = await stores.ask("Aino")
    situation = await stores.situation_of(round_)
    await stores.readiness.know(association("Uusi", HATTULA))

    await stores.readiness.hear(checkin("Uusi", round_))

    tallies = await stores.tallies(situation)
    assert tallies[TallyKey(Dimension.MUNICIPALITY, HATTULA, State.NORMAL)] == 1
    assert not await stores.readiness.recount(situation.realm, situation.id)


async def test_a_report_that_comes_before_its_association_is_heard_when_tried_again(stores: Stores) -> None:
    round_ = await stores.ask("Aino")
    news = checkin("Uusi", round_)

    early = await stores.readiness.hear(news)
    await stores.readiness.know(association("Uusi"))
    later = await stores.readiness.hear(news)

    assert (early, later) == (Verdict.ASSOCIATION_UNKNOWN, Verdict.HEARD)


async def test_a_report_in_an_unknown_situation_or_another_realm_is_not_counted(stores: Stores) -> None:
    round_ = await stores.ask("Aino")
    lost = checkin("Aino", round_).model_copy(update={"situation_id": new_id()})
    strayed = checkin("Aino", round_).model_copy(update={"realm": "ex-1"})

    assert await stores.readiness.hear(lost) is Verdict.SITUATION_UNKNOWN
    assert await stores.readiness.hear(strayed) is Verdict.SITUATION_UNKNOWN


async def test_answers_grow_stale_page_by_page_and_only_while_the_situation_is_open(
    stores: Stores, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.status.readiness.store.PAGE", 2)
    round_ = await stores.ask("Aino", "Bertta", "Cecilia")
    situation = await stores.situation_of(round_)
    for name in ("Aino", "Bertta", "Cecilia"):
        await stores.readiness.hear(checkin(name, round_))
    clock.move(hours=12)

    counts = [await stores.readiness.expire_due()]
    middle = await stores.region(situation)
    await stores.situations.close(situation)
    counts.append(await stores.readiness.expire_due())

    assert counts == [2, 0]
    assert middle == {State.NORMAL: 1, State.STALE: 2}
    assert not await stores.readiness.recount(situation.realm, situation.id)


async def test_changes_and_trend_tell_what_happened_and_when(stores: Stores, clock: FakeClock) -> None:
    round_ = await stores.ask("Aino", "Bertta")
    clock.move(minutes=7)
    await stores.readiness.hear(checkin("Aino", round_, LIMITED, after=6))

    async with stores.database.read() as session:
        changes = (await session.execute(select(CHANGE.c.name, CHANGE.c.before, CHANGE.c.after, CHANGE.c.at))).all()
        trend = (await session.execute(select(TREND.c.slot, TREND.c.state, TREND.c.delta))).all()
    assert changes == [("Aino", "not_answered", "limited", clock.now())]
    assert sorted((slot.minute, state, delta) for slot, state, delta in trend) == [
        (0, "not_answered", 2),
        (5, "limited", 1),
        (5, "not_answered", -1),
    ]


async def test_the_newest_version_of_an_association_stays(stores: Stores) -> None:
    await stores.readiness.know(association("Aino", FORSSA, version=2))
    await stores.readiness.know(association("Aino", TAMMELA, version=1))

    assert await stores.associations.count(Filter((FORSSA,), ("village",))) == 1
    assert await stores.associations.count(Filter((TAMMELA,), ("village",))) == 0


async def test_a_round_may_ask_only_those_who_can_do_something(stores: Stores) -> None:
    await stores.readiness.know(association("Aino", capabilities=("first-aid", "transport")))
    await stores.readiness.know(association("Bertta", capabilities=("transport-help",)))
    await stores.readiness.know(association("Cecilia", networks=("silta",), capabilities=("transport",)))
    opened = storm()
    await stores.situations.open(opened)
    everywhere = Filter(ALL_MUNICIPALITIES, ALL_SECTORS)

    assert await stores.associations.count(replace(everywhere, capabilities=("transport",))) == 2
    assert await stores.associations.count(replace(everywhere, capabilities=("transport",), networks=("silta",))) == 1
    asks = replace(everywhere, capabilities=("transport", "first-aid"))
    round_ = await stores.rounds.open(opened.situation, replace(round_of(opened.situation), asks=asks))

    tallies = await stores.tallies(opened.situation)
    assert isinstance(round_, Round)
    assert round_.asked == 2
    assert tallies[TallyKey(Dimension.CAPABILITY, "transport", State.NOT_ANSWERED)] == 2
    assert tallies[TallyKey(Dimension.CAPABILITY, "transport-help", State.NOT_ASKED)] == 1
    assert tallies[TallyKey(Dimension.NETWORK, "silta", State.NOT_ANSWERED)] == 1


async def test_what_an_association_becomes_is_counted_while_the_situation_is_open(stores: Stores) -> None:
    round_ = await stores.ask("Aino", "Bertta")
    situation = await stores.situation_of(round_)
    await stores.readiness.hear(checkin("Aino", round_, LIMITED))

    await stores.readiness.know(association("Aino", FORSSA, version=2, networks=("silta",)))

    tallies = await stores.tallies(situation)
    assert tallies[TallyKey(Dimension.MUNICIPALITY, FORSSA, State.LIMITED)] == 1
    assert tallies[TallyKey(Dimension.NETWORK, "silta", State.LIMITED)] == 1
    assert tallies[TallyKey(Dimension.MUNICIPALITY, TAMMELA, State.LIMITED)] == 0
    await stores.situations.close(situation)
    await stores.readiness.know(association("Aino", HATTULA, version=3))
    assert await stores.tallies(situation) == tallies
    assert not await stores.readiness.recount(situation.realm, situation.id)


async def test_one_that_leaves_is_counted_no_more_and_its_late_answer_is_no_fault(stores: Stores) -> None:
    round_ = await stores.ask("Aino", "Bertta")
    situation = await stores.situation_of(round_)

    await stores.readiness.know(association("Aino", version=2, retired=True))
    verdict = await stores.readiness.hear(checkin("Aino", round_))

    assert verdict is Verdict.LEFT
    assert await stores.region(situation) == {State.NOT_ANSWERED: 1}
    assert not await stores.readiness.recount(situation.realm, situation.id)


async def test_one_that_is_merged_leaves_its_answers_to_the_other(stores: Stores) -> None:
    round_ = await stores.ask("Aino", "Bertta", "Cecilia")
    situation = await stores.situation_of(round_)
    await stores.readiness.hear(checkin("Aino", round_, LIMITED, after=5))

    await stores.readiness.know(association("Aino", version=2, retired=True, merged_into="Bertta"))
    assert await stores.region(situation) == {State.LIMITED: 1, State.NOT_ANSWERED: 1}
    await stores.readiness.know(association("Bertta", version=2, retired=True, merged_into="Cecilia"))
    assert await stores.region(situation) == {State.LIMITED: 1}
    late = await stores.readiness.hear(checkin("Aino", round_, SUSPENDED, after=20))

    assert late is Verdict.HEARD
    assert await stores.readiness.hear(not_reached_event("Aino", round_)) is Verdict.LEFT
    assert await stores.region(situation) == {State.SUSPENDED: 1}
    assert not await stores.readiness.recount(situation.realm, situation.id)
