"""Rosters: who takes part gets the letters of an exercise, nobody else, and nobody once it is over."""

from dataclasses import dataclass

import pytest
from fastapi import FastAPI
from sqlalchemy import select
from sqlmodel import col

from services.notify.delivery.model import Kind
from services.notify.delivery.schema import DeliveryRow, LetterRow
from services.notify.delivery.store import Ledger
from services.notify.inject.store import InjectLetters
from services.notify.rehearsal.handlers import RehearsalHandlers
from services.notify.rehearsal.model import ROSTER_KEPT
from services.notify.rehearsal.store import Rosters
from shared.events import NotPermittedError
from shared.events.exercise import ExerciseEnded, RosterFrozen
from shared.house import House
from shared.ids import new_id
from shared.realm import LIVE, Realm
from shared.rehearsals import EndedExercises
from tests.fakes import STORM_EVENING, FakeClock

EXERCISE = new_id()
REALM = Realm(f"ex-{EXERCISE.hex}")
AINO = (REALM, "aino@example.org")
FROZEN = RosterFrozen(
    happened_at=STORM_EVENING,
    realm=REALM,
    exercise_id=EXERCISE,
    addresses=("Aino@example.org",),
    locales=("sv",),
    names={"fi": "Talvimyrsky", "sv": "Vinterstorm"},
)
CECILIA = FROZEN.model_copy(update={"event_id": new_id(), "addresses": ("cecilia@example.org",), "locales": ()})
ENDED = ExerciseEnded(happened_at=STORM_EVENING, realm=REALM, exercise_id=EXERCISE, aborted=True)
STARTED_LETTER, ENDED_LETTER = Kind.EXERCISE_STARTED, Kind.EXERCISE_ENDED


@dataclass(frozen=True)
class Gate:
    """The ledger, and the handlers that open and close it."""

    app: FastAPI
    ledger: Ledger
    rosters: Rosters
    handlers: RehearsalHandlers

    async def told(self) -> list[tuple[str, str, str]]:
        """Kind, state and language of every letter to those who take part."""
        same = (col(LetterRow.realm) == col(DeliveryRow.realm)) & (
            col(LetterRow.letter_id) == col(DeliveryRow.letter_id)
        )
        columns = (col(LetterRow.kind), col(DeliveryRow.state), col(DeliveryRow.locale))
        async with self.app.state.house.database.read() as session:
            rows = await session.execute(
                select(*columns).join(DeliveryRow, same).order_by(*(one.desc() for one in columns))
            )
            return [(kind, state, locale) for kind, state, locale in rows]


@pytest.fixture
def gate(app: FastAPI) -> Gate:
    house: House = app.state.house
    ledger: Ledger = app.state.ledger
    rosters = Rosters(house.database, clock=house.clock, ledger=ledger)
    ended = EndedExercises(house.database, clock=house.clock, service="notify")
    injects = InjectLetters(house.database, clock=house.clock, ledger=ledger)
    return Gate(app, ledger, rosters, RehearsalHandlers(ledger, rosters, ended, injects))


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


async def test_each_is_told_once_of_the_beginning_and_the_end_in_her_language(gate: Gate) -> None:
    for event in (FROZEN, CECILIA, FROZEN):
        await gate.handlers.on_roster_frozen(event)
    begun = await gate.told()
    for _ in range(2):
        await gate.handlers.on_exercise_ended(ENDED)
        await gate.handlers.on_roster_frozen(CECILIA)

    assert begun == [(STARTED_LETTER, "waiting", "sv"), (STARTED_LETTER, "waiting", "fi")]
    assert await gate.told() == [
        (STARTED_LETTER, "refused", "sv"),
        (STARTED_LETTER, "refused", "fi"),
        (ENDED_LETTER, "waiting", "sv"),
        (ENDED_LETTER, "waiting", "fi"),
    ]


async def test_whoever_is_heard_of_after_the_end_is_told_of_the_end_alone(gate: Gate) -> None:
    await gate.handlers.on_exercise_ended(ENDED)
    for _ in range(2):
        await gate.handlers.on_roster_frozen(FROZEN)

    assert await gate.told() == [(ENDED_LETTER, "waiting", "sv")]


async def test_after_the_end_the_gate_passes_the_letter_of_the_end_to_the_roster_and_nothing_else(gate: Gate) -> None:
    await gate.handlers.on_roster_frozen(FROZEN)
    await gate.handlers.on_exercise_ended(ENDED)
    everybody = [AINO, (REALM, "bertta@example.org"), (f"ex-{new_id().hex}", "aino@example.org")]

    passing = {kind: await gate.ledger.roster(everybody, kind=kind) for kind in Kind}

    assert {kind for kind, whom in passing.items() if whom} == {ENDED_LETTER}
    assert passing[ENDED_LETTER] == {AINO}


@pytest.mark.slow
async def test_who_took_part_is_forgotten_a_month_after_the_end(gate: Gate, clock: FakeClock) -> None:
    await gate.handlers.on_roster_frozen(FROZEN)
    await gate.handlers.on_exercise_ended(ENDED)

    assert not await gate.rosters.forget()
    kept = await gate.ledger.roster([AINO], kind=ENDED_LETTER)
    clock.move(seconds=ROSTER_KEPT.total_seconds())
    assert not await gate.rosters.forget()

    assert kept == {AINO}
    assert await gate.ledger.roster([AINO], kind=ENDED_LETTER) == frozenset()
