"""Jobs of suggestions: the feeds are read, and what concerns us is kept for the liaison. Nothing else happens by it."""

from collections.abc import Sequence

import httpx

from services.status.geography.store import GeographyStore
from services.status.suggestion.cap_reader import UnfitFeedError
from services.status.suggestion.fetching import Source
from services.status.suggestion.model import Bulletin
from services.status.suggestion.store import SuggestionStore
from shared.log import logger

log = logger(__name__)


class Suggesting:
    """Reads warnings, from feeds or from whoever hands them over."""

    def __init__(self, store: SuggestionStore, geography: GeographyStore, *, sources: Sequence[str] = ()) -> None:
        self._store = store
        self._geography = geography
        self._sources = [Source(url) for url in sources]

    async def look(self) -> bool:
        """Read all feeds once. Never asks to be called again. A feed that fails does not keep the others from us."""
        for source in self._sources:
            try:
                await self.take(await source.bulletins())
                source.done()
            except (httpx.HTTPError, httpx.InvalidURL, UnfitFeedError, OSError, TimeoutError) as error:
                reason = str(error) if isinstance(error, UnfitFeedError) else type(error).__name__
                log.warning("a feed of warnings could not be read", source=source.host, reason=reason)
        await self._store.forget()
        return False

    async def take(self, bulletins: Sequence[Bulletin]) -> int:
        """Keep what concerns us of these; how many new suggestions wait for a decision."""
        return await self._store.take(bulletins, await self._geography.boundaries())
