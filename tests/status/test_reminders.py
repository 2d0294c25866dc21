"""Reminders: to the silent only, by day, fewer than would be a nuisance, and none after the end."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.status.round.model import APART, Phase, due_reminder, next_reminder, phase, reminder_times
from services.status.situation.model import Round
from shared.events.status import RoundReminded
from shared.i18n import HELSINKI
from shared.quiet_hours import quiet
from tests.fakes import FakeClock
from tests.status.conftest import Stores
from tests.status.people import association, round_of, storm

rounds = st.builds(
    lambda start, hours, reminders, urgent: replace(
        round_of(storm().situation, now=start, hours=hours), reminders=reminders, urgent=urgent
    ),
    st.integers(0, 365 * 24 * 60).map(lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)),
    st.integers(1, 336),
    st.integers(0, 3),
    st.booleans(),
)


@given(rounds)
def test_reminders_come_by_day_apart_and_within_the_time_to_answer(round_: Round) -> None:
    times = reminder_times(round_)

    assert len(times) <= round_.reminders
    assert list(times) == sorted(times)
    for at, before in zip(times, (round_.opened_at, *times), strict=False):
        assert at - before >= APART
        assert round_.closes_at - at >= APART
        assert round_.urgent or not quiet(at)


@given(rounds, st.integers(0, 400))
def test_silence_is_called_expected_then_late_then_silent_then_nothing(round_: Round, hours: int) -> None:
    order = [Phase.EXPECTED, Phase.LATE, Phase.SILENT, Phase.OVER]
    now = round_.opened_at + timedelta(hours=hours)

    assert order.index(phase(round_, now)) <= order.index(phase(round_, now + timedelta(hours=1)))


@given(rounds, st.lists(st.integers(1, 40), max_size=12))
def test_whenever_the_job_runs_each_reminder_is_sent_once_at_most_and_in_order(round_: Round, waits: list[int]) -> None:
    now, sent = round_.opened_at, []
    for wait in waits:
        now += timedelta(hours=wait)
        due = due_reminder(round_, now)
        if due is not None:
            sent.append(due.number)
            round_ = replace(round_, reminded=due.number)
            assert now < round_.closes_at
            assert round_.urgent or not quiet(now)
            assert next_reminder(round_) == due.then

    assert sent == sorted(set(sent))


def test_after_an_outage_only_the_newest_reminder_is_sent() -> None:
    start = datetime(2026, 6, 1, 6, tzinfo=UTC)
    round_ = replace(round_of(storm().situation, now=start, hours=12), reminders=3)
    first, second, third = reminder_times(round_)

    due = due_reminder(round_, second + timedelta(minutes=5))

    assert due is not None
    assert (due.number, due.of, due.then) == (2, 3, third)
    assert first < second


@pytest.mark.parametrize("start", ["2026-03-26T12:00+00:00", "2026-10-22T12:00+00:00"])
async def test_a_week_with_a_change_of_the_clocks_reminds_by_day(stores: Stores, clock: FakeClock, start: str) -> None:
    clock.move(seconds=(datetime.fromisoformat(start) - clock.now()).total_seconds())
    await stores.readiness.know(association("Aino"))
    opened = storm(now=clock.now())
    await stores.situations.open(opened)
    round_ = replace(round_of(opened.situation, now=clock.now(), hours=7 * 24), reminders=3)
    await stores.rounds.open(opened.situation, round_)

    for _ in range(7 * 24):
        clock.move(hours=1)
        await stores.rounds.remind_due()

    reminded = [event for event in await stores.told() if isinstance(event, RoundReminded)]
    assert [(event.number, event.last) for event in reminded] == [(1, False), (2, False), (3, True)]
    hours = [event.happened_at.astimezone(HELSINKI).hour for event in reminded]
    assert all(7 <= hour < 21 for hour in hours)


async def test_a_closed_round_reminds_nobody(stores: Stores, clock: FakeClock) -> None:
    await stores.readiness.know(association("Aino"))
    opened = storm()
    await stores.situations.open(opened)
    await stores.rounds.open(opened.situation, replace(round_of(opened.situation), reminders=3, urgent=True))
    await stores.situations.close(opened.situation)
    clock.move(hours=20)

    assert await stores.rounds.remind_due() == 0
    assert not [event for event in await stores.told() if isinstance(event, RoundReminded)]
