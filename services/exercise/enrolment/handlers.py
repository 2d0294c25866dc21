"""Handlers: who was erased elsewhere is forgotten here too."""

from services.exercise.enrolment.store import EnrolmentStore
from shared.events.notify import PersonErased


class EnrolmentHandlers:
    """What enrolment does with what notify tells."""

    def __init__(self, store: EnrolmentStore) -> None:
        self._store = store

    async def on_person_erased(self, event: PersonErased) -> None:
        """Forget her; again is harmless."""
        await self._store.erase(event.key)
