"""Rehearsals: which exercises are over. It is kept in the inbox, as long as the bus may still tell of them."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from shared.clock import Clock
from shared.db import Database
from shared.inbox import applied, first_time
from shared.realm import Realm


class EndedExercises:
    """Remembers, for one service, the exercises that are over."""

    def __init__(self, database: Database, *, clock: Clock, service: str) -> None:
        self._database = database
        self._clock = clock
        self._consumer = _consumer(service)

    async def remember(self, exercise_id: UUID) -> None:
        """It is over; saying so again changes nothing."""
        async with self._database.write() as session:
            await first_time(session, self._consumer, exercise_id, self._clock.now())

    async def knows(self, exercise_id: UUID) -> bool:
        """True if it is over."""
        async with self._database.read() as session:
            return await applied(session, self._consumer, exercise_id)


async def is_over(session: AsyncSession, realm: Realm, *, service: str) -> bool:
    """True if the exercise of this realm is over, as this service heard; within the caller's transaction."""
    try:
        exercise_id = UUID(hex=realm.removeprefix("ex-"))
    except ValueError:
        return False
    return await applied(session, _consumer(service), exercise_id)


def _consumer(service: str) -> str:
    return f"{service}-exercise-over"
