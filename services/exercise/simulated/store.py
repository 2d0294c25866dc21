"""Store: whom an exercise simulates, and the answers that are due by its clock. Each is kept until it was taken."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from math import ceil
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ColumnElement, Connection, Index, Integer, Row, bindparam, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlmodel import Field, col

from services.exercise.exercise.model import Exercise, PlayClock, State
from services.exercise.exercise.store import ExerciseRow, InjectRow, exercise_of
from services.exercise.schema import ExerciseTable
from services.exercise.simulated.model import (
    SHORTEST,
    Conduct,
    Fate,
    Figures,
    Sending,
    Settled,
    Simulated,
    conducts,
    form_of,
)
from shared.answer_door import FilledIn
from shared.clock import Clock
from shared.db import Database, UtcDateTime, insert_into
from shared.events import NotPermittedError
from shared.events.exercise import SimulatedNotReached
from shared.events.intake import Amount, OperatingStatus, SimulatedAsked
from shared.inbox import first_time
from shared.outbox import announce

CONSUMER = "simulated"
RUNNING_AT_ONCE = 50
CLAIM = timedelta(seconds=12)
"""For so long one replica alone sends an answer. That another sends it after that does no harm: it is the same form."""


class SimulatedRow(ExerciseTable, table=True):
    """An association that is simulated in a round: what becomes of its letters, and how many there were."""

    __tablename__ = "simulated"

    realm: str = Field(primary_key=True)
    round_id: UUID = Field(primary_key=True)
    association_id: UUID = Field(primary_key=True)
    turn: int
    fate: str


class SimulatedAnswerRow(ExerciseTable, table=True):
    """An answer, due by the clock of the exercise; `id` is that of its form. It leaves `waiting` once, for ever, and
    then its link is forgotten. Nobody sends it before `not_before`: somebody is at it, or it was not taken."""

    __tablename__ = "simulated_answer"
    __table_args__ = (
        Index("simulated_answer_due", "sending", "realm", "due_seconds", "id"),
        Index("simulated_answer_line", "realm", "round_id", "association_id", "number"),
    )

    realm: str = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    round_id: UUID
    association_id: UUID
    number: int
    path: str
    due_seconds: float
    status: str
    needs: list[dict[str, Any]] = Field(sa_type=JSON)
    offers: list[dict[str, Any]] = Field(sa_type=JSON)
    sending: str = Sending.WAITING.value
    tries: int = 0
    not_before: datetime | None = Field(default=None, sa_type=UtcDateTime)


@dataclass(frozen=True)
class Due:
    """An answer that is to be sent now, for the how manyeth time by `tries`."""

    realm: str
    path: str
    form: FilledIn
    tries: int


class SimulatedStore:
    """Draws what simulated associations do, and keeps what they are still to say."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def ask(self, event: SimulatedAsked) -> None:
        """Draw what these associations do, keep their answers, and tell who is not reached; all or nothing, and once.

        Nothing is drawn when the exercise is over. Raises NotPermittedError for a realm that is no exercise of ours.
        """
        now = self._clock.now()
        async with self._database.write() as session:
            if not await first_time(session, CONSUMER, event.event_id, now):
                return
            row = (await session.execute(select(ExerciseRow).where(col(ExerciseRow.realm) == event.realm.id))).scalar()
            if row is None or event.realm.live:
                raise NotPermittedError("nobody is simulated outside an exercise")
            exercise = exercise_of(row)
            if exercise.over:
                return
            opened = await _opened(session, exercise, event.round_id, now)
            asked = [Simulated(one.association_id, one.municipality) for one in event.asked]
            within = max(exercise.scenario.length - opened, SHORTEST)
            drawn = conducts(exercise.scenario.behaviour, asked, seed=exercise.seed, within=within)
            await self._keep(session, event, drawn, opened=opened)
            lost = tuple(one.association_id for one in drawn if one.fate is Fate.UNREACHABLE)
            await announce(session, _not_reached(exercise, event, lost, now) if lost else [])

    async def claim_due(self, limit: int) -> Sequence[Due]:
        """The answers that are due by the clocks of running exercises, of each the oldest and a fair share of about
        `limit`; they are the caller's for the time of CLAIM. The second answer of an association waits until the first
        is settled."""
        now = self._clock.now()

        def claim(connection: Connection, _items: Sequence[None]) -> Sequence[list[Due]]:
            return [_claim(connection, now, limit)]

        if not await self._database.look(partial(_any_due, now=now)):
            return []
        [claimed] = await self._database.write_many(claim, [None], quietly=True)
        return claimed

    async def settle(self, outcomes: Iterable[tuple[Due, Settled]]) -> None:
        """Keep what became of these."""
        rows = sorted((_settled_values(due, settled) for due, settled in outcomes), key=lambda row: str(row["form"]))
        if rows:
            await self._database.write_many(_settle, rows)

    async def drop(self) -> int:
        """Drop what waits in exercises that are over; how many answers."""
        over = select(col(ExerciseRow.realm)).where(col(ExerciseRow.state).in_([State.ENDED, State.ABORTED]))
        waiting = col(SimulatedAnswerRow.sending) == Sending.WAITING.value
        async with self._database.read() as session:
            found = select(col(SimulatedAnswerRow.id)).where(waiting, col(SimulatedAnswerRow.realm).in_(over)).limit(1)
            if (await session.execute(found)).first() is None:
                return 0
        statement = update(SimulatedAnswerRow).where(waiting, col(SimulatedAnswerRow.realm).in_(over))
        async with self._database.write() as session:
            dropped = statement.values(sending=Sending.DROPPED.value, path="").returning(col(SimulatedAnswerRow.id))
            return len((await session.execute(dropped)).all())

    async def figures(self, exercise: Exercise) -> Figures:
        """How the simulated associations of this exercise stand."""
        fate, sending, number = col(SimulatedRow.fate), col(SimulatedAnswerRow.sending), col(SimulatedAnswerRow.number)
        of_asked = select(fate, func.count()).where(col(SimulatedRow.realm) == exercise.realm.id).group_by(fate)
        of_answers = (
            select(sending, number, func.count())
            .where(col(SimulatedAnswerRow.realm) == exercise.realm.id)
            .group_by(sending, number)
        )
        async with self._database.read() as session:
            fates = {Fate(name): count for name, count in await session.execute(of_asked)}
            answers = {(Sending(name), nth): count for name, nth, count in await session.execute(of_answers)}
        return _figures(fates, answers)

    async def _keep(
        self, session: AsyncSession, event: SimulatedAsked, drawn: Sequence[Conduct], *, opened: timedelta
    ) -> None:
        key = {"realm": event.realm.id, "round_id": event.round_id}
        asked = insert_into(self._database.dialect, SimulatedRow).on_conflict_do_update(
            index_elements=["realm", "round_id", "association_id"], set_={"turn": event.turn}
        )
        rows = [
            {**key, "association_id": one.association_id, "turn": event.turn, "fate": one.fate.value}
            for one in sorted(drawn, key=lambda one: one.association_id)
        ]
        if rows:
            await session.execute(asked, rows)
        paths = {one.association_id: one.path for one in event.asked}
        answers = [row for one in drawn for row in _answer_rows(event, one, paths[one.association_id], opened)]
        if answers:
            kept = insert_into(self._database.dialect, SimulatedAnswerRow).on_conflict_do_nothing()
            await session.execute(kept, answers)


