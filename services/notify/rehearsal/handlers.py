"""Handlers: the roster of an exercise is the one list of those who can get its letters; its end is the last of them."""

from services.notify.delivery.store import Ledger
from services.notify.inject.model import letter_of_inject
from services.notify.inject.store import InjectLetters
from services.notify.rehearsal.model import ended_letter, started_letter
from services.notify.rehearsal.store import Rosters
from shared.events import NotPermittedError
from shared.events.exercise import ExerciseEnded, InjectFired, RosterFrozen
from shared.rehearsals import EndedExercises


class RehearsalHandlers:
    """Opens and closes the gate for those who take part, and tells them. What is told again, or in another order,
    changes nothing: each gets one letter of the beginning, if it is heard of before the end, and one of the end."""

    def __init__(self, ledger: Ledger, rosters: Rosters, ended: EndedExercises, injects: InjectLetters) -> None:
        self._ledger = ledger
        self._rosters = rosters
        self._ended = ended
        self._injects = injects

    async def on_roster_frozen(self, event: RosterFrozen) -> None:
        """Put them on the roster and tell them. If the exercise has ended they are told that alone."""
        if event.realm.live:
            raise NotPermittedError("an exercise has no roster outside its realm")
        over = await self._ended.knows(event.exercise_id)
        await self._ledger.enrol(event.realm, event.addresses, locales=event.locales, over=over, told=event.event_id)
        if not over:
            await self._rosters.tell(started_letter(event.realm, event.exercise_id, event.names, at=event.happened_at))
            await self._injects.address(event.realm)
        if await self._ended.knows(event.exercise_id):
            await self._ledger.drop(event.realm)
            await self._rosters.tell_late(event.realm)

    async def on_exercise_ended(self, event: ExerciseEnded) -> None:
        """Remember that it is over, drop what waits, then tell the roster. Whoever is enrolled after that finds it
        remembered."""
        if event.realm.live:
            raise NotPermittedError("an exercise cannot drop letters outside its realm")
        await self._ended.remember(event.exercise_id)
        await self._ledger.drop(event.realm)
        await self._rosters.tell(
            ended_letter(event.realm, event.exercise_id, event.names, at=event.happened_at, aborted=event.aborted)
        )

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
