"""Store: exercises, their injects and rosters, and the events that tell of them, saved together."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Index, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, col

from services.exercise.exercise.clock_rows import clock_points, keep_points
from services.exercise.exercise.model import (
    ClockHistory,
    ClockPoint,
    Exercise,
    Moved,
    Planned,
    PlayClock,
    Refused,
    State,
    bends,
    change_speed,
    end,
    pause,
    resume,
    start,
)
from services.exercise.scenario.model import Scenario
from services.exercise.schema import ExerciseTable
from shared.clock import Clock
from shared.db import Database, UtcDateTime
from shared.i18n import N_
from shared.outbox import announce
from shared.realm import Realm
from shared.web import TroubleError

SHOWN = 100
"""Exercises in the list: the newest ones."""

WAITING = "waiting"

Verb = Callable[[Exercise, datetime], Moved | Refused]


class ExerciseRow(ExerciseTable, table=True):
    """An exercise. Whoever changes it or its injects locks this row first."""

    __tablename__ = "exercise"
    __table_args__ = (Index("exercise_state", "state", "created_at"),)

    realm: str = Field(primary_key=True)
    id: UUID = Field(unique=True)
    scenario: dict[str, Any] = Field(sa_type=JSON)
    seed: int
    state: str
    speed: int
    elapsed_seconds: float
    since: datetime | None = Field(default=None, sa_type=UtcDateTime)
    situation_id: UUID
    created_at: datetime = Field(sa_type=UtcDateTime)
    created_by: UUID
    started_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class InjectRow(ExerciseTable, table=True):
    """An inject of an exercise; `due_seconds` is None for a contingency inject. It leaves `waiting` once, for ever."""

    __tablename__ = "inject"

    realm: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    due_seconds: int | None = None
    state: str = WAITING
    round_id: UUID
    settled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    settled_by: UUID | None = None
    offset_seconds: int | None = None


class ParticipantRow(ExerciseTable, table=True):
    """An address that takes part, the language in which it is written to, and how it came on the list."""

    __tablename__ = "participant"

    realm: str = Field(primary_key=True)
    address: str = Field(primary_key=True)
    locale: str = "fi"
    source: str = "hand"


class NoSuchExerciseError(TroubleError):
    """There is no exercise with this id."""

    def __init__(self) -> None:
        super().__init__(
            HTTPStatus.NOT_FOUND,
            N_("There is no such exercise."),
            what_next=N_("Choose one from the list of exercises."),
        )


class ExerciseStore:
    """Plans exercises, and moves them from state to state."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def plan(self, planned: Planned, round_ids: Callable[[], UUID]) -> None:
        """Save a new exercise with its injects and participants; saving the same one again changes nothing."""
        exercise = planned.exercise
        async with self._database.write() as session:
            if (await session.execute(_row(exercise.id))).first() is not None:
                return
            await session.execute(insert(ExerciseRow), [{**_fixed(exercise), **_moving(exercise)}])
            await session.execute(insert(InjectRow), _injects(exercise, round_ids))
            if planned.participants:
                by_hand = {"realm": exercise.realm.id, "locale": "fi", "source": "hand"}
                rows = [{**by_hand, "address": address} for address in planned.participants]
                await session.execute(insert(ParticipantRow), rows)

    async def list_newest(self) -> list[Exercise]:
        """The exercises planned last, newest first, at most SHOWN."""
        async with self._database.read() as session:
            rows = select(ExerciseRow).order_by(col(ExerciseRow.created_at).desc()).limit(SHOWN)
            return [exercise_of(row) for row in (await session.execute(rows)).scalars()]

    async def one(self, exercise_id: UUID) -> Exercise:
        """The exercise with this id. Raises NoSuchExerciseError."""
        async with self._database.read() as session:
            row = (await session.execute(_row(exercise_id))).scalars().first()
        if row is None:
            raise NoSuchExerciseError
        return exercise_of(row)

    async def participants(self, exercise: Exercise) -> int:
        """How many take part."""
        async with self._database.read() as session:
            rows = select(func.count()).where(col(ParticipantRow.realm) == exercise.realm)
            return int((await session.execute(rows)).scalar_one())

    async def history(self, exercise: Exercise) -> ClockHistory:
        """How its clock went until now."""
        async with self._database.read() as session:
            points = await clock_points(session, exercise.realm)
        if not points and exercise.started_at:  # one of before histories were kept: as if it had never stood
            points = (ClockPoint(exercise.started_at, timedelta(), exercise.clock.speed),)
        return ClockHistory(points, exercise.clock.offset(self._clock.now()))

    async def start(self, exercise_id: UUID) -> Exercise | Refused:
        """Begin it, and tell its roster."""
        async with self._database.write() as session:
            exercise = await locked(session, exercise_id)
            columns = (col(ParticipantRow.address), col(ParticipantRow.locale))
            rows = select(*columns).where(col(ParticipantRow.realm) == exercise.realm).order_by(columns[0])
            taking_part = (await session.execute(rows)).all()
            addresses, locales = [row.address for row in taking_part], [row.locale for row in taking_part]
            return await _save(session, start(exercise, addresses, self._clock.now(), locales=locales))

    async def pause(self, exercise_id: UUID) -> Exercise | Refused:
        """Stop its clock."""
        return await self._moved(exercise_id, pause)

    async def resume(self, exercise_id: UUID) -> Exercise | Refused:
        """Let its clock go on."""
        return await self._moved(exercise_id, resume)

    async def change_speed(self, exercise_id: UUID, speed: int | None) -> Exercise | Refused:
        """Let its clock go faster or slower."""
        return await self._moved(exercise_id, lambda exercise, now: change_speed(exercise, speed, now))

    async def end(self, exercise_id: UUID, *, aborted: bool = False) -> Exercise | Refused:
        """End it, or break it off."""
        return await self._moved(exercise_id, lambda exercise, now: end(exercise, now, aborted=aborted))

    async def _moved(self, exercise_id: UUID, verb: Verb) -> Exercise | Refused:
        async with self._database.write() as session:
            exercise = await locked(session, exercise_id)
            return await _save(session, verb(exercise, self._clock.now()))


