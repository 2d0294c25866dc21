"""The director: each inject is put in when its time has come, once, and the clock stands when nobody looks."""

from datetime import timedelta

import pytest

from services.exercise.director import store as director_store
from services.exercise.director.model import InjectState, mailed, offered
from services.exercise.exercise.model import Exercise, Flaw, PlayClock, Refused, State
from services.exercise.scenario.model import MARKS
from shared.events.exercise import ExerciseEnded, ExerciseStarted, InjectFired, RosterFrozen
from tests.exercise.conftest import AINO, STORM, Stage
from tests.fakes import STORM_EVENING


async def test_an_exercise_that_is_planned_tells_nothing(stage: Stage) -> None:
    await stage.planned()

    await stage.run(5)

    assert await stage.told() == []


async def test_its_roster_is_told_when_it_starts_and_only_there_stands_an_address(stage: Stage) -> None:
    exercise = await stage.planned(participants="Bertta@example.org\naino@example.org\n\naino@example.org")

    await stage.exercises.start(exercise.id)

    roster, started = await stage.told()
    assert isinstance(roster, RosterFrozen)
    assert roster.addresses == ("aino@example.org", "bertta@example.org")
    assert isinstance(started, ExerciseStarted)
    assert started.titles["sv"] == "ÖVNING: Vinterstorm och omfattande elavbrott"
    assert roster.realm == started.realm == f"ex-{exercise.id.hex}"
    assert "example.org" not in started.model_dump_json()


async def test_a_large_roster_is_told_in_parts(stage: Stage) -> None:
    exercise = await stage.planned(participants="\n".join(f"aino{n}@example.org" for n in range(501)))

    await stage.exercises.start(exercise.id)

    rosters = [event for event in await stage.told() if isinstance(event, RosterFrozen)]
    assert [len(roster.addresses) for roster in rosters] == [500, 1]


async def test_injects_are_put_in_by_the_clock_of_the_exercise(stage: Stage) -> None:
    await stage.running(speed=60)

    await stage.run(31)

    assert await stage.fired() == [1, 2, 3]


async def test_one_that_is_put_in_begins_with_the_word_exercise_in_every_language(stage: Stage) -> None:
    exercise = await stage.running(speed=600)

    await stage.run(2)

    first, second = [event for event in await stage.told() if isinstance(event, InjectFired)][:2]
    assert {locale: text.split(":")[0] for locale, text in first.texts.items()} == MARKS
    assert first.realm == exercise.realm
    assert first.opens_situation is not None
    assert first.opens_round is None
    assert second.opens_situation == first.opens_situation
    assert second.opens_round is not None
    assert second.opens_round.hours == 1


async def test_at_full_speed_all_are_put_in_once_in_the_order_of_their_times(stage: Stage) -> None:
    await stage.running(speed=600)

    await stage.run(40)

    assert await stage.fired() == [inject.number for inject in STORM.injects]


async def test_a_pause_stops_the_clock_and_it_goes_on_from_there(stage: Stage) -> None:
    exercise = await stage.running(speed=60)
    await stage.run(12)

    await stage.exercises.pause(exercise.id)
    await stage.run(60)
    paused = await stage.fired()
    await stage.exercises.resume(exercise.id)
    await stage.run(19)

    assert paused == [1, 2]
    assert await stage.fired() == [1, 2, 3]


async def test_a_time_in_which_nobody_looked_does_not_count(stage: Stage) -> None:
    exercise = await stage.running(speed=60)
    await stage.run(12)

    stage.clock.move(hours=3)
    await stage.director.direct()

    assert await stage.fired() == [1, 2]
    assert (await stage.exercises.one(exercise.id)).clock.offset(stage.clock.now()) == timedelta(minutes=12)
    await stage.run(19)
    assert await stage.fired() == [1, 2, 3]


async def test_a_new_speed_holds_from_now_on(stage: Stage) -> None:
    exercise = await stage.running(speed=60)
    await stage.run(10)

    changed = await stage.exercises.change_speed(exercise.id, 600)
    await stage.run(1)

    assert isinstance(changed, Exercise)
    assert (await stage.exercises.one(exercise.id)).clock.elapsed == timedelta(minutes=20)


