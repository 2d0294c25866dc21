"""House: the parts of which every service is made, and the order in which they start and stop."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from fastapi import FastAPI
from sqlalchemy import MetaData

from shared.bus import Bus
from shared.clock import Clock
from shared.db import Database
from shared.events.intake import SessionEnded
from shared.identity import Sessions
from shared.inbox import forget_applied
from shared.jobs import Jobs
from shared.migrate import migrate
from shared.operations import operations
from shared.settings import Settings
from shared.streams import Voice
from shared.web import Pages, make_web

CONFIRM_EVERY: Final = 1.0
PUBLISH_AGAIN_EVERY: Final = 30.0
FORGET_EVERY: Final = 3600.0
COMPACT_EVERY: Final = 60.0


@dataclass(frozen=True)
class House:
    """The real parts of one service. A test takes what it needs and leaves the rest unstarted."""

    voice: Voice
    settings: Settings
    clock: Clock
    database: Database
    bus: Bus
    sessions: Sessions
    pages: Pages
    tables: MetaData
    migrations: Path
    jobs: Jobs = field(default_factory=Jobs)

    def app(self, *, started: Callable[[], AbstractAsyncContextManager[None]] | None = None) -> FastAPI:
        """The web application with the frame and the operations pages; `started` runs while all parts do."""

        @asynccontextmanager
        async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
            await migrate(self.database, self.migrations)
            await self.bus.start()
            self.jobs.start()
            try:
                if started is None:
                    yield
                else:
                    async with started():
                        yield
            finally:
                await self.jobs.stop()
                await self.bus.stop()
                await self.database.close()

        app = make_web(self.settings, pages=self.pages, sessions=self.sessions, lifespan=lifespan)
        app.include_router(operations(self.voice.service, bus=self.bus, database=self.database))
        app.state.house = self
        return app


def build(
    voice: Voice,
    settings: Settings,
    *,
    clock: Clock,
    tables: MetaData,
    migrations: Path,
    templates: tuple[Path, ...],
) -> House:
    """Make the parts of a service from its settings; nothing is connected or started yet.

    `tables` are those of its classes, `migrations` the folder whose `versions` make them in a database.
    """
    database = Database(settings.database_of(voice.service))
    sessions = Sessions(settings.secret.get_secret_value(), database=database, clock=clock, secure=settings.secure)
    bus = Bus(voice, settings.nats, database=database, clock=clock)

    async def on_session_ended(event: SessionEnded) -> None:
        await sessions.end(event.session_id, event.valid_until)

    async def forget() -> bool:
        return await forget_applied(database, clock=clock)

    if SessionEnded in voice.hears:
        bus.hears(SessionEnded, on_session_ended)
    house = House(
        voice=voice,
        settings=settings,
        clock=clock,
        database=database,
        bus=bus,
        sessions=sessions,
        pages=Pages(settings, *templates),
        tables=tables,
        migrations=migrations,
    )
    house.jobs.every(CONFIRM_EVERY, bus.confirm)
    house.jobs.every(PUBLISH_AGAIN_EVERY, bus.publish_again)
    house.jobs.every(FORGET_EVERY, bus.relay.unconfirmed.give_up)
    house.jobs.every(FORGET_EVERY, forget)
    house.jobs.every(COMPACT_EVERY, database.compact_if_noted)
    return house
