"""Invitation jobs: whoever is silent for too long is not waited for alone."""

from datetime import timedelta

from services.intake.invitation.store import InvitationStore


class InvitationJobs:
    """What is due by time alone. `escalate_after` is how long one contact is waited for."""

    def __init__(self, store: InvitationStore, *, escalate_after: timedelta) -> None:
        self._store = store
        self._escalate_after = escalate_after

    async def turn_silent(self) -> bool:
        """Ask the next contacts of some associations; True if there may be more."""
        return await self._store.turn_silent(after=self._escalate_after)
