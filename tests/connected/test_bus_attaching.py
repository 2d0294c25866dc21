"""A bus that dies while a service begins to listen: in the end the service hears everything all the same."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from shared.bus import Bus
from shared.clock import SystemClock
from shared.db import Database
from shared.events import Event
from shared.events.status import RoundClosed, SituationClosed
from shared.ids import new_id
from shared.outbox import announce
from shared.plumbing import Plumbing
from shared.realm import LIVE
from shared.settings import Nats, Settings
from shared.streams import Voice, consumer_name
from tests.conftest import provision_voices
from tests.fakes import STORM_EVENING
from tests.servers import NatsServer, eventually

VOICE = Voice("status", says=(RoundClosed, SituationClosed), hears=(RoundClosed, SituationClosed))


class FragileWire:
    """A door before the nats-server which breaks every connection when a word has passed it for the nth time."""

    def __init__(self, port: int, *, word: str, time: int) -> None:
        self._server_port = port
        self._word = word.encode()
        self._passes_left = time
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def broken(self) -> bool:
        """True once the word has been said often enough."""
        return self._passes_left <= 0

    @asynccontextmanager
    async def open(self) -> AsyncIterator[str]:
        """The address to connect to."""
        door = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        async with door:
            yield f"nats://127.0.0.1:{door.sockets[0].getsockname()[1]}"
            self._break()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._server_port)
        self._writers |= {writer, far_writer}
        await asyncio.gather(self._forward(reader, far_writer), self._return(far_reader, writer))

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await _read(reader):
            if self._word in data:
                self._passes_left -= 1
                if self._passes_left == 0:
                    self._break()
            writer.write(data)
        writer.close()

    async def _return(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await _read(reader):
            writer.write(data)
        writer.close()

    def _break(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()


async def _read(reader: asyncio.StreamReader) -> bytes:
    with contextlib.suppress(OSError):
        return await reader.read(65536)
    return b""


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    found = Database(settings.database_of("status"))
    await found.create_tables(Plumbing.metadata)
    yield found
    await found.close()


@pytest.mark.connected
@pytest.mark.faults
@pytest.mark.parametrize("event", VOICE.hears, ids=lambda event: event.__name__)
async def test_a_bus_that_dies_while_listening_begins_is_heard_afterwards(
    nats_server: NatsServer, database: Database, event: type[Event]
) -> None:
    await provision_voices(nats_server, VOICE)
    said = [_said(kind) for kind in VOICE.hears for _ in range(10)]
    heard: list[Event] = []

    async def hear(one: Event) -> None:
        heard.append(one)

    asked_about = f"CONSUMER.INFO.{event.stream}.{consumer_name('status', event)}"
    wire = FragileWire(nats_server.port, word=asked_about, time=2)  # once to see that it is there, once to listen
    async with wire.open() as url:
        bus = Bus(VOICE, Nats(url=url), database=database, clock=SystemClock(), on_closed=lambda _code: None)
        for kind in VOICE.hears:
            bus.hears(kind, hear)
        await bus.start()
        async with database.write() as session:
            await announce(session, said)
        await eventually(lambda: _all_heard(heard, said), within=30)
        assert wire.broken
        assert not await bus.problems()
        await bus.stop()


async def _all_heard(heard: list[Event], said: list[Event]) -> bool:
    return {one.event_id for one in heard} == {one.event_id for one in said}


def _said(kind: type[Event]) -> Event:
    known = {"happened_at": STORM_EVENING, "realm": LIVE, "situation_id": new_id(), "round_id": new_id()}
    return kind.model_validate({name: value for name, value in known.items() if name in kind.model_fields})
