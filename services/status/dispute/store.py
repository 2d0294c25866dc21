"""Store: finds the associations whose answers disagree, and pins the answer that is to count."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, and_, or_, select

from services.status.answer.model import Answer, Choice, Flaw, Pin
from services.status.association.store import ASSOCIATION, ids_in_sight
from services.status.audit.model import Act
from services.status.audit.store import record_all
from services.status.readiness.model import State, pinned
from services.status.readiness.standing_rows import STANDING, Step, answers_of, lock, pin_of, record, standings
from services.status.situation.model import Situation
from services.status.situation.store import SITUATION
from shared.audit import Deed
from shared.clock import Clock
from shared.db import Database
from shared.i18n import Locale
from shared.identity import Within
from shared.realm import LIVE

MOST = 200
"""Shown at a time: more than a person chooses between in one sitting."""


@dataclass(frozen=True)
class Dispute:
    """An association whose answers disagree, or disagreed until one was pinned."""

    association_id: UUID
    name: str
    municipality: str
    state: State
    answers: tuple[Answer, ...]
    pin: Pin | None


class DisputeStore:
    """Shows and ends disagreements."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def listed(self, situation: Situation, *, within: Within) -> list[Dispute]:
        """Those `within` sight by name, MOST at most; those that nobody has ended yet come first.

        Reads every standing once; for a page that somebody asks for, not for the live picture.
        """
        here = (*_in(situation), *ids_in_sight(within, STANDING.c.association_id))
        apart = or_(STANDING.c.disputed.is_(True), STANDING.c.pin.is_not(None))
        rows = _named().where(*here, apart).order_by(STANDING.c.disputed.desc(), ASSOCIATION.c.name).limit(MOST)
        async with self._database.read() as session:
            return [_dispute(row) for row in (await session.execute(rows)).mappings()]

    async def one(self, situation: Situation, association_id: UUID) -> Dispute | None:
        """The association's answers that disagree; None if they do not (any more)."""
        rows = _named().where(*_in(situation), STANDING.c.association_id == association_id)
        async with self._database.read() as session:
            row = (await session.execute(rows)).mappings().first()
        found = _dispute(row) if row else None
        return found if found and len(found.answers) > 1 else None

    async def pin(self, situation: Situation, association_id: UUID, choice: Choice) -> tuple[Flaw, ...]:
        """Have the chosen answer count, and every figure with it; or every reason why it was not done."""
        async with self._database.write() as session:
            connection = await session.connection()
            return await connection.run_sync(_pin, situation, association_id, choice, self._clock.now())


def _pin(
    connection: Connection, situation: Situation, association_id: UUID, choice: Choice, now: datetime
) -> tuple[Flaw, ...]:
    place = (str(situation.realm), situation.id)
    lock(connection, [place])
    ended = select(SITUATION.c.closed_at).where(SITUATION.c.realm == place[0], SITUATION.c.id == place[1])
    if connection.execute(ended).scalar() is not None:
        return (Flaw.SITUATION_CLOSED,)
    key = (*place, association_id)
    before = standings(connection, [key]).get(key)
    if before is None:
        return (Flaw.ANSWERS_CHANGED,)
    after = pinned(before, choice, now)
    if isinstance(after, tuple):
        return after
    record(connection, [Step(before, after)], now)
    record_all(connection, [_deed(situation, association_id, choice, now)])
    return ()


def _deed(situation: Situation, association_id: UUID, choice: Choice, now: datetime) -> Deed:
    """What is written into the audit. Which answer was pinned is told by its id: it stays with the standing."""
    told: dict[str, str | int] = {
        "situation": situation.names.of(Locale.FI),
        "answer": str(choice.answer),
        "reason": choice.reason,
    }
    if situation.realm != LIVE:
        told["realm"] = situation.realm.id
    return Deed(now, Act.ANSWER_PINNED, choice.by, str(association_id), told)


def _named() -> Any:
    columns = (STANDING.c.association_id, ASSOCIATION.c.name, STANDING.c.municipality, STANDING.c.state)
    named = and_(ASSOCIATION.c.association_id == STANDING.c.association_id, ASSOCIATION.c.realm == LIVE)
    return select(*columns, STANDING.c.answers, STANDING.c.pin).join(ASSOCIATION, named)


def _in(situation: Situation) -> tuple[Any, Any]:
    return STANDING.c.realm == situation.realm, STANDING.c.situation_id == situation.id


def _dispute(row: Mapping[Any, Any]) -> Dispute:
    changed = {"state": State(row["state"]), "answers": answers_of(row["answers"]), "pin": pin_of(row["pin"])}
    return Dispute(**{**row, **changed})
