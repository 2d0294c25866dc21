"""Erasure jobs: what was erased is cleaned out of the files of the database."""

from services.notify.erasure.store import Erasure


class ErasureJobs:
    """What is left to do after somebody was erased."""

    def __init__(self, erasure: Erasure) -> None:
        self._erasure = erasure

    async def scrub(self) -> bool:
        """Clean the files, for all who were erased since the last time at once."""
        return await self._erasure.scrub()
