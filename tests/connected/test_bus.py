"""The bus on a real nats-server: nothing lost, nothing applied twice, and a poison message bothers nobody."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

import nats
import pytest
from nats.js import JetStreamContext

from shared.bus import Bus
from shared.clock import SystemClock
from shared.db import Database
from shared.events.status import RoundClosed
from shared.ids import new_id
from shared.inbox import first_time
from shared.outbox import Relay, announce
from shared.plumbing import Plumbing
from shared.realm import LIVE
from shared.settings import Nats
from shared.streams import Voice, consumer_name, provision, streams
from tests.conftest import provision_voices
from tests.fakes import STORM_EVENING
from tests.servers import NatsServer, eventually

STATUS = Voice("status", says=(RoundClosed,))
INTAKE = Voice("intake", hears=(RoundClosed,))


def round_closed() -> RoundClosed:
    return RoundClosed(happened_at=STORM_EVENING, realm=LIVE, situation_id=new_id(), round_id=new_id())


class Listener:
    """A service that remembers which rounds it was told of, once each, and can be made to fail."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.rounds: list[UUID] = []
        self.calls = 0
        self.failures = 0

    async def on_round_closed(self, event: RoundClosed) -> None:
        self.calls += 1
        if self.failures:
            self.failures -= 1
            raise OSError("the database is away")
        async with self.database.write() as session:
            if await first_time(session, "intake", event.event_id, STORM_EVENING):
                self.rounds.append(event.round_id)


@asynccontextmanager
async def running(voice: Voice, url: str, database: Database, listener: Listener | None = None) -> AsyncIterator[Bus]:
    bus = Bus(voice, Nats(url=url), database=database, clock=SystemClock(), on_closed=lambda _code: None)
    if listener:
        bus.hears(RoundClosed, listener.on_round_closed)
    await bus.start()
    try:
        yield bus
    finally:
        await bus.stop()


@pytest.fixture
async def status_db(settings) -> AsyncIterator[Database]:  # type: ignore[no-untyped-def]
    database = Database(settings.database_of("status"))
    await database.create_tables(Plumbing.metadata)
    yield database
    await database.close()


@pytest.fixture
async def intake_db(settings) -> AsyncIterator[Database]:  # type: ignore[no-untyped-def]
    database = Database(settings.database_of("intake"))
    await database.create_tables(Plumbing.metadata)
    yield database
    await database.close()


async def test_an_event_saved_with_its_fact_reaches_the_other_service(
    nats_server: NatsServer, status_db: Database, intake_db: Database
) -> None:
    await provision_voices(nats_server, INTAKE)
    url = nats_server.url
    listener = Listener(intake_db)
    event = round_closed()

    async with (
        running(STATUS, url, status_db),
        running(INTAKE, url, intake_db, listener) as bus,
    ):
        async with status_db.write() as session:
            await announce(session, [event])
        await eventually(lambda: _has(listener, event))
        await eventually(lambda: _well(bus))

    assert listener.rounds == [event.round_id]


@pytest.mark.slow
async def test_a_thousand_events_go_out_in_batches_and_arrive_once(
    nats_server: NatsServer, status_db: Database, intake_db: Database
) -> None:
    await provision_voices(nats_server, INTAKE)
    url = nats_server.url
    listener = Listener(intake_db)
    events = [round_closed() for _ in range(1000)]

    async with (
        running(STATUS, url, status_db) as bus,
        running(INTAKE, url, intake_db, listener),
    ):
        async with status_db.write() as session:
            await announce(session, events)
        await eventually(lambda: _count(listener, 1000))

        assert await bus.relay.oldest() is None
    assert sorted(listener.rounds) == sorted(event.round_id for event in events)


async def test_a_passing_fault_is_tried_again_until_it_passes(
    nats_server: NatsServer, status_db: Database, intake_db: Database
) -> None:
    await provision_voices(nats_server, INTAKE)
    url = nats_server.url
    listener = Listener(intake_db)
    listener.failures = 2
    event = round_closed()

    async with running(STATUS, url, status_db), running(INTAKE, url, intake_db, listener):
        async with status_db.write() as session:
            await announce(session, [event])
        await eventually(lambda: _has(listener, event))

    assert listener.calls == 3