async def _opened(session: AsyncSession, exercise: Exercise, round_id: UUID, now: datetime) -> timedelta:
    """Where the exercise's clock stood when this round was opened; where it stands, if no inject opened it."""
    of_it = (col(InjectRow.realm) == exercise.realm.id, col(InjectRow.round_id) == round_id)
    seconds = (await session.execute(select(col(InjectRow.offset_seconds)).where(*of_it))).scalar()
    return exercise.clock.offset(now) if seconds is None else timedelta(seconds=seconds)


_RUNNING = (
    select(col(ExerciseRow.realm), col(ExerciseRow.elapsed_seconds), col(ExerciseRow.speed), col(ExerciseRow.since))
    .where(col(ExerciseRow.state) == State.RUNNING)
    .order_by(col(ExerciseRow.created_at))
    .limit(RUNNING_AT_ONCE)
)


def _reached(connection: Connection, now: datetime) -> list[tuple[str, float]]:
    """The realms of the running exercises, and how many seconds each has come."""
    rows = connection.execute(_RUNNING).all()
    clocks = [(realm, PlayClock(timedelta(seconds=elapsed), speed, since)) for realm, elapsed, speed, since in rows]
    return [(realm, clock.offset(now).total_seconds()) for realm, clock in clocks]


def _first_in_line() -> ColumnElement[bool]:
    """No earlier answer of the same association in the same round waits."""
    earlier, own = aliased(SimulatedAnswerRow), SimulatedAnswerRow
    return ~(
        select(col(earlier.id))
        .where(
            col(earlier.realm) == col(own.realm),
            col(earlier.round_id) == col(own.round_id),
            col(earlier.association_id) == col(own.association_id),
            col(earlier.number) < col(own.number),
            col(earlier.sending) == Sending.WAITING.value,
        )
        .exists()
    )


def _free() -> ColumnElement[bool]:
    """Nobody sends it now, and it is not too early to try it again."""
    not_before = col(SimulatedAnswerRow.not_before)
    return or_(not_before.is_(None), not_before <= bindparam("now", type_=UtcDateTime))


