"""Store: putting injects in. An inject leaves `waiting` in the transaction that saves its event, and only once."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from services.exercise.director.model import InjectState, Line, due_now, inject_fired
from services.exercise.exercise.model import Exercise, Flaw, Refused, State
from services.exercise.exercise.store import ExerciseRow, InjectRow, keep_clock, locked
from services.exercise.scenario.model import Scenario
from shared.clock import Clock
from shared.db import Database
from shared.outbox import announce

AT_ONCE = 50
"""Running exercises that are looked at in one call."""


class DirectorStore:
    """Runs exercises by their clocks, and puts in or leaves out an inject when its leader says so."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def direct(self) -> int:
        """Look at the clock of every running exercise, AT_ONCE at most, and put in what is due; how many injects."""
        running = select(col(ExerciseRow.id)).where(col(ExerciseRow.state) == State.RUNNING)
        async with self._database.read() as session:
            found = await session.execute(running.order_by(col(ExerciseRow.created_at)).limit(AT_ONCE))
            ids = list(found.scalars())
        return sum([await self._direct_one(exercise_id) for exercise_id in ids])

    async def _direct_one(self, exercise_id: UUID) -> int:
        async with self._database.write() as session:
            exercise, now = await locked(session, exercise_id), self._clock.now()
            if exercise.state is not State.RUNNING:
                return 0
            exercise = replace(exercise, clock=exercise.clock.looked_at(now))
            due = due_now(await _lines(session, exercise), exercise.clock.elapsed)
            for line in due:
                await _settle(session, exercise, line, InjectState.FIRED, now=now)
            await announce(session, [inject_fired(exercise, line, now=now) for line in due])
            await keep_clock(session, exercise)
            return len(due)

    async def fire(self, exercise_id: UUID, number: int, *, by: UUID) -> Refused | None:
        """Put this inject in now, whatever the clock says."""
        return await self._by_hand(exercise_id, number, InjectState.FIRED, by=by)

    async def skip(self, exercise_id: UUID, number: int, *, by: UUID) -> Refused | None:
        """Leave this inject out."""
        return await self._by_hand(exercise_id, number, InjectState.SKIPPED, by=by)

    async def timeline(self, exercise: Exercise) -> list[Line]:
        """All injects of an exercise by their times; contingency injects last."""
        async with self._database.read() as session:
            lines = await _lines(session, exercise)
        return sorted(lines, key=lambda line: (line.due is None, line.due or timedelta(), line.scripted.number))

    async def _by_hand(self, exercise_id: UUID, number: int, state: InjectState, *, by: UUID) -> Refused | None:
        async with self._database.write() as session:
            exercise, now = await locked(session, exercise_id), self._clock.now()
            if exercise.state not in {State.RUNNING, State.PAUSED}:
                return Refused((Flaw.NOT_NOW,))
            line = next((one for one in await _lines(session, exercise) if one.scripted.number == number), None)
            if line is None or line.state is not InjectState.WAITING:
                return Refused((Flaw.FIRED_BEFORE,))
            await _settle(session, exercise, line, state, now=now, by=by)
            if state is InjectState.FIRED:
                await announce(session, [inject_fired(exercise, line, now=now, fired_by=by)])
            return None


async def _lines(session: AsyncSession, exercise: Exercise) -> Sequence[Line]:
    rows = await session.execute(select(InjectRow).where(col(InjectRow.realm) == exercise.realm))
    return [_line(exercise.scenario, row) for row in rows.scalars()]


def _line(scenario: Scenario, row: InjectRow) -> Line:
    return Line(
        scripted=scenario.scripted(row.number),
        state=InjectState(row.state),
        round_id=row.round_id,
        settled_at=row.settled_at,
        offset=None if row.offset_seconds is None else timedelta(seconds=row.offset_seconds),
    )


async def _settle(
    session: AsyncSession, exercise: Exercise, line: Line, state: InjectState, *, now: datetime, by: UUID | None = None
) -> None:
    await session.execute(
        update(InjectRow)
        .where(col(InjectRow.realm) == exercise.realm, col(InjectRow.number) == line.scripted.number)
        .where(col(InjectRow.state) == InjectState.WAITING)
        .values(
            state=state.value,
            settled_at=now,
            settled_by=by,
            offset_seconds=int(exercise.clock.offset(now).total_seconds()),
        )
    )
