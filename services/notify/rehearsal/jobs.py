"""Jobs: who took part in an exercise is forgotten some time after its end."""

from services.notify.rehearsal.store import Rosters


class RehearsalJobs:
    """The work of this topic that is due by the clock."""

    def __init__(self, rosters: Rosters) -> None:
        self._rosters = rosters

    async def forget(self) -> bool:
        """Remove a page of those whose exercise was over long ago; True if there may be more."""
        return await self._rosters.forget()
