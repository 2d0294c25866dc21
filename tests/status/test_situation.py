"""Situations and rounds: what may be opened, what is told of it, and what ends."""

from datetime import timedelta

import pytest

from services.status.association.model import Filter
from services.status.situation.jobs import SituationJobs
from services.status.situation.model import (
    ALL_MUNICIPALITIES,
    ALL_SECTORS,
    Changed,
    Flaw,
    Kind,
    Names,
    Opened,
    Refused,
    Round,
    RoundDraft,
    SituationDraft,
    change_situation,
    open_round,
    open_situation,
    parts_of,
    round_opened,
)
from shared.events.status import (
    ASKED_PER_EVENT,
    RoundClosed,
    SituationChanged,
    SituationClosed,
    SituationOpened,
)
from shared.ids import new_id
from shared.realm import LIVE, Realm
from tests.fakes import STORM_EVENING, FakeClock
from tests.status.conftest import Stores
from tests.status.people import FORSSA, LIAISON, TAMMELA, round_of, storm

GOOD = SituationDraft(Names("Marrasmyrsky"), "storm", (TAMMELA, FORSSA), 12)


def opened(draft: SituationDraft, realm: Realm = LIVE) -> Opened | Refused:
    return open_situation(draft, situation_id=new_id(), realm=realm, opened_by=LIAISON, now=STORM_EVENING)


def test_a_situation_is_told_with_a_name_in_every_language() -> None:
    outcome = opened(GOOD, Realm("ex-1"))

    assert isinstance(outcome, Opened)
    assert outcome.event.names == {"fi": "Marrasmyrsky", "sv": "Marrasmyrsky", "en": "Marrasmyrsky"}
    assert outcome.event.municipalities == (FORSSA, TAMMELA)
    assert outcome.event.realm == outcome.situation.realm == "ex-1"


@pytest.mark.parametrize(
    ("draft", "flaw"),
    [
        (SituationDraft(Names(""), "storm", (TAMMELA,), 12), Flaw.NAME_MISSING),
        (SituationDraft(Names("x" * 121), "storm", (TAMMELA,), 12), Flaw.NAME_TOO_LONG),
        (SituationDraft(Names("x", sv="x" * 121), "storm", (TAMMELA,), 12), Flaw.NAME_TOO_LONG),
        (SituationDraft(Names("x"), "comet", (TAMMELA,), 12), Flaw.KIND_UNKNOWN),
        (SituationDraft(Names("x"), "storm", ("091",), 12), Flaw.NO_MUNICIPALITY),
        (SituationDraft(Names("x"), "storm", (TAMMELA,), 0), Flaw.FRESHNESS_OUT_OF_RANGE),
        (SituationDraft(Names("x"), "storm", (TAMMELA,), None), Flaw.FRESHNESS_OUT_OF_RANGE),
    ],
)
def test_a_flawed_situation_is_refused_with_its_reason(draft: SituationDraft, flaw: Flaw) -> None:
    assert opened(draft) == Refused((flaw,))


def test_every_flaw_is_named_at_once() -> None:
    outcome = opened(SituationDraft(Names(""), "", (), None))

    assert isinstance(outcome, Refused)
    assert len(outcome.flaws) == 4


def test_a_round_asks_from_now_for_so_many_hours() -> None:
    situation = storm().situation
    draft = RoundDraft(Filter((TAMMELA, "nowhere"), ALL_SECTORS), 24)

    round_ = open_round(situation, draft, round_id=new_id(), opened_by=LIAISON, now=STORM_EVENING)

    assert isinstance(round_, Round)
    assert round_.asks.municipalities == (TAMMELA,)
    assert round_.closes_at == STORM_EVENING + timedelta(hours=24)


