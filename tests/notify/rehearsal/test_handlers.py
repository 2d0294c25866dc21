"""Rosters: who takes part gets the letters of an exercise, nobody else, and nobody once it is over."""

from dataclasses import dataclass

import pytest
from fastapi import FastAPI

from services.notify.delivery.store import Ledger
from services.notify.inject.store import InjectLetters
from services.notify.rehearsal.handlers import RehearsalHandlers
from shared.events import NotPermittedError
from shared.events.exercise import ExerciseEnded, RosterFrozen
from shared.house import House
from shared.ids import new_id
from shared.realm import LIVE, Realm
from shared.rehearsals import EndedExercises
from tests.fakes import STORM_EVENING

EXERCISE = new_id()
REALM = Realm(f"ex-{EXERCISE.hex}")
AINO = (REALM, "aino@example.org")
FROZEN = RosterFrozen(happened_at=STORM_EVENING, realm=REALM, exercise_id=EXERCISE, addresses=("Aino@example.org",))
ENDED = ExerciseEnded(happened_at=STORM_EVENING, realm=REALM, exercise_id=EXERCISE)


@dataclass(frozen=True)
class Gate:
    """The ledger, and the handlers that open and close it."""

    ledger: Ledger
    handlers: RehearsalHandlers


@pytest.fixture
def gate(app: FastAPI) -> Gate:
    house: House = app.state.house
    ledger: Ledger = app.state.ledger
    ended = EndedExercises(house.database, clock=house.clock, service="notify")
    injects = InjectLetters(house.database, clock=house.clock, ledger=ledger)
    return Gate(ledger, RehearsalHandlers(ledger, ended, injects))


async def test_who_takes_part_stands_on_the_roster_until_the_end(gate: Gate) -> None:
    await gate.handlers.on_roster_frozen(FROZEN)
    during = await gate.ledger.roster([AINO, (REALM, "bertta@example.org")])
    await gate.handlers.on_exercise_ended(ENDED)

    assert during == {AINO}
    assert await gate.ledger.roster([AINO]) == frozenset()


async def test_a_roster_that_is_heard_after_the_end_lets_nobody_in(gate: Gate) -> None:
    await gate.handlers.on_exercise_ended(ENDED)
    await gate.handlers.on_roster_frozen(FROZEN)
    await gate.handlers.on_exercise_ended(ENDED)
    await gate.handlers.on_roster_frozen(FROZEN)

    assert await gate.ledger.roster([AINO]) == frozenset()


async def test_the_end_of_one_exercise_leaves_the_roster_of_another(gate: Gate) -> None:
    await gate.handlers.on_roster_frozen(FROZEN)
    other = new_id()

    await gate.handlers.on_exercise_ended(
        ExerciseEnded(happened_at=STORM_EVENING, realm=Realm(f"ex-{other.hex}"), exercise_id=other)
    )

    assert await gate.ledger.roster([AINO]) == {AINO}


async def test_an_exercise_can_do_nothing_in_the_live_realm(gate: Gate) -> None:
    with pytest.raises(NotPermittedError):
        await gate.handlers.on_roster_frozen(FROZEN.model_copy(update={"realm": LIVE}))
    with pytest.raises(NotPermittedError):
        await gate.handlers.on_exercise_ended(ENDED.model_copy(update={"realm": LIVE}))
