"""An exercise in the whole system: three take part, a thousand are simulated, and the system dies in the middle."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import pytest
from httpx import AsyncClient, codes
from sqlalchemy import select
from sqlmodel import col

from services.demo.loader import SEED
from services.demo.registry import demo_associations
from services.exercise.exercise.model import Exercise
from services.exercise.exercise.store import ExerciseStore
from services.exercise.simulated.model import Conduct, Fate, Figures, Simulated, conducts
from services.exercise.simulated.store import SimulatedRow, SimulatedStore
from services.intake.calling.store import CallStore
from services.intake.checkin.store import CheckInRow
from services.intake.invitation.store import Invitation
from services.intake.registry.store import Association
from services.status.readiness.standing_rows import STANDING
from services.status.readiness.store import ReadinessStore
from shared.clock import SystemClock
from shared.db import Database
from shared.identity import Sight
from shared.ids import new_id
from tests.servers import eventually
from tests.system import System

pytestmark = [pytest.mark.connected, pytest.mark.slow, pytest.mark.timeout(600)]

LOPPI, TAMMELA, RIIHIMAKI = "433", "834", "694"
PATIENCE = 240.0
ENOUGH = 50
"""Answers after which the system is killed, while more are due."""


@pytest.fixture
async def system(tmp_path: Path) -> AsyncIterator[System]:
    whole = System(tmp_path / "var")
    await asyncio.to_thread(whole.start)
    yield whole
    await asyncio.to_thread(whole.stop)


async def test_every_simulated_association_ends_as_drawn_however_the_system_dies(system: System) -> None:
    roster = [address_in(municipality) for municipality in (LOPPI, TAMMELA, RIIHIMAKI)]
    exercise_id, situation_id = await begin(system, roster)

    await eventually(lambda: answered(system, exercise_id, ENOUGH), within=PATIENCE)
    await asyncio.to_thread(system.kill)
    killed = await figures(system, exercise_id)
    await asyncio.to_thread(system.start)
    await eventually(lambda: all_given(system, exercise_id), within=PATIENCE)

    exercise = await one(system, exercise_id)
    drawn = await drawn_for(system, exercise)
    answers = await answers_of(system, exercise)
    assert killed.to_come > 0
    assert (await figures(system, exercise_id)).given_up == 0
    assert len(drawn) > 500
    assert answers == {own.association_id: [a.status.value for a in own.answers] for own in drawn if own.answers}
    await eventually(lambda: lost_are_known(system, exercise, drawn), within=PATIENCE)
    assert set(await written_to(system)) == set(roster)
    await eventually(lambda: tallied(system, exercise, situation_id, len(answers)), within=PATIENCE)
    assert await to_be_called(system) == {exercise.realm: 3}


def address_in(municipality: str) -> str:
    return next(one.email for one in demo_associations(SEED) if one.municipality == municipality and one.email)


async def begin(system: System, roster: Sequence[str]) -> tuple[UUID, UUID]:
    """Helga plans a winter storm on the pages and starts it; the ids of the exercise and of its situation."""
    exercise_id, situation_id = new_id(), new_id()
    form = {"exercise_id": str(exercise_id), "situation_id": str(situation_id), "scenario": "winter-storm"}
    async with AsyncClient(base_url=system.url, timeout=60) as desk:
        await desk.post(next(line.split()[-1] for line in system.output if "exercise_leader" in line))
        planned = await desk.post("/exercises/new", data={**form, "speed": "600", "participants": "\n".join(roster)})
        assert planned.status_code == codes.SEE_OTHER, planned.text
        started = await desk.post(f"/exercises/{exercise_id}/start")
        assert started.status_code == codes.SEE_OTHER, started.text
    return exercise_id, situation_id


@asynccontextmanager
async def database(system: System, service: str) -> AsyncIterator[Database]:
    """The database of a service, from outside."""
    opened = Database(f"sqlite+aiosqlite:///{system.folder}/{service}.db")
    try:
        yield opened
    finally:
        await opened.close()


async def one(system: System, exercise_id: UUID) -> Exercise:
    async with database(system, "exercise") as exercise:
        return await ExerciseStore(exercise, clock=SystemClock()).one(exercise_id)


async def figures(system: System, exercise_id: UUID) -> Figures:
    exercise = await one(system, exercise_id)
    async with database(system, "exercise") as known:
        return await SimulatedStore(known, clock=SystemClock()).figures(exercise)


async def answered(system: System, exercise_id: UUID, number: int) -> bool:
    return (await figures(system, exercise_id)).answered >= number


async def all_given(system: System, exercise_id: UUID) -> bool:
    known = await figures(system, exercise_id)
    return known.asked > 0 and known.to_come == 0


async def drawn_for(system: System, exercise: Exercise) -> list[Conduct]:
    """What the scenario says that each simulated association does, drawn anew."""
    async with database(system, "exercise") as known, known.read() as session:
        mine = col(SimulatedRow.realm) == exercise.realm
        ids = list((await session.execute(select(col(SimulatedRow.association_id)).where(mine))).scalars())
    async with database(system, "intake") as intake, intake.read() as session:
        rows = await session.execute(select(col(Association.id), col(Association.municipality)))
        places: dict[UUID, str] = {row.id: row.municipality for row in rows}
    round_opened = next(inject for inject in exercise.scenario.injects if inject.opens == "round").at
    many = [Simulated(one, places[one]) for one in ids]
    within = exercise.scenario.length - round_opened
    return list(conducts(exercise.scenario.behaviour, many, seed=exercise.seed, within=within))


async def answers_of(system: System, exercise: Exercise) -> dict[UUID, list[str]]:
    """What each association is recorded to have said in the exercise, first to last."""
    found: defaultdict[UUID, list[str]] = defaultdict(list)
    said = select(col(CheckInRow.association_id), col(CheckInRow.status)).where(col(CheckInRow.realm) == exercise.realm)
    async with database(system, "intake") as intake, intake.read() as session:
        for association_id, status in await session.execute(said.order_by(col(CheckInRow.reported_at))):
            found[association_id].append(status)
    return dict(found)


async def lost_are_known(system: System, exercise: Exercise, drawn: Sequence[Conduct]) -> bool:
    """True when those not reached are those of whom it was drawn."""
    gone = (col(Invitation.realm) == exercise.realm, col(Invitation.state) == "undeliverable")
    async with database(system, "intake") as intake, intake.read() as session:
        found = set((await session.execute(select(col(Invitation.association_id)).where(*gone))).scalars())
    wanted = {own.association_id for own in drawn if own.fate is Fate.UNREACHABLE}
    assert found <= wanted
    return found == wanted


async def written_to(system: System) -> list[str]:
    """To whom letters went."""
    async with AsyncClient(base_url=system.mail_url, timeout=60) as mail:
        letters = (await mail.get("/api/letters", params={"limit": 500})).json()["letters"]
    return [letter["to"] for letter in letters]


async def tallied(system: System, exercise: Exercise, situation_id: UUID, answers: int) -> bool:
    """True when status counts as many as answered, and its figures are those of a recount."""
    async with database(system, "status") as status:
        readiness = ReadinessStore(status, clock=SystemClock())
        differences = await readiness.recount(exercise.realm, situation_id)
        assert not differences
        return await standing(status, exercise, situation_id) == answers


async def standing(status: Database, exercise: Exercise, situation_id: UUID) -> int:
    mine = (STANDING.c.realm == exercise.realm.id, STANDING.c.situation_id == situation_id)
    async with status.read() as session:
        rows = await session.execute(select(STANDING).where(*mine, STANDING.c.status.is_not(None)))
        return len(rows.all())


async def to_be_called(system: System) -> dict[str, int]:
    """How many are on the call list, by realm."""
    async with database(system, "intake") as intake:
        rounds = await CallStore(intake, clock=SystemClock()).rounds(Sight())
    return {one.realm: one.outstanding for one in rounds}