@pytest.mark.parametrize(
    ("draft", "flaw"),
    [
        (RoundDraft(Filter((), ALL_SECTORS), 24), Flaw.NO_MUNICIPALITY),
        (RoundDraft(Filter(ALL_MUNICIPALITIES, ()), 24), Flaw.NO_SECTOR),
        (RoundDraft(Filter(ALL_MUNICIPALITIES, ALL_SECTORS), 337), Flaw.DEADLINE_OUT_OF_RANGE),
        (RoundDraft(Filter(ALL_MUNICIPALITIES, ALL_SECTORS), None), Flaw.DEADLINE_OUT_OF_RANGE),
    ],
)
def test_a_flawed_round_is_refused_with_its_reason(draft: RoundDraft, flaw: Flaw) -> None:
    situation = storm().situation

    assert open_round(situation, draft, round_id=new_id(), opened_by=LIAISON, now=STORM_EVENING) == Refused((flaw,))


def test_a_part_of_a_round_stays_below_what_a_message_may_weigh() -> None:
    situation = storm(names=Names("å" * 120, "å" * 120, "å" * 120)).situation

    event = round_opened(
        round_of(situation), situation.names, [new_id()] * ASKED_PER_EVENT, part=1, parts=parts_of(3253)
    )

    assert len(event.body()) < 32_000
    assert event.parts == 7


async def test_opening_the_same_situation_twice_tells_it_once(stores: Stores) -> None:
    once = storm()

    await stores.situations.open(once)
    await stores.situations.open(once)

    assert await stores.situations.get(once.situation.id) == once.situation
    assert [type(event) for event in await stores.told()] == [SituationOpened]


async def test_a_change_is_told_and_comes_too_late_after_the_end(stores: Stores) -> None:
    once = storm()
    await stores.situations.open(once)
    changed = change_situation(once.situation, GOOD, now=STORM_EVENING)
    assert isinstance(changed, Changed)

    first = await stores.situations.change(changed)
    await stores.situations.close(once.situation)
    second = await stores.situations.change(changed)

    assert (first, second) == (True, False)
    kept = await stores.situations.get(once.situation.id)
    assert kept is not None
    assert (kept.kind, kept.municipalities) == (Kind.STORM, (FORSSA, TAMMELA))
    assert [type(event) for event in await stores.told()] == [SituationOpened, SituationChanged, SituationClosed]
    assert change_situation(kept, GOOD, now=STORM_EVENING) == Refused((Flaw.SITUATION_CLOSED,))


async def test_closing_ends_the_open_rounds_once(stores: Stores) -> None:
    round_ = await stores.ask("Aino")
    situation = await stores.situation_of(round_)

    closed = [await stores.situations.close(situation), await stores.situations.close(situation)]

    told = await stores.told()
    assert closed == [True, False]
    assert [event.round_id for event in told if isinstance(event, RoundClosed)] == [round_.id]
    assert len([event for event in told if isinstance(event, SituationClosed)]) == 1


async def test_a_round_ends_by_itself_when_its_time_is_up(stores: Stores, clock: FakeClock) -> None:
    round_ = await stores.ask("Aino")
    situation = await stores.situation_of(round_)
    jobs = SituationJobs(stores.situations)

    clock.move(hours=24, seconds=-1)
    early = await jobs.close_due_rounds()
    clock.move(seconds=1)
    due, after = await jobs.close_due_rounds(), await jobs.close_due_rounds()

    assert (early, due, after) == (False, True, False)
    [kept] = await stores.situations.rounds(situation)
    assert kept.closed_at == clock.now()
    assert [event.round_id for event in await stores.told() if isinstance(event, RoundClosed)] == [round_.id]


async def test_open_situations_are_listed_before_past_ones(stores: Stores, clock: FakeClock) -> None:
    first = storm(now=clock.now())
    second = storm(now=clock.move(hours=1))
    for one in (first, second):
        await stores.situations.open(one)
    await stores.situations.close(second.situation)

    listed = [situation.id for situation in await stores.situations.list_all()]

    assert listed == [first.situation.id, second.situation.id]
