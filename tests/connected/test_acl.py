"""Least privilege on the bus, on a real nats-server with the configuration that installations run."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import nats
import nats.errors
import pytest
from nats.aio.client import Client
from nats.js.errors import APIError

from shared.bus import Bus
from shared.clock import SystemClock
from shared.db import Database
from shared.events.intake import CheckInReceived
from shared.events.status import ReadinessChanged, RoundClosed, RoundOpened
from shared.ids import new_id
from shared.keys import PROVISIONER, public_keys, seed_file
from shared.outbox import announce
from shared.plumbing import Plumbing
from shared.realm import LIVE
from shared.settings import Nats, Settings
from shared.streams import Voice, consumer_name, provision, server_config
from tests.fakes import STORM_EVENING
from tests.servers import NatsServer, eventually

INTAKE = Voice("intake", says=(CheckInReceived,), hears=(RoundClosed,))
STATUS = Voice("status", says=(RoundOpened, RoundClosed, ReadinessChanged), overhears=(ReadinessChanged,))
VOICES = (INTAKE, STATUS)


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[tuple[NatsServer, Path]]:
    """A server on which every service has its own identity."""
    seeds = tmp_path / "keys"
    keys = public_keys(seeds, ["intake", "status", PROVISIONER])
    config = server_config(VOICES, keys, listen="127.0.0.1:-1", store=str(tmp_path / "store"))
    server = NatsServer(tmp_path / "nats", config=config)
    server.start()
    yield server, seeds
    server.kill()


@asynccontextmanager
async def connected(server: NatsServer, seeds: Path, identity: str) -> AsyncIterator[Client]:
    async def quiet(_error: Exception) -> None:
        """Permission violations are what these tests cause."""

    connection = await nats.connect(
        server.url,
        nkeys_seed=str(seed_file(seeds, identity)),
        inbox_prefix=f"_INBOX.{identity}".encode(),
        error_cb=quiet,
        allow_reconnect=False,
    )
    try:
        yield connection
    finally:
        await connection.close()


async def provisioned(server: NatsServer, seeds: Path) -> None:
    async with connected(server, seeds, PROVISIONER) as connection:
        await provision(connection.jetstream(), VOICES)


def test_seeds_are_for_their_owner_only(tmp_path: Path) -> None:
    public_keys(tmp_path / "keys", ["intake"])

    assert seed_file(tmp_path / "keys", "intake").stat().st_mode & 0o777 == 0o600
    assert public_keys(tmp_path / "keys", ["intake"]) == public_keys(tmp_path / "keys", ["intake"])


async def test_services_with_their_own_identities_say_and_hear(
    guarded: tuple[NatsServer, Path], settings: Settings
) -> None:
    server, seeds = guarded
    await provisioned(server, seeds)
    heard: list[RoundClosed] = []

    async def on_round_closed(event: RoundClosed) -> None:
        heard.append(event)

    databases = [Database(settings.database_of(name)) for name in ("intake", "status")]
    for database in databases:
        await database.create_tables(Plumbing.metadata)
    buses = [
        Bus(voice, Nats(url=server.url, seeds=seeds), database=database, clock=SystemClock(), on_closed=lambda _c: None)
        for voice, database in zip(VOICES, databases, strict=True)
    ]
    buses[0].hears(RoundClosed, on_round_closed)
    for bus in buses:
        await bus.start()
    event = RoundClosed(happened_at=STORM_EVENING, realm=LIVE, situation_id=new_id(), round_id=new_id())
    async with databases[1].write() as session:
        await announce(session, [event])

    async def arrived() -> bool:
        return heard == [event]

    await eventually(arrived)
    for bus in buses:
        await bus.stop()
    for database in databases:
        await database.close()
    assert heard == [event]


async def test_nobody_connects_without_an_identity(guarded: tuple[NatsServer, Path]) -> None:
    server, _seeds = guarded
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)

    greeting = await reader.readline()
    writer.write(b'CONNECT {"verbose": false}\r\nPING\r\n')
    answer = await reader.readline()
    writer.close()
    await writer.wait_closed()

    assert greeting.startswith(b"INFO")
    assert b"Authorization Violation" in answer


@pytest.mark.slow
@pytest.mark.parametrize(
    "subject",
    [
        "status.live.round_opened",  # another service's facts
        "letters.live.bulk",
        "intake.live.association_changed",  # its own service, but a fact that it does not say
        "$JS.API.STREAM.DELETE.STATUS",
        "$JS.API.STREAM.PURGE.STATUS",
        "$JS.API.CONSUMER.DURABLE.CREATE.STATUS.spy",
        "$JS.API.STREAM.MSG.GET.STATUS",
        "_DELIVER.intake.status_round_closed",
    ],
)
async def test_a_service_may_say_only_its_own_facts(guarded: tuple[NatsServer, Path], subject: str) -> None:
    server, seeds = guarded
    await provisioned(server, seeds)

    async with connected(server, seeds, "intake") as connection:
        with pytest.raises((nats.errors.Error, TimeoutError)):
            await connection.request(subject, b"{}", timeout=0.3)


async def test_a_service_may_not_ask_about_the_consumers_of_another(guarded: tuple[NatsServer, Path]) -> None:
    server, seeds = guarded
    await provisioned(server, seeds)

    async with connected(server, seeds, "status") as connection:
        with pytest.raises((nats.errors.Error, APIError, TimeoutError)):
            await connection.jetstream(timeout=0.3).consumer_info("STATUS", consumer_name("intake", RoundClosed))