async def locked(session: AsyncSession, exercise_id: UUID) -> Exercise:
    """The exercise, which nobody else changes until the transaction ends. Raises NoSuchExerciseError."""
    row = (await session.execute(_row(exercise_id).with_for_update())).scalars().first()
    if row is None:
        raise NoSuchExerciseError
    return exercise_of(row)


async def keep_clock(session: AsyncSession, exercise: Exercise) -> None:
    """Save where the exercise's clock stands, and that it goes otherwise where it does."""
    clock = select(col(ExerciseRow.elapsed_seconds), col(ExerciseRow.speed), col(ExerciseRow.since))
    kept = (await session.execute(clock.where(col(ExerciseRow.realm) == exercise.realm))).one()
    before = PlayClock(timedelta(seconds=kept.elapsed_seconds), kept.speed, kept.since)
    await keep_points(session, exercise.realm, bends(before, exercise.clock))
    await session.execute(update(ExerciseRow).where(col(ExerciseRow.realm) == exercise.realm).values(_moving(exercise)))


async def _save(session: AsyncSession, outcome: Moved | Refused) -> Exercise | Refused:
    if isinstance(outcome, Refused):
        return outcome
    await keep_clock(session, outcome.exercise)
    await announce(session, outcome.events)
    return outcome.exercise


def _row(exercise_id: UUID) -> Any:
    return select(ExerciseRow).where(col(ExerciseRow.id) == exercise_id)


def _fixed(exercise: Exercise) -> dict[str, Any]:
    return {
        "realm": exercise.realm.id,
        "id": exercise.id,
        "scenario": exercise.scenario.model_dump(mode="json", by_alias=True),
        "seed": exercise.seed,
        "situation_id": exercise.situation_id,
        "created_at": exercise.created_at,
        "created_by": exercise.created_by,
    }


def _moving(exercise: Exercise) -> dict[str, Any]:
    return {
        "state": exercise.state.value,
        "speed": exercise.clock.speed,
        "elapsed_seconds": exercise.clock.elapsed.total_seconds(),
        "since": exercise.clock.since,
        "started_at": exercise.started_at,
        "ended_at": exercise.ended_at,
    }


def _injects(exercise: Exercise, round_ids: Callable[[], UUID]) -> Sequence[dict[str, Any]]:
    due = {inject.number: int(inject.at.total_seconds()) for inject in exercise.scenario.injects}
    scripted = (*exercise.scenario.injects, *exercise.scenario.contingencies)
    return [
        {
            "realm": exercise.realm.id,
            "number": one.number,
            "due_seconds": due.get(one.number),
            "state": WAITING,
            "round_id": round_ids(),
        }
        for one in sorted(scripted, key=lambda one: one.number)
    ]


_scenarios: OrderedDict[UUID, tuple[dict[str, Any], Scenario]] = OrderedDict()


def _scenario(row: ExerciseRow) -> Scenario:
    """The scenario of an exercise, read once while it is the same: jobs look at running exercises every second."""
    written, read = _scenarios.get(row.id, (None, None))
    if read is None or written != row.scenario:
        read = Scenario.model_validate(row.scenario)
        _scenarios[row.id] = row.scenario, read
        while len(_scenarios) > SHOWN:
            _scenarios.popitem(last=False)
    return read


def exercise_of(row: ExerciseRow) -> Exercise:
    """The exercise that a row tells of."""
    return Exercise(
        realm=Realm(row.realm),
        id=row.id,
        scenario=_scenario(row),
        seed=row.seed,
        state=State(row.state),
        clock=PlayClock(timedelta(seconds=row.elapsed_seconds), row.speed, row.since),
        situation_id=row.situation_id,
        created_at=row.created_at,
        created_by=row.created_by,
        started_at=row.started_at,
        ended_at=row.ended_at,
    )
