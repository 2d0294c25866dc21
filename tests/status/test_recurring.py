"""Rounds that recur: at the hours that were asked for by the wall clock, one at a time, and caught up with once."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.status.round.model import EVERY_HOURS, Recurrence, Series, recur, slot_after, turn
from services.status.situation.model import Flaw, Refused, Round, Situation
from shared.events.intake import AssociationChanged
from shared.events.status import RoundClosed, RoundOpened, RoundReminded
from shared.i18n import HELSINKI
from shared.identity import Role
from shared.quiet_hours import quiet
from shared.settings import Settings
from tests.fakes import FakeClock
from tests.intake.house import ADDRESS, AINO, BERTTA, Intake, running_intake
from tests.status.conftest import Stores
from tests.status.people import Desk, association, desk, round_of, storm

SIX_HOURLY = Recurrence(every=6, begins=8, ends=20)
CHANGES_OF_CLOCKS = ["2026-03-26T10:00+00:00", pytest.param("2026-10-22T10:00+00:00", marks=pytest.mark.slow)]
"""Thursdays before the clocks go forward, and before they go back."""

moments = st.integers(0, 365 * 24 * 60).map(
    lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)
recurrences = st.builds(
    lambda every, begins, length: Recurrence(every, begins, min(24, begins + length)),
    st.sampled_from(EVERY_HOURS),
    st.integers(0, 23),
    st.integers(1, 24),
)


def series(
    recurs: Recurrence = SIX_HOURLY, *, at: datetime, situation: Situation | None = None
) -> tuple[Round, Series]:
    """A round that recurs, and its series."""
    first = round_of(situation or storm(now=at).situation, now=at)
    outcome = recur(replace(first, urgent=True), recurs)
    assert not isinstance(outcome, Refused)
    return outcome


@given(recurrences, moments, st.integers(0, 20))
def test_the_next_time_is_later_within_the_hours_and_never_far(recurs: Recurrence, since: datetime, days: int) -> None:
    now = since + timedelta(days=days)

    at = slot_after(recurs, now, since=since)

    assert at > now
    assert at - now <= timedelta(days=max(1, recurs.every // 24), hours=25)
    spring = at.astimezone(HELSINKI) - timedelta(hours=1)  # 3 o'clock is left out in spring: asked at 4 instead
    hours = range(recurs.begins, recurs.ends, recurs.every)
    assert at.astimezone(HELSINKI).hour in hours or spring.hour in {2, 3}
    assert slot_after(recurs, at - timedelta(seconds=1), since=since) == at


@given(recurrences, moments, st.lists(st.integers(1, 3000), max_size=10))
def test_however_long_nothing_ran_one_round_is_opened_at_most(
    recurs: Recurrence, at: datetime, waits: list[int]
) -> None:
    _, one = series(recurs, at=at)
    now = at
    for wait in waits:
        now += timedelta(minutes=wait)
        came = turn(one, now)
        if came is None:
            assert now < one.next_at
            continue
        assert came.then > now
        one = replace(one, next_at=came.then)
        assert turn(one, now) is None


@pytest.mark.parametrize(
    ("recurs", "urgent"),
    [
        (Recurrence(6, 6, 20), False),
        (Recurrence(6, 8, 22), False),
        (Recurrence(5, 8, 20), True),
        (Recurrence(6, 9, 9), True),
    ],
)
def test_hours_that_cannot_be_or_are_at_night_unasked_are_refused(recurs: Recurrence, urgent: bool) -> None:
    round_ = replace(round_of(storm().situation), urgent=urgent)

    assert recur(round_, recurs) == Refused((Flaw.RECURRENCE_OUT_OF_RANGE,))


def test_what_was_missed_is_made_up_for_by_day_if_there_is_time_before_the_next() -> None:
    _, one = series(at=datetime(2026, 6, 1, 3, tzinfo=UTC))  # asks at 8 and at 14 in Finland: 5 and 11 in UTC
    came = {hour: turn(one, datetime(2026, 6, 2, hour, 30, tzinfo=UTC)) for hour in (4, 6, 9, 12, 18)}

    assert {hour: it.asks for hour, it in came.items() if it} == {4: False, 6: True, 9: False, 12: True, 18: False}


async def walk(stores: Stores, clock: FakeClock, *, days: int) -> None:
    """Let time go by in steps of an hour, with everything done that is due."""
    for _ in range(days * 24):
        clock.move(hours=1)
        await stores.situations.close_due_rounds()
        await stores.rounds.remind_due()
        await stores.rounds.repeat_due()


@pytest.mark.slow
@pytest.mark.parametrize("start", CHANGES_OF_CLOCKS)
async def test_over_a_change_of_the_clocks_the_series_asks_at_the_same_hours(
    stores: Stores, clock: FakeClock, start: str
) -> None:
    clock.move(seconds=(datetime.fromisoformat(start) - clock.now()).total_seconds())
    await stores.readiness.know(association("Aino"))
    opened = storm(now=clock.now())
    await stores.situations.open(opened)
    round_, one = series(at=clock.now(), situation=opened.situation)
    await stores.rounds.open(opened.situation, replace(round_, urgent=False), replace(one, urgent=False, reminders=1))

    await walk(stores, clock, days=7)

    told = await stores.told()
    asked = [event.happened_at.astimezone(HELSINKI) for event in told if isinstance(event, RoundOpened)][1:]
    assert {at.hour for at in asked} == {8, 14}
    assert {at.minute for at in asked} == {0}
    assert len(asked) == 14
    reminded = [event for event in told if isinstance(event, RoundReminded)]
    assert len(reminded) == len({event.round_id for event in reminded})
    assert not [event for event in reminded if quiet(event.happened_at)]
    open_now = [one for one in await stores.situations.rounds(opened.situation) if one.closed_at is None]
    assert len(open_now) <= 1
    ended = [event.round_id for event in told if isinstance(event, RoundClosed)]
    assert len(ended) == len(set(ended)) == 15 - len(open_now)


async def test_after_a_stop_one_round_is_opened_and_a_closed_situation_asks_no_more(
    stores: Stores, clock: FakeClock
) -> None:
    await stores.readiness.know(association("Aino"))
    opened = storm(now=clock.now())
    await stores.situations.open(opened)
    round_, one = series(at=clock.now(), situation=opened.situation)
    await stores.rounds.open(opened.situation, round_, one)
    await stores.rounds.open(opened.situation, round_, one)
    clock.move(days=3, hours=13)  # half past eight in the morning, three days later

    counts = [await stores.rounds.repeat_due() for _ in range(3)]

    rounds = await stores.situations.rounds(opened.situation)
    assert counts == [1, 0, 0]
    assert [one.closed_at is None for one in rounds] == [True, False]
    assert not await stores.readiness.recount(opened.situation.realm, opened.situation.id)
    await stores.situations.close(opened.situation)
    clock.move(days=2)
    assert await stores.rounds.repeat_due() == 0


async def deliver(stores: Stores, intake: Intake, already: set[object]) -> None:
    """Give intake what status says, as the bus would."""
    for event in await stores.told():
        if event.event_id not in already:
            already.add(event.event_id)
            if isinstance(event, RoundOpened):
                await intake.app.state.invitation.invite(event)
            elif isinstance(event, RoundReminded):
                await intake.app.state.reminders.remind(event)


@pytest.mark.parametrize("start", CHANGES_OF_CLOCKS)
async def test_a_week_of_letters_reminds_the_silent_by_day_and_stops_at_an_answer_or_after_the_last(
    stores: Stores, clock: FakeClock, settings: Settings, start: str
) -> None:
    clock.move(seconds=(datetime.fromisoformat(start) - clock.now()).total_seconds())
    async with running_intake(settings, clock) as intake:
        await intake.take_in(AINO, BERTTA)
        for told in await intake.said("association_changed"):
            await stores.readiness.know(AssociationChanged.model_validate(told))
        opened = storm(now=clock.now())
        await stores.situations.open(opened)
        round_ = round_of(opened.situation, now=clock.now(), hours=7 * 24)
        await stores.rounds.open(opened.situation, replace(round_, reminders=3))
        already: set[object] = set()
        for day in range(7):
            if day == 3:
                path = (await intake.link(0)).removeprefix(ADDRESS)
                assert (await intake.browser.post(path, data={"status": "limited"})).status_code == 200
            for _ in range(24):
                await deliver(stores, intake, already)
                clock.move(hours=1)
                await stores.rounds.remind_due()
        letters = [letter for letter in await intake.said("bulk") if letter["kind"] == "reminder"]

    moments = [datetime.fromisoformat(letter["happened_at"]) for letter in letters]
    assert [letter["address"] for letter in letters].count("bertta@example.org") == 3
    assert [letter["address"] for letter in letters].count("aino@example.org") == 1
    assert not [at for at in moments if quiet(at)]
    assert {at.astimezone(HELSINKI).hour for at in moments} <= set(range(7, 21))


@pytest.fixture
async def open_desk(settings: Settings, clock: FakeClock) -> AsyncIterator[Desk]:
    async with desk(settings, clock) as one:
        await one.app.state.readiness.know(association("Aino ry"))
        yield one


async def test_a_liaison_has_a_round_asked_anew_and_ends_that(open_desk: Desk) -> None:
    opened = storm()
    await open_desk.app.state.situations.open(opened)
    open_desk.sign_in(Role.LIAISON)
    browser, path = open_desk.browser, f"/situations/{opened.situation.id}/rounds"
    choice = {"municipalities": ["05"], "sectors": ["all"], "hours": "48", "every": "6", "begins": "8", "ends": "20"}

    confirm = await browser.post(f"{path}/new?lang=en", data={**choice, "step": "confirm"})
    wrong = await browser.post(f"{path}/new?lang=en", data={**choice, "begins": "5", "step": "confirm"})
    done = await browser.post(f"{path}/new", data={**choice, "step": "open"})
    listed = await browser.get(f"{path}?lang=en")
    end = re.search(r'action="([^"]+/end)"', listed.text)
    assert end
    ended = await browser.post(end[1])
    after = await browser.get(f"{ended.headers['location']}&lang=en")

    assert "Every 6 hours from 8 to 20 o&#39;clock" in confirm.text
    assert wrong.status_code == 422
    assert 'href="#f-begins"' in wrong.text
    assert done.status_code == ended.status_code == 303
    assert "Answers are expected." in listed.text
    assert "Ended" in after.text
    [one] = await open_desk.app.state.rounds.series(opened.situation)
    [round_] = await open_desk.app.state.situations.rounds(opened.situation)
    assert one.ended_at is not None
    assert (round_.series_id, round_.closes_at) == (one.id, one.next_at)
