"""Jobs: answers are given when the clock of the exercise says so, at the door by which everybody answers."""

import asyncio

from services.exercise.simulated.model import Sending, Settled, after_failure
from services.exercise.simulated.store import Due, SimulatedStore
from shared.answer_door import AnswerDoor, NotTakenError
from shared.clock import Clock
from shared.log import logger

log = logger(__name__)

AT_ONCE = 16
"""Answers that are given side by side."""
WITHIN = 10.0
"""Seconds in which one is taken, or tried again: less than it is claimed for."""


class SimulatedJobs:
    """The work of this topic that is due by the clock."""

    def __init__(self, store: SimulatedStore, door: AnswerDoor, *, clock: Clock) -> None:
        self._store = store
        self._door = door
        self._clock = clock

    async def answer(self) -> bool:
        """Give the answers that are due; drop those of exercises that are over. True if there may be more."""
        due = await self._store.claim_due(AT_ONCE)
        if not due:
            await self._store.drop()
            return False
        settled = await asyncio.gather(*(self._give(one) for one in due))
        await self._store.settle(zip(due, settled, strict=True))
        return True

    async def _give(self, due: Due) -> Settled:
        """Send the form behind the link, as a person's browser does. To open it first would change nothing, and take as
        long again."""
        try:
            async with asyncio.timeout(WITHIN):
                await self._door.send(due.path, due.form)
        except (NotTakenError, TimeoutError) as error:
            permanent = isinstance(error, NotTakenError) and error.permanent
            settled = after_failure(due.tries, permanent=permanent, now=self._clock.now())
            log.warning("a simulated answer was not taken", reason=str(error), tries=due.tries, then=settled.sending)
            return settled
        return Settled(Sending.SENT)