@pytest.mark.parametrize("poison", [b"not json", b"17", b'{"realm": "live"}', b"[" * 60_000, b"\xff\xfe"])
async def test_a_poison_message_is_buried_once_with_its_reason_while_others_flow(
    nats_server: NatsServer, intake_db: Database, poison: bytes
) -> None:
    await provision_voices(nats_server, INTAKE)
    url = nats_server.url
    listener = Listener(intake_db)
    good = round_closed()
    connection = await nats.connect(nats_server.url)
    js = connection.jetstream()

    async with running(INTAKE, url, intake_db, listener) as bus:
        await js.publish("status.live.round_closed", poison)
        await js.publish(good.subject, good.body(), headers=good.headers("cause"))
        await eventually(lambda: _has(listener, good))
        await eventually(lambda: _buried(bus, 1))
        await eventually(lambda: _all_acked(js))

        [letter] = await bus.dead_letters.page(1)
    await connection.close()
    assert listener.calls == 1
    assert letter.body == poison
    assert letter.reason


async def test_a_dead_letter_is_applied_when_replayed_after_the_fix(
    nats_server: NatsServer, intake_db: Database
) -> None:
    await provision_voices(nats_server, INTAKE)
    url = nats_server.url
    listener = Listener(intake_db)
    event = round_closed()
    unready = json.loads(event.body())
    connection = await nats.connect(nats_server.url)

    async with running(INTAKE, url, intake_db, listener) as bus:
        await connection.jetstream().publish(
            event.subject, json.dumps({**unready, "round_id": "mended later"}).encode()
        )
        await eventually(lambda: _buried(bus, 1))
        [letter] = await bus.dead_letters.page(1)
        letter.body = event.body()
        await bus.replay(letter)
        await bus.replay(letter)
    await connection.close()

    assert listener.rounds == [event.round_id]


async def test_events_wait_in_the_outbox_while_the_server_is_away_and_arrive_when_it_is_back(
    nats_server: NatsServer, status_db: Database, intake_db: Database
) -> None:
    await provision_voices(nats_server, INTAKE)
    url = nats_server.url
    listener = Listener(intake_db)
    event = round_closed()

    async with (
        running(STATUS, url, status_db),
        running(INTAKE, url, intake_db, listener) as bus,
    ):
        await eventually(lambda: _well(bus))
        nats_server.kill()
        async with status_db.write() as session:
            await announce(session, [event])
        nats_server.start()
        await eventually(lambda: _has(listener, event), within=30)

    assert listener.rounds == [event.round_id]


async def test_provisioning_twice_changes_nothing(nats_server: NatsServer) -> None:
    connection = await nats.connect(nats_server.url)
    first = await provision(connection.jetstream(), [INTAKE])
    second = await provision(connection.jetstream(), [INTAKE])
    await connection.close()

    assert len(first.made) == len(streams(replicas=1)) + 1
    assert second.made == second.updated == ()


async def test_a_message_too_old_for_its_fault_is_buried(
    nats_server: NatsServer, status_db: Database, intake_db: Database
) -> None:
    await provision_voices(nats_server, INTAKE)
    url = nats_server.url
    listener = Listener(intake_db)
    listener.failures = 1000

    class Tomorrow(SystemClock):
        def now(self):  # type: ignore[no-untyped-def]
            return super().now() + timedelta(hours=25)

    bus = Bus(INTAKE, Nats(url=nats_server.url), database=intake_db, clock=Tomorrow(), on_closed=lambda _code: None)
    bus.hears(RoundClosed, listener.on_round_closed)
    await bus.start()
    async with running(STATUS, url, status_db), status_db.write() as session:
        await announce(session, [round_closed()])
    async with running(STATUS, url, status_db):
        await eventually(lambda: _buried(bus, 1))
    await bus.stop()

    assert listener.calls == 1


async def _has(listener: Listener, event: RoundClosed) -> bool:
    return event.round_id in listener.rounds


async def _count(listener: Listener, wanted: int) -> bool:
    return len(listener.rounds) == wanted


async def _buried(bus: Bus, wanted: int) -> bool:
    return await bus.dead_letters.count() == wanted


async def _all_acked(js: JetStreamContext) -> bool:
    info = await js.consumer_info("STATUS", consumer_name("intake", RoundClosed))
    return bool(info.num_ack_pending == info.num_pending == 0)


async def _well(bus: Bus) -> bool:
    await asyncio.sleep(0)
    return not await bus.problems()


async def test_a_slow_relay_forgets_no_event_that_took_the_number_of_one_already_forgotten(
    nats_server: NatsServer, status_db: Database
) -> None:
    await provision_voices(nats_server)
    connection = await nats.connect(nats_server.url)
    slow, quick = (Relay(status_db, clock=SystemClock()) for _ in range(2))
    async with status_db.write() as session:
        await announce(session, [round_closed()])
    seen = await slow.oldest()
    assert seen is not None

    await quick.once(connection)
    async with status_db.write() as session:
        await announce(session, [round_closed()])
    await slow._publish(connection, [seen])

    waiting = await quick.oldest()
    assert waiting is not None
    assert waiting.id == seen.id
    await connection.close()
