"""Handlers: the roster of an exercise is the one list of those who can get its letters; with its end it is empty."""

from services.notify.delivery.store import Ledger
from services.notify.inject.model import letter_of_inject
from services.notify.inject.store import InjectLetters
from shared.events import NotPermittedError
from shared.events.exercise import ExerciseEnded, InjectFired, RosterFrozen
from shared.rehearsals import EndedExercises


class RehearsalHandlers:
    """Opens and closes the gate for those who take part. What is told again, or in another order, changes nothing."""

    def __init__(self, ledger: Ledger, ended: EndedExercises, injects: InjectLetters) -> None:
        self._ledger = ledger
        self._ended = ended
        self._injects = injects

    async def on_roster_frozen(self, event: RosterFrozen) -> None:
        """Put them on the roster; take them off again if the exercise had ended before we heard of them."""
        if event.realm.live:
            raise NotPermittedError("an exercise has no roster outside its realm")
        await self._ledger.enrol(event.realm, event.addresses, told=event.event_id)
        await self._injects.address(event.realm)
        if await self._ended.knows(event.exercise_id):
            await self._ledger.drop(event.realm)

    async def on_exercise_ended(self, event: ExerciseEnded) -> None:
        """Remember that it is over, then empty the roster and drop what waits. Whoever is enrolled after that finds it
        remembered."""
        if event.realm.live:
            raise NotPermittedError("an exercise cannot drop letters outside its realm")
        await self._ended.remember(event.exercise_id)
        await self._ledger.drop(event.realm)

    async def on_inject_fired(self, event: InjectFired) -> None:
        """Write what is mailed to all of the roster, and to whoever is heard to be on it later; not after the end."""
        if event.realm.live:
            raise NotPermittedError("an exercise writes to nobody outside its realm")
        if not event.mailed or await self._ended.knows(event.exercise_id):
            return
        await self._injects.keep(letter_of_inject(event))
        await self._injects.address(event.realm)
        if await self._ended.knows(event.exercise_id):
            await self._ledger.drop(event.realm)
