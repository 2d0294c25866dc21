"""Jobs of the feeds: keep a copy of the public pages as plain files."""

from datetime import timedelta
from pathlib import Path

from services.notify.feeds.plain_files import Told
from services.notify.feeds.store import Copies

ANEW = timedelta(minutes=10)
"""So old may a copy become of which nothing changed: its pages say when it was made."""


class Copying:
    """Writes the copy whenever the public is told something else, and now and then to say that it is still so."""

    def __init__(self, copies: Copies, folder: Path) -> None:
        self._copies = copies
        self._folder = folder
        self._last: Told | None = None

    async def keep(self) -> bool:
        """Write the copy if it is not of now. Never asks to be called again."""
        told = await self._copies.told()
        if self._last is None or told.differs(self._last) or told.made_at - self._last.made_at >= ANEW:
            await self._copies.write(self._folder, told)
            self._last = told
        return False
