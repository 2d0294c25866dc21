"""App of the catcher: an SMTP port that takes letters and a web page that shows them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI

from services.catcher.mail import listen
from services.catcher.store import CatcherTable, Letters
from services.catcher.web import pages
from shared.clock import Clock, SystemClock
from shared.db import Database
from shared.identity import Sessions
from shared.plumbing import Plumbing
from shared.settings import Settings
from shared.web import Pages, make_web

TEMPLATES = Path(__file__).parent / "templates"


def make_app(settings: Settings, *, clock: Clock | None = None, host: str = "127.0.0.1") -> FastAPI:
    """The catcher, listening at `settings.smtp.port` while it runs."""
    clock = clock or SystemClock()
    database = Database(settings.database_of("catcher"))
    letters = Letters(database, clock=clock)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await database.create_tables(Plumbing.metadata, CatcherTable.metadata)
        server = await listen(letters.keep, host=host, port=settings.smtp.port)
        try:
            yield
        finally:
            server.close()
            await server.wait_closed()
            await letters.keep.close()
            await database.close()

    sessions = Sessions(settings.secret.get_secret_value(), database=database, clock=clock, secure=settings.secure)
    app = make_web(settings, pages=Pages(settings, TEMPLATES), sessions=sessions, lifespan=lifespan)
    app.include_router(pages(letters))
    app.state.letters = letters
    return app
