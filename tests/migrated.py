"""Empty databases with all tables: each service's is made once, and most tests begin with a copy of it."""

import asyncio
import shutil
from pathlib import Path

from shared.db import Database
from shared.migrate import migrate

SERVICES = Path(__file__).parent.parent / "services"


class Migrated:
    """Files of empty databases, in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def copy_to(self, url: str, service: str) -> None:
        """Make the SQLite database at `url` one with all tables of the service, and nothing in them."""
        file = self._folder / f"{service}.db"
        if not file.exists():
            database = Database(f"sqlite+aiosqlite:///{file}")
            await migrate(database, SERVICES / service / "migrations")
            await database.close()
        await asyncio.to_thread(shutil.copyfile, file, url.removeprefix("sqlite+aiosqlite:///"))
