"""Exercises in status: an inject opens a situation and a round in the exercise's realm, and nothing anywhere else."""

import asyncio

import pytest

from services.status.rehearsal.handlers import RehearsalHandlers
from services.status.rehearsal.store import RunningExercises
from shared.events import NotPermittedError
from shared.events.exercise import ExerciseEnded, ExerciseStarted, InjectFired, RoundScript, SituationScript
from shared.events.status import RoundClosed, RoundOpened, SituationClosed, SituationOpened
from shared.i18n import Locale
from shared.ids import new_id
from shared.realm import LIVE, Realm
from shared.rehearsals import EndedExercises
from tests.fakes import STORM_EVENING, FakeClock
from tests.status.conftest import Stores
from tests.status.people import association

EXERCISE = new_id()
REALM = Realm(f"ex-{EXERCISE.hex}")
SCRIPT = SituationScript(
    situation_id=new_id(),
    kind="storm",
    names={"fi": "Talvimyrsky", "sv": "Vinterstorm", "en": "Winter storm"},
    municipalities=("834",),
)

STARTED = ExerciseStarted(
    happened_at=STORM_EVENING,
    realm=REALM,
    exercise_id=EXERCISE,
    titles={"fi": "HARJOITUS: Talvimyrsky"},
    municipalities=("834",),
)
ENDED = ExerciseEnded(happened_at=STORM_EVENING, realm=REALM, exercise_id=EXERCISE)


def fired(*, opens_round: bool = False, opens: bool = True) -> InjectFired:
    return InjectFired(
        happened_at=STORM_EVENING,
        realm=REALM,
        exercise_id=EXERCISE,
        number=1,
        offset_seconds=0,
        channel="phone",
        texts={"fi": "HARJOITUS: Myrsky."},
        leader=new_id(),
        opens_situation=SCRIPT if opens else None,
        opens_round=RoundScript(round_id=EXERCISE, hours=2) if opens_round else None,
    )


def handlers_of(stores: Stores) -> RehearsalHandlers:
    ended = EndedExercises(stores.database, clock=FakeClock(), service="status")
    return RehearsalHandlers(stores.situations, stores.rounds, ended, running=RunningExercises(stores.database))


async def test_an_inject_opens_the_situation_in_the_realm_of_its_exercise(stores: Stores) -> None:
    await handlers_of(stores).on_inject_fired(fired())

    [opened] = await stores.told()
    assert isinstance(opened, SituationOpened)
    assert (opened.realm, opened.names["sv"], opened.municipalities) == (REALM, "Vinterstorm", ("834",))
    assert await stores.situations.open_in(LIVE) == []


async def test_one_that_opens_nothing_changes_nothing(stores: Stores) -> None:
    await handlers_of(stores).on_inject_fired(fired(opens=False))

    assert await stores.told() == []


async def test_a_round_that_is_heard_first_opens_its_situation_too_and_all_again_changes_nothing(
    stores: Stores,
) -> None:
    await stores.readiness.know(association("Aino", "834"))
    handlers = handlers_of(stores)

    await asyncio.gather(handlers.on_inject_fired(fired(opens_round=True)), handlers.on_inject_fired(fired()))
    await handlers.on_inject_fired(fired(opens_round=True))

    told = [event for event in await stores.told() if isinstance(event, SituationOpened | RoundOpened)]
    assert [type(event) for event in told] == [SituationOpened, RoundOpened]
    assert {event.realm for event in told} == {REALM}


async def test_a_round_that_would_ask_nobody_is_passed_over(stores: Stores) -> None:
    await handlers_of(stores).on_inject_fired(fired(opens_round=True))

    assert [type(event) for event in await stores.told()] == [SituationOpened]


async def test_the_end_of_an_exercise_closes_what_it_opened_and_leaves_what_is_real(stores: Stores) -> None:
    live = await stores.ask("Aino", municipality="834")
    handlers = handlers_of(stores)
    await handlers.on_inject_fired(fired(opens_round=True))

    await handlers.on_exercise_ended(ExerciseEnded(happened_at=STORM_EVENING, realm=REALM, exercise_id=EXERCISE))
    await handlers.on_exercise_ended(ExerciseEnded(happened_at=STORM_EVENING, realm=REALM, exercise_id=EXERCISE))

    closed = [event for event in await stores.told() if isinstance(event, SituationClosed | RoundClosed)]
    assert [type(event) for event in closed] == [RoundClosed, SituationClosed]
    assert {event.realm for event in closed} == {REALM}
    assert [one.id for one in await stores.situations.open_in(LIVE)] == [live.situation_id]


async def test_what_is_heard_after_the_end_stays_closed(stores: Stores) -> None:
    handlers = handlers_of(stores)

    await handlers.on_exercise_ended(ExerciseEnded(happened_at=STORM_EVENING, realm=REALM, exercise_id=EXERCISE))
    await handlers.on_inject_fired(fired())

    assert await stores.situations.open_in(REALM) == []


async def test_no_exercise_opens_or_closes_anything_real(stores: Stores) -> None:
    handlers = handlers_of(stores)

    with pytest.raises(NotPermittedError):
        await handlers.on_inject_fired(fired().model_copy(update={"realm": LIVE}))
    with pytest.raises(NotPermittedError):
        await handlers.on_exercise_ended(ExerciseEnded(happened_at=STORM_EVENING, realm=LIVE, exercise_id=EXERCISE))

    assert await stores.told() == []


async def test_an_exercise_is_known_to_run_from_its_beginning_to_its_end(stores: Stores) -> None:
    running, handlers = RunningExercises(stores.database), handlers_of(stores)

    for _ in range(2):
        await handlers.on_exercise_started(STARTED)
    during = await running.now()
    await handlers.on_exercise_ended(ENDED)

    assert [(one.id, one.title(Locale.SV)) for one in during] == [(EXERCISE, "HARJOITUS: Talvimyrsky")]
    assert await running.now() == []


async def test_a_beginning_that_is_heard_after_the_end_runs_nothing(stores: Stores) -> None:
    handlers = handlers_of(stores)

    await handlers.on_exercise_ended(ENDED)
    await handlers.on_exercise_started(STARTED)

    assert await RunningExercises(stores.database).now() == []
    with pytest.raises(NotPermittedError):
        await handlers.on_exercise_started(STARTED.model_copy(update={"realm": LIVE}))
