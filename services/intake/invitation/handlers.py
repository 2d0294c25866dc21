"""Invitation handlers: what happens when a round opens or closes, or a letter does not arrive."""

from services.intake.invitation.store import InvitationStore
from shared.events import NotPermittedError
from shared.events.exercise import ExerciseEnded, SimulatedNotReached
from shared.events.notify import LetterFailed, LetterReturned
from shared.events.status import RoundClosed, RoundOpened


class InvitationHandlers:
    """Hears of rounds and of letters."""

    def __init__(self, store: InvitationStore) -> None:
        self._store = store

    async def on_round_opened(self, event: RoundOpened) -> None:
        """Ask the associations that this part names."""
        await self._store.invite(event)

    async def on_letter_failed(self, event: LetterFailed) -> None:
        """Turn to the next contact. Other letters than those of a round are nobody's concern here."""
        if event.kind in {"checkin", "reminder"}:
            await self._store.turn_to_next(event)

    async def on_letter_returned(self, event: LetterReturned) -> None:
        """The same for one that went out and came back, were it days later."""
        if event.kind in {"checkin", "reminder"}:
            await self._store.turn_to_next(event)

    async def on_round_closed(self, event: RoundClosed) -> None:
        """Take no more answers."""
        await self._store.close(event)

    async def on_simulated_not_reached(self, event: SimulatedNotReached) -> None:
        """Turn to the next contact of those whom an exercise simulates."""
        await self._store.turn_simulated(event)

    async def on_exercise_ended(self, event: ExerciseEnded) -> None:
        """Take no more answers in its realm."""
        if event.realm.live:
            raise NotPermittedError("an exercise closes no round outside its realm")
        await self._store.end(event)
