"""What is published stays the sender's care until all who hear it have confirmed it, whatever becomes of the stream."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

import nats
import pytest
from nats.js import JetStreamContext
from sqlalchemy import func, select
from sqlmodel import col

from shared.bus import Bus
from shared.clock import Clock
from shared.db import Database
from shared.events import NotPermittedError
from shared.events.status import RoundClosed
from shared.outbox import announce
from shared.plumbing import Plumbing, UnconfirmedRow
from shared.settings import Nats, Settings
from shared.streams import Voice, consumer_name
from shared.unconfirmed import FIRST_WAIT, GIVEN_UP_AFTER
from tests.conftest import provision_voices
from tests.connected.test_bus import INTAKE, STATUS, Listener, round_closed
from tests.fakes import FakeClock
from tests.servers import NatsServer, eventually

EXERCISE = Voice("exercise", hears=(RoundClosed,))


@pytest.fixture
async def status_db(each_database: str) -> AsyncIterator[Database]:
    async with made(each_database) as database:
        yield database


@pytest.fixture
async def intake_db(settings: Settings) -> AsyncIterator[Database]:
    async with made(settings.database_of("intake")) as database:
        yield database


@pytest.fixture
async def exercise_db(settings: Settings) -> AsyncIterator[Database]:
    async with made(settings.database_of("exercise")) as database:
        yield database


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@asynccontextmanager
async def made(url: str) -> AsyncIterator[Database]:
    database = Database(url)
    await database.create_tables(Plumbing.metadata)
    yield database
    await database.close()


@asynccontextmanager
async def attached(
    voice: Voice, server: NatsServer, database: Database, *, clock: Clock, listener: Listener | None = None
) -> AsyncIterator[Bus]:
    bus = Bus(voice, Nats(url=server.url), database=database, clock=clock, on_closed=lambda _code: None)
    if listener:
        bus.hears(RoundClosed, listener.on_round_closed)
    await bus.start()

    async def well() -> bool:
        return await bus.problems() == []

    await eventually(well)
    try:
        yield bus
    finally:
        await bus.stop()


async def say(database: Database, *events: RoundClosed) -> None:
    async with database.write() as session:
        await announce(session, events)


async def unconfirmed(database: Database) -> int:
    async with database.read() as session:
        return int((await session.execute(select(func.count()).select_from(UnconfirmedRow))).scalar_one())


async def become(database: Database, number: int, *, confirming: Sequence[Bus] = ()) -> None:
    """Wait until so many are unconfirmed, while these confirm what they hear."""

    async def so() -> bool:
        for bus in confirming:
            await bus.confirm()
        return await unconfirmed(database) == number

    await eventually(so)


async def called(listener: Listener, times: int) -> None:
    async def so() -> bool:
        return listener.calls >= times

    await eventually(so)


async def purge(stream: JetStreamContext) -> None:
    await stream.purge_stream("STATUS")


async def rot(stream: JetStreamContext) -> None:
    await stream.delete_msg("STATUS", 2)


@pytest.mark.parametrize("accident", [purge, rot])
async def test_what_the_stream_has_lost_arrives_all_the_same(
    nats_server: NatsServer,
    status_db: Database,
    intake_db: Database,
    exercise_db: Database,
    clock: FakeClock,
    accident: Callable[[JetStreamContext], Awaitable[None]],
) -> None:
    await provision_voices(nats_server, INTAKE, EXERCISE)
    events = [round_closed() for _ in range(3)]
    listener, other = Listener(intake_db), Listener(exercise_db)
    connection = await nats.connect(nats_server.url)

    async with attached(STATUS, nats_server, status_db, clock=clock) as status:
        await say(status_db, *events)
        await become(status_db, 3)
        await accident(connection.jetstream())
        async with (
            attached(INTAKE, nats_server, intake_db, clock=clock, listener=listener) as intake,
            attached(EXERCISE, nats_server, exercise_db, clock=clock, listener=other) as exercise,
        ):
            clock.move(seconds=FIRST_WAIT.total_seconds())
            await status.publish_again()
            await become(status_db, 0, confirming=(intake, exercise))
    await connection.close()

    assert sorted(listener.rounds) == sorted(other.rounds) == sorted(event.round_id for event in events)


async def test_it_waits_for_everyone_who_hears_it_and_then_never_comes_again(
    nats_server: NatsServer, status_db: Database, intake_db: Database, exercise_db: Database, clock: FakeClock
) -> None:
    await provision_voices(nats_server, INTAKE, EXERCISE)
    listener, other = Listener(intake_db), Listener(exercise_db)

    async with (
        attached(STATUS, nats_server, status_db, clock=clock) as status,
        attached(INTAKE, nats_server, intake_db, clock=clock, listener=listener) as intake,
        attached(EXERCISE, nats_server, exercise_db, clock=clock, listener=other) as exercise,
    ):
        await say(status_db, round_closed())
        await called(listener, 1)
        await called(other, 1)
        await become(status_db, 1)
        await awaits(status_db, " exercise", confirming=intake)
        await intake.confirm()
        await become(status_db, 0, confirming=(exercise,))
        clock.move(days=1)
        assert not await status.publish_again()

    assert (listener.calls, other.calls) == (1, 1)


async def test_a_lost_receipt_brings_it_once_more_ever_more_seldom_and_changes_nothing(
    nats_server: NatsServer, status_db: Database, intake_db: Database, clock: FakeClock
) -> None:
    await provision_voices(nats_server, INTAKE)
    listener, event = Listener(intake_db), round_closed()

    async with (
        attached(STATUS, nats_server, status_db, clock=clock) as status,
        attached(INTAKE, nats_server, intake_db, clock=clock, listener=listener),
    ):
        await say(status_db, event)
        await become(status_db, 1)
        published = []
        for _ in range(15):  # a minute each
            clock.move(minutes=1)
            await status.publish_again()
            published.append(await tries(status_db))
        await called(listener, 4)

    assert published == [1, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3, 4, 4]
    assert listener.rounds == [event.round_id]


async def test_a_message_that_was_buried_is_confirmed_since_its_row_is_safe(
    nats_server: NatsServer, status_db: Database, intake_db: Database, clock: FakeClock
) -> None:
    class Refusing(Listener):
        async def on_round_closed(self, _event: RoundClosed) -> None:
            raise NotPermittedError("never")

    await provision_voices(nats_server, INTAKE)
    async with (
        attached(STATUS, nats_server, status_db, clock=clock),
        attached(INTAKE, nats_server, intake_db, clock=clock, listener=Refusing(intake_db)) as intake,
    ):
        await say(status_db, round_closed())
        await become(status_db, 1)

        async def buried() -> bool:
            return await intake.dead_letters.count() == 1

        await eventually(buried)
        await awaits(status_db, " exercise", confirming=intake)


async def test_who_ends_confirms_first(
    nats_server: NatsServer, status_db: Database, intake_db: Database, clock: FakeClock
) -> None:
    await provision_voices(nats_server, INTAKE)
    listener, connection = Listener(intake_db), await nats.connect(nats_server.url)

    async def acked() -> bool:
        name = consumer_name(INTAKE.service, RoundClosed)
        info = await connection.jetstream().consumer_info(RoundClosed.stream, name)
        return not info.num_ack_pending

    async with attached(STATUS, nats_server, status_db, clock=clock):
        async with attached(INTAKE, nats_server, intake_db, clock=clock, listener=listener):
            await say(status_db, round_closed())
            await called(listener, 1)
            await become(status_db, 1)
            await eventually(acked)

        await awaits(status_db, " exercise")
    await connection.close()


async def test_what_nobody_confirms_is_given_up_in_the_end(
    nats_server: NatsServer, status_db: Database, clock: FakeClock
) -> None:
    await provision_voices(nats_server)
    async with attached(STATUS, nats_server, status_db, clock=clock) as status:
        await say(status_db, round_closed())
        await become(status_db, 1)
        clock.move(seconds=GIVEN_UP_AFTER.total_seconds())
        await status.relay.unconfirmed.give_up()
        kept = await unconfirmed(status_db)
        clock.move(seconds=timedelta(seconds=1).total_seconds())
        await status.relay.unconfirmed.give_up()

    assert (kept, await unconfirmed(status_db)) == (1, 0)


async def test_a_receipt_that_is_none_is_passed_over(
    nats_server: NatsServer, status_db: Database, clock: FakeClock
) -> None:
    await provision_voices(nats_server)
    connection = await nats.connect(nats_server.url)
    async with attached(STATUS, nats_server, status_db, clock=clock):
        await say(status_db, round_closed())
        await become(status_db, 1)
        for body in (b"", b"[]", b"\xff", b'{"service": "%", "events": ["0"]}', b'{"service": "intake", "events": []}'):
            await connection.publish("receipt.status", body)
        await connection.flush()
        await asyncio.sleep(0)
        await say(status_db, round_closed())

        await become(status_db, 2)
    await connection.close()


async def awaits(database: Database, services: str, *, confirming: Bus | None = None) -> None:
    """Wait until the one event waits for these alone."""

    async def so() -> bool:
        if confirming:
            await confirming.confirm()
        async with database.read() as session:
            return (await session.execute(select(col(UnconfirmedRow.awaits)))).scalars().all() == [services]

    await eventually(so)


async def tries(database: Database) -> int:
    async with database.read() as session:
        return int((await session.execute(select(col(UnconfirmedRow.tries)))).scalar_one())
