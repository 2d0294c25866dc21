"""The history of an exercise's clock: a moment of real time lies where the clock stood then."""

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.exercise.exercise.model import ClockHistory, ClockPoint, PlayClock, bends
from tests.exercise.conftest import Stage
from tests.fakes import STORM_EVENING

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["look", "pause", "resume", "speed", "away"]),
        st.integers(0, 3000),
        st.integers(1, 600),
    ),
    max_size=40,
)


def after(clock: PlayClock, verb: str, speed: int, now: datetime) -> PlayClock:
    """The clock after this was done to it."""
    match verb:
        case "pause":
            return clock.standing(now)
        case "resume":
            return clock.going(now)
        case "speed":
            looked = clock.looked_at(now)
            return PlayClock(looked.elapsed, speed, looked.since)
        case _:
            return clock.looked_at(now)


@given(STEPS)
def test_each_moment_lies_where_the_clock_stood_then(steps: list[tuple[str, int, int]]) -> None:
    now, clock = STORM_EVENING, PlayClock(speed=60)
    points: dict[datetime, ClockPoint] = {}
    stood: list[tuple[datetime, timedelta]] = []
    for verb, milliseconds, speed in [("resume", 0, 1), *steps]:
        now += timedelta(milliseconds=milliseconds, seconds=60 if verb == "away" else 0)
        later = after(clock, verb, speed, now)
        points |= {point.at: point for point in bends(clock, later)}
        clock = later
        stood.append((now, clock.elapsed))

    history = ClockHistory(tuple(points[at] for at in sorted(points)), clock.elapsed)

    for moment, offset in stood:
        assert abs(history.offset(moment) - offset) <= timedelta(milliseconds=2)
    told = [history.offset(STORM_EVENING + timedelta(seconds=second)) for second in range(-5, 200)]
    assert told == sorted(told)


def test_a_clock_that_just_goes_on_adds_nothing_to_its_history() -> None:
    clock = PlayClock(timedelta(minutes=5), 60, STORM_EVENING)

    assert bends(clock, clock.looked_at(STORM_EVENING + timedelta(seconds=2))) == ()
    assert bends(clock.standing(STORM_EVENING), clock.standing(STORM_EVENING)) == ()


def test_nothing_lies_before_the_start_or_after_where_the_clock_stands() -> None:
    history = ClockHistory((ClockPoint(STORM_EVENING, timedelta(), 60),), timedelta(minutes=10))

    assert history.offset(STORM_EVENING - timedelta(hours=1)) == timedelta()
    assert history.offset(STORM_EVENING + timedelta(seconds=5)) == timedelta(minutes=5)
    assert history.offset(STORM_EVENING + timedelta(hours=1)) == timedelta(minutes=10)


async def test_pauses_speeds_and_times_when_nobody_looked_are_kept(stage: Stage) -> None:
    exercise = await stage.running(speed=60)
    begun = stage.clock.now()
    await stage.run(10)
    await stage.exercises.pause(exercise.id)
    stage.clock.move(minutes=30)
    await stage.exercises.resume(exercise.id)
    await stage.run(5)
    await stage.exercises.change_speed(exercise.id, 600)
    await stage.run(2)
    stage.clock.move(hours=1)
    await stage.run(3)

    history = await stage.exercises.history(await stage.exercises.one(exercise.id))

    minutes = [
        history.offset(begun + timedelta(seconds=seconds)) / timedelta(minutes=1)
        for seconds in (5, 10, 900, 1810, 1813, 1815, 1816, 1817, 3000, 5418, 5419, 5420)
    ]
    assert minutes == [5, 10, 10, 10, 13, 15, 25, 35, 35, 35, 45, 55]
