"""Store: which exercises are over. It is kept in the inbox, as long as the bus may still deliver their injects."""

from uuid import UUID

from shared.clock import Clock
from shared.db import Database
from shared.inbox import applied, first_time

ENDED = "status-exercise-over"


class EndedExercises:
    """Remembers the exercises that are over."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def remember(self, exercise_id: UUID) -> None:
        """It is over; saying so again changes nothing."""
        async with self._database.write() as session:
            await first_time(session, ENDED, exercise_id, self._clock.now())

    async def knows(self, exercise_id: UUID) -> bool:
        """True if it is over."""
        async with self._database.read() as session:
            return await applied(session, ENDED, exercise_id)
