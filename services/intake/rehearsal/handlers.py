"""Handlers: who takes part in an exercise, and that it is over."""

from services.intake.rehearsal.store import RehearsalStore
from shared.events import Event, NotPermittedError
from shared.events.exercise import ExerciseEnded, ExerciseStarted, RosterFrozen
from shared.events.notify import PersonErased


class RehearsalHandlers:
    """Hears of exercises, in their own realms alone."""

    def __init__(self, store: RehearsalStore) -> None:
        self._store = store

    async def on_roster_frozen(self, event: RosterFrozen) -> None:
        """Know who takes part."""
        _rehearsed(event)
        await self._store.enrol(event)

    async def on_exercise_started(self, event: ExerciseStarted) -> None:
        """Know when everybody is known."""
        _rehearsed(event)
        await self._store.begin(event)

    async def on_exercise_ended(self, event: ExerciseEnded) -> None:
        """Forget who took part."""
        _rehearsed(event)
        await self._store.end(event)

    async def on_person_erased(self, event: PersonErased) -> None:
        """Forget her at once; again is harmless."""
        await self._store.erase(event.key)


def _rehearsed(event: Event) -> None:
    if event.realm.live:
        raise NotPermittedError("an exercise has no roster outside its realm")