_DUE = (
    select(
        *(col(SimulatedAnswerRow.realm), col(SimulatedAnswerRow.id), col(SimulatedAnswerRow.path)),
        *(col(SimulatedAnswerRow.status), col(SimulatedAnswerRow.needs), col(SimulatedAnswerRow.offers)),
        *(col(SimulatedAnswerRow.tries), col(SimulatedAnswerRow.due_seconds)),
    )
    .where(
        col(SimulatedAnswerRow.sending) == Sending.WAITING.value,
        col(SimulatedAnswerRow.realm) == bindparam("of_realm"),
        col(SimulatedAnswerRow.due_seconds) <= bindparam("reached"),
        _free(),
        _first_in_line(),
    )
    .order_by(col(SimulatedAnswerRow.due_seconds), col(SimulatedAnswerRow.id))
    .limit(bindparam("most", type_=Integer))
)
"""Of one exercise, so that the index gives them in their order: SQLite sorts all that wait where there are several."""

_LOCKED = _DUE.with_for_update(skip_locked=True)
_CLAIM = (
    update(SimulatedAnswerRow)
    .where(
        col(SimulatedAnswerRow.realm) == bindparam("of_realm"),
        col(SimulatedAnswerRow.id).in_(bindparam("ids", expanding=True)),
        _free(),
    )
    .values(not_before=bindparam("until", type_=UtcDateTime), tries=col(SimulatedAnswerRow.tries) + 1)
)


def _any_due(connection: Connection, now: datetime) -> bool:
    return any(
        connection.execute(_DUE, {"of_realm": realm, "reached": reached, "now": now, "most": 1}).first()
        for realm, reached in _reached(connection, now)
    )


def _claim(connection: Connection, now: datetime, limit: int) -> list[Due]:
    claimed: list[Due] = []
    running = _reached(connection, now)
    for realm, reached in running:
        of_it = {"of_realm": realm, "now": now}
        rows = connection.execute(_LOCKED, {**of_it, "reached": reached, "most": ceil(limit / len(running))}).all()
        if rows:
            connection.execute(_CLAIM, {**of_it, "ids": [row.id for row in rows], "until": now + CLAIM})
        claimed += map(_due_of, rows)
    return claimed


def _settle(connection: Connection, rows: Sequence[dict[str, Any]]) -> Sequence[None]:
    connection.execute(_SETTLE, list(rows))
    return [None] * len(rows)


def _answer_rows(event: SimulatedAsked, one: Conduct, path: str, opened: timedelta) -> Iterable[dict[str, Any]]:
    for number, answer in enumerate(one.answers, start=1):
        yield {
            "realm": event.realm.id,
            "id": form_of(event.round_id, one.association_id, number),
            "round_id": event.round_id,
            "association_id": one.association_id,
            "number": number,
            "path": path,
            "due_seconds": (opened + answer.at).total_seconds(),
            "status": answer.status.value,
            "needs": [amount.model_dump() for amount in answer.needs],
            "offers": [amount.model_dump() for amount in answer.offers],
            "sending": Sending.WAITING.value,
            "tries": 0,
        }


def _not_reached(
    exercise: Exercise, event: SimulatedAsked, lost: tuple[UUID, ...], now: datetime
) -> list[SimulatedNotReached]:
    told = SimulatedNotReached(
        happened_at=now,
        realm=event.realm,
        exercise_id=exercise.id,
        situation_id=event.situation_id,
        round_id=event.round_id,
        turn=event.turn,
        association_ids=lost,
    )
    return [told]


def _due_of(row: Row[Any]) -> Due:
    form = FilledIn(
        form_id=row.id,
        status=OperatingStatus(row.status),
        needs=[Amount(**amount) for amount in row.needs],
        offers=[Amount(**amount) for amount in row.offers],
    )
    return Due(row.realm, row.path, form, row.tries + 1)


def _settled_values(due: Due, settled: Settled) -> dict[str, Any]:
    waits = settled.sending is Sending.WAITING
    return {
        "of_realm": due.realm,
        "form": due.form.form_id,
        "now_sending": settled.sending.value,
        "later": settled.not_before,
        "link": due.path if waits else "",
    }


_SETTLE = (
    update(SimulatedAnswerRow)
    .where(
        col(SimulatedAnswerRow.realm) == bindparam("of_realm"),
        col(SimulatedAnswerRow.id) == bindparam("form"),
        col(SimulatedAnswerRow.sending) == Sending.WAITING.value,
    )
    .values(sending=bindparam("now_sending"), not_before=bindparam("later"), path=bindparam("link"))
)


def _figures(fates: dict[Fate, int], answers: dict[tuple[Sending, int], int]) -> Figures:
    def of(sending: Sending) -> int:
        return sum(count for (known, _), count in answers.items() if known is sending)

    return Figures(
        asked=sum(fates.values()),
        unreachable=fates.get(Fate.UNREACHABLE, 0),
        silent=fates.get(Fate.SILENT, 0),
        answered=answers.get((Sending.SENT, 1), 0),
        to_come=of(Sending.WAITING),
        given_up=of(Sending.GIVEN_UP),
        dropped=of(Sending.DROPPED),
    )
