"""Store of releases: what stands in the feeds, with what it takes the place of. Only ever of the live realm."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.notify.cap.model import Release, sent_at
from services.notify.guidance.model import Earlier, Revision
from services.notify.guidance.store import GuidanceStore
from services.notify.situations.store import SituationStore
from shared.realm import LIVE


class Releases:
    """What the public has been told."""

    def __init__(self, guidance: GuidanceStore, situations: SituationStore) -> None:
        self._guidance = guidance
        self._situations = situations

    async def current(self, now: datetime) -> list[Release]:
        """What is in force or was withdrawn of late, newest first."""
        told = [*await self._guidance.current(now), *await self._guidance.withdrawn(now)]
        kinds = await self._situations.kinds()
        before = await self._guidance.earlier(LIVE, {known.guidance_id for known in told})
        told.sort(key=lambda known: known.approved_at or now, reverse=True)
        return [_release(known, before[known.guidance_id], kinds) for known in told]

    async def one(self, guidance_id: UUID, number: int) -> Release | None:
        """One released revision, or None where there never was such a one."""
        history = await self._guidance.history(LIVE, guidance_id)
        found = next((known for known in history if known.number == number), None)
        if found is None:
            return None
        before = [_as_earlier(known) for known in reversed(history) if known.number < number]
        return _release(found, before, await self._situations.kinds())


def _release(revision: Revision, earlier: Sequence[Earlier], kinds: dict[UUID, str]) -> Release:
    """A release; the kind of a situation that is long over may be forgotten, then there is none."""
    situation = revision.draft.situation_id
    return Release(revision, tuple(earlier), kinds.get(situation, "") if situation else "")


def _as_earlier(revision: Revision) -> Earlier:
    return Earlier(revision.guidance_id, revision.number, revision.kind, sent_at(revision))
