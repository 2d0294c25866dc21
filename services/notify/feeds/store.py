"""Store of releases: what stands in the feeds and in their copy as plain files. Only ever of the live realm."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from pathlib import Path
from uuid import UUID

from services.notify.cap.model import Issuer, Release, sent_at
from services.notify.feeds.model import Announced
from services.notify.feeds.plain_files import Told, plain_files
from services.notify.guidance.model import Earlier, Revision
from services.notify.guidance.store import GuidanceStore
from services.notify.mirror.model import Changes
from services.notify.mirror.store import Folder
from services.notify.situations.store import SituationStore
from services.notify.standing.model import near
from services.notify.standing.store import StandingStore
from shared.clock import Clock
from shared.realm import LIVE, Realm
from shared.web import Pages

Announcer = Callable[[datetime], Awaitable[Sequence[Announced]]]
"""Tells what is announced at a moment: a bounded number, of the real world alone."""


class Releases:
    """What the public has been told."""

    def __init__(self, guidance: GuidanceStore, situations: SituationStore) -> None:
        self._guidance = guidance
        self._situations = situations
        self._announcers: list[Announcer] = []

    def announce_by(self, announcer: Announcer) -> None:
        """Have calendars show what this one announces, an exercise for example."""
        self._announcers.append(announcer)

    async def announced(self, now: datetime) -> list[Announced]:
        """What everybody may know of beforehand."""
        return [one for announcer in self._announcers for one in await announcer(now)]

    async def current(self, now: datetime) -> list[Release]:
        """What is in force or was withdrawn of late, newest first."""
        told = [*await self._guidance.current(now), *await self._guidance.withdrawn(now)]
        kinds = await self._situations.kinds()
        before = await self._guidance.earlier(LIVE, {known.guidance_id for known in told})
        told.sort(key=lambda known: known.approved_at or now, reverse=True)
        return [_release(known, before[known.guidance_id], kinds) for known in told]

    async def one(self, guidance_id: UUID, number: int, *, realm: Realm = LIVE) -> Release | None:
        """One released revision, or None where there never was such a one. No public door names another realm."""
        history = await self._guidance.history(realm, guidance_id)
        found = next((known for known in history if known.number == number), None)
        if found is None:
            return None
        before = [_as_earlier(known) for known in reversed(history) if known.number < number]
        return _release(found, before, await self._situations.kinds(realm))


class Copies:
    """Copies of the public pages and feeds as plain files."""

    def __init__(
        self,
        releases: Releases,
        situations: SituationStore,
        standing: StandingStore,
        *,
        pages: Pages,
        issuer: Issuer,
        clock: Clock,
    ) -> None:
        self._releases = releases
        self._situations = situations
        self._standing = standing
        self._pages = pages
        self._issuer = issuer
        self._clock = clock

    async def told(self) -> Told:
        """What a copy made now would hold."""
        now = self._clock.now()
        return Told(
            await self._releases.current(now),
            await self._situations.open_ones(),
            now,
            announced=await self._releases.announced(now),
            standing=near(await self._standing.current(), None),
        )

    async def write(self, folder: Path, told: Told) -> Changes:
        """Write it; what changed in the folder. Raises OSError where it cannot be written."""
        files = plain_files(told, pages=self._pages, issuer=self._issuer)
        return await Folder(folder).write(files, made_at=told.made_at.isoformat(timespec="seconds"))


def _release(revision: Revision, earlier: Sequence[Earlier], kinds: dict[UUID, str]) -> Release:
    """A release; the kind of a situation that is long over may be forgotten, then there is none."""
    situation = revision.draft.situation_id
    return Release(revision, tuple(earlier), kinds.get(situation, "") if situation else "")


def _as_earlier(revision: Revision) -> Earlier:
    return Earlier(revision.guidance_id, revision.number, revision.kind, sent_at(revision))
