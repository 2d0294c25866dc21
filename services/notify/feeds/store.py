"""Store of releases: what stands in the feeds, with what it takes the place of. Only ever of the live realm."""

from datetime import datetime
from uuid import UUID

from services.notify.cap.model import Release
from services.notify.guidance.model import Revision
from services.notify.guidance.store import GuidanceStore
from services.notify.situations.store import SituationStore


class Releases:
    """What the public has been told."""

    def __init__(self, guidance: GuidanceStore, situations: SituationStore) -> None:
        self._guidance = guidance
        self._situations = situations

    async def current(self, now: datetime) -> list[Release]:
        """What is in force, newest first."""
        kinds = await self._situations.kinds()
        return [_release([revision], kinds) for revision in await self._guidance.current(now)]

    async def one(self, guidance_id: UUID, number: int) -> Release | None:
        """One released revision, or None where there never was such a one."""
        released = [known for known in await self._guidance.released(guidance_id) if known.number <= number]
        if not released or released[-1].number != number:
            return None
        return _release(released, await self._situations.kinds())


def _release(released: list[Revision], kinds: dict[UUID, str]) -> Release:
    """The last of the released ones; the kind of a situation that is over may be forgotten, then there is none."""
    *earlier, revision = released
    situation = revision.draft.situation_id
    return Release(revision, tuple(earlier), kinds.get(situation, "") if situation else "")
