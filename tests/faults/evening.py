"""An evening: associations that two services know, asked in a round, their answer links in hand; and the count of
what became of every answer that was accepted."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import cycle
from typing import TypeVar
from uuid import UUID

from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient, codes
from sqlalchemy import func, select
from sqlmodel import col

from services.intake.app import make_app as make_intake
from services.intake.checkin.store import CheckInRow
from services.intake.register_file.model import Listed, ListedContact
from services.status.app import make_app as make_status
from services.status.readiness.standing_rows import CHANGE, STANDING
from services.status.situation.model import Names, Opened, SituationDraft, open_situation
from shared import region
from shared.clock import Clock, SystemClock
from shared.db import Database
from shared.events import EVENT_TYPES, Event
from shared.events.intake import AssociationChanged, OperatingStatus
from shared.events.notify import LetterRequested
from shared.events.status import RoundOpened
from shared.house import House
from shared.ids import new_id
from shared.migrate import migrate
from shared.plumbing import OutboxRow
from shared.realm import LIVE
from shared.settings import Nats, Settings
from tests.servers import NatsServer
from tests.status.people import round_of

ADDRESS = "http://127.0.0.1:8000"
HATTULA = "082"
E = TypeVar("E", bound=Event)

STATUSES = (OperatingStatus.NORMAL, OperatingStatus.LIMITED, OperatingStatus.SUSPENDED)


@dataclass
class Evening:
    """What is asked, and what was accepted so far: the answers for which somebody saw a thank-you page."""

    settings: Settings
    situation_id: UUID
    links: Mapping[UUID, str]
    """The path of the answer link by association."""
    accepted: dict[UUID, OperatingStatus] = field(default_factory=dict)

    def on(self, server: NatsServer) -> "Evening":
        """The same evening with this bus."""
        return replace(self, settings=self.settings.model_copy(update={"nats": Nats(url=server.url)}))

    def answers(self) -> Iterator[tuple[UUID, OperatingStatus]]:
        """One answer of each association, of every kind in turn."""
        return zip(self.links, cycle(STATUSES))

    async def answer(self, door: AsyncClient, association: UUID, status: OperatingStatus) -> int:
        """Send the form; the HTTP status. It counts as accepted with a 200 and with nothing else."""
        reply = await door.post(self.links[association], data={"status": status, "checkin_id": str(new_id())})
        if reply.status_code == codes.OK:
            self.accepted[association] = status
        return reply.status_code

    async def answer_all(
        self, door: AsyncClient, answers: Iterable[tuple[UUID, OperatingStatus]] | None = None
    ) -> Counter[int]:
        """Send these answers, or all, at once; how often each HTTP status came."""
        wanted = self.answers() if answers is None else answers
        return Counter(await asyncio.gather(*(self.answer(door, *answer) for answer in wanted)))


async def ask(settings: Settings, count: int = 40, *, clock: Clock | None = None) -> Evening:
    """So many associations of Hattula, known to intake and status and asked in a round. No bus is needed: the events
    are carried over by hand, and stay in the outboxes as well, so that the bus brings each a second time."""
    clock = clock or SystemClock()
    intake, status = make_intake(settings, clock=clock), make_status(settings, clock=clock)
    async with AsyncExitStack() as stack:
        for app in (intake, status):
            house: House = app.state.house
            stack.push_async_callback(house.database.close)
            await migrate(house.database, house.migrations)
        async for _ in intake.state.register_files.import_rows(_lines(count)):
            continue
        for event in await waiting(database_of(intake), AssociationChanged):
            await status.state.readiness.know(event)
        situation_id = await _open(status, clock)
        for opened in await waiting(database_of(status), RoundOpened):
            await intake.state.invitation.invite(opened)
        wishes = await waiting(database_of(intake), LetterRequested)
        names = await _names(database_of(intake))
    links = {names[wish.personal["association"]]: wish.personal["link"].removeprefix(ADDRESS) for wish in wishes}
    return Evening(settings, situation_id, links)


def _lines(count: int) -> Sequence[Listed]:
    return [
        Listed(
            row=number,
            register_number=f"{number}",
            name=f"Yhdistys {number}",
            municipality=HATTULA,
            contacts=(ListedContact("Aino", f"aino{number}@example.org"),),
        )
        for number in range(2, count + 2)
    ]


async def _open(status: FastAPI, clock: Clock) -> UUID:
    """Open a storm and a round in it."""
    draft = SituationDraft(Names("Myrsky"), "storm", tuple(place.code for place in region.MUNICIPALITIES), 12)
    opened = open_situation(draft, situation_id=new_id(), realm=LIVE, opened_by=new_id(), now=clock.now())
    assert isinstance(opened, Opened)
    await status.state.situations.open(opened)
    # Opened a moment ago: an answer in this very second must not be older than its question.
    await status.state.rounds.open(opened.situation, round_of(opened.situation, now=clock.now() - timedelta(minutes=1)))
    return opened.situation.id


async def _names(database: Database) -> dict[str, UUID]:
    return {event.name: event.association_id for event in await waiting(database, AssociationChanged)}


def database_of(app: FastAPI) -> Database:
    """The database of a running service."""
    house: House = app.state.house
    return house.database


async def waiting(database: Database, kind: type[E]) -> list[E]:
    """The events of this kind in the outbox, oldest first."""
    async with database.read() as session:
        rows = (await session.execute(select(OutboxRow).order_by(col(OutboxRow.id)))).scalars()
        told = [EVENT_TYPES[row.headers["ce-type"]].model_validate_json(row.body) for row in rows]
    return [event for event in told if isinstance(event, kind)]


@asynccontextmanager
async def running(app: FastAPI) -> AsyncIterator[AsyncClient]:
    """The service as it runs, attached to its bus, and a browser at its door."""
    async with (
        app.router.lifespan_context(app),
        AsyncClient(transport=ASGITransport(app=app), base_url=ADDRESS, timeout=60) as door,
    ):
        yield door


async def outbox_size(app: FastAPI) -> int:
    """How many events wait to be published."""
    async with database_of(app).read() as session:
        return int((await session.execute(select(func.count()).select_from(OutboxRow))).scalar_one())


async def arrived(evening: Evening, status: FastAPI) -> bool:
    """True once status knows the accepted answer of every association."""
    return await _standing(evening, database_of(status)) == evening.accepted


async def _standing(evening: Evening, database: Database) -> dict[UUID, OperatingStatus]:
    mine = (STANDING.c.realm == LIVE, STANDING.c.situation_id == evening.situation_id)
    async with database.read() as session:
        rows = await session.execute(
            select(STANDING.c.association_id, STANDING.c.status).where(*mine, STANDING.c.status.is_not(None))
        )
        return {association: OperatingStatus(status) for association, status in rows}


async def assert_each_counted_once(evening: Evening, intake: FastAPI, status: FastAPI) -> None:
    """Every accepted answer stands in intake and in status once, as it was given, and every figure is right."""
    assert evening.accepted
    async with database_of(intake).read() as session:
        received = dict((await session.execute(select(col(CheckInRow.id), col(CheckInRow.association_id)))).all())
    async with database_of(status).read() as session:
        heard = dict((await session.execute(select(STANDING.c.checkin_id, STANDING.c.association_id))).all())
        changes = Counter((await session.execute(select(CHANGE.c.association_id))).scalars())
    heard.pop(None, None)
    assert heard == received
    assert changes == Counter(evening.accepted.keys())
    assert await _standing(evening, database_of(status)) == evening.accepted
    assert not await status.state.readiness.recount(LIVE, evening.situation_id)
    for app in (intake, status):
        assert await app.state.house.bus.dead_letters.count() == 0