@pytest.mark.parametrize("speed", [None, 0, 601])
async def test_a_speed_that_is_none_is_refused(stage: Stage, speed: int | None) -> None:
    exercise = await stage.running()

    assert await stage.exercises.change_speed(exercise.id, speed) == Refused((Flaw.SPEED_OUT_OF_RANGE,))


async def test_what_is_put_in_by_hand_is_not_put_in_again(stage: Stage) -> None:
    exercise = await stage.running(speed=60)

    assert await stage.director.fire(exercise.id, 3, by=AINO) is None
    again = await stage.director.fire(exercise.id, 3, by=AINO)
    await stage.run(31)

    assert again == Refused((Flaw.FIRED_BEFORE,))
    assert await stage.fired() == [3, 1, 2]
    [by_hand, *_] = [event for event in await stage.told() if isinstance(event, InjectFired)]
    assert by_hand.fired_by == AINO


async def test_what_is_left_out_is_not_put_in(stage: Stage) -> None:
    exercise = await stage.running(speed=60)

    await stage.director.skip(exercise.id, 2, by=AINO)
    await stage.run(31)

    assert await stage.fired() == [1, 3]
    states = {line.scripted.number: line.state for line in await stage.director.timeline(exercise)}
    assert states[2] is InjectState.SKIPPED


async def test_a_contingency_inject_is_offered_after_its_time_and_put_in_by_hand_alone(stage: Stage) -> None:
    exercise = await stage.running(speed=600)

    await stage.run(7)
    before = offered(await stage.director.timeline(exercise), timedelta(minutes=79))
    after = offered(await stage.director.timeline(exercise), timedelta(minutes=80))
    await stage.run(40)

    assert before == frozenset()
    assert after == {21}
    assert {21, 22}.isdisjoint(await stage.fired())
    assert await stage.director.fire(exercise.id, 21, by=AINO) is None
    assert (await stage.fired())[-1] == 21


async def test_nothing_is_put_in_before_the_start_or_after_the_end(stage: Stage) -> None:
    exercise = await stage.planned()
    early = await stage.director.fire(exercise.id, 1, by=AINO)
    await stage.exercises.start(exercise.id)

    ended = await stage.exercises.end(exercise.id)
    await stage.run(60)
    late = await stage.director.fire(exercise.id, 1, by=AINO)

    assert early == late == Refused((Flaw.NOT_NOW,))
    assert isinstance(ended, Exercise)
    assert await stage.fired() == []


async def test_breaking_off_is_told_as_such_and_happens_once(stage: Stage) -> None:
    exercise = await stage.running()

    first = await stage.exercises.end(exercise.id, aborted=True)
    second = await stage.exercises.end(exercise.id)

    assert isinstance(first, Exercise)
    assert first.state is State.ABORTED
    assert second == Refused((Flaw.NOT_NOW,))
    [told] = [event for event in await stage.told() if isinstance(event, ExerciseEnded)]
    assert (told.aborted, told.realm) == (True, exercise.realm)


async def test_an_inject_whose_event_was_not_saved_still_waits(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    exercise = await stage.running(speed=60)

    async def break_down(*_: object) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(director_store, "announce", break_down)
        stage.clock.move(seconds=1)
        with pytest.raises(OSError, match="disk"):
            await stage.director.direct()

    assert {line.state for line in await stage.director.timeline(exercise)} == {InjectState.WAITING}
    await stage.run(1)
    assert await stage.fired() == [1]


def test_the_clock_never_goes_back() -> None:
    running = PlayClock(timedelta(minutes=5), 60, STORM_EVENING)

    assert running.offset(STORM_EVENING - timedelta(seconds=1)) == timedelta(minutes=5)
    assert running.offset(STORM_EVENING + timedelta(seconds=1)) == timedelta(minutes=6)
    assert running.standing(STORM_EVENING + timedelta(seconds=1)).offset(
        STORM_EVENING + timedelta(hours=1)
    ) == timedelta(minutes=6)


async def test_an_email_to_players_is_mailed_and_names_its_sender(stage: Stage) -> None:
    await stage.running(speed=600)

    await stage.run(6)

    told = {event.number: event for event in await stage.told() if isinstance(event, InjectFired)}
    assert [event.mailed for number, event in sorted(told.items()) if number < 4] == [False, False, True]
    assert told[3].senders["en"] == STORM.role(STORM.scripted(3).sender).name.en
    assert [one.number for one in STORM.injects if mailed(STORM, one)] == [3, 6, 11, 12]
