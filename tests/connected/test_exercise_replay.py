"""An exercise on a real nats-server, replayed from its start: nothing of it goes out again, nothing after its end."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from fastapi import FastAPI
from nats.aio.client import Client
from sqlalchemy import select
from sqlmodel import col

from services.notify import VOICE
from services.notify.delivery.schema import DeliveryRow
from services.notify.delivery.store import EXERCISE_ENDED
from shared.clock import SystemClock
from shared.house import House
from shared.settings import Settings
from shared.streams import consumer_name
from tests.conftest import provision_voices
from tests.connected.test_delivery import notifying, say, speaking
from tests.notify.delivery.relay import Relay, relaying
from tests.notify.guidance.drafts import published, resident
from tests.notify.rehearsal.play import ENDED, INJECT, OPENED, REALM, frozen, released
from tests.servers import NatsServer, eventually

pytestmark = [pytest.mark.connected, pytest.mark.slow]
AINO, BERTTA, CECILIA = "aino@example.org", "bertta@example.org", "cecilia@example.org"
HEARD = [event for event in VOICE.hears if event.stream in {"EXERCISE", "STATUS"}]


@pytest.fixture
async def relay() -> AsyncIterator[Relay]:
    async with relaying(Relay()) as relay:
        yield relay


@asynccontextmanager
async def replayed(server: NatsServer, settings: Settings, relay: Relay, connection: Client) -> AsyncIterator[FastAPI]:
    """Notify while it hears everything once more from the start, until it has."""
    js = connection.jetstream()
    for event in HEARD:
        await js.delete_consumer(event.stream, consumer_name(VOICE.service, event))
    await provision_voices(server, VOICE)
    async with notifying(settings, relay) as app:
        await eventually(lambda: _heard(connection), within=30)
        yield app


async def _heard(connection: Client) -> bool:
    infos = [
        await connection.jetstream().consumer_info(event.stream, consumer_name(VOICE.service, event)) for event in HEARD
    ]
    return not any(info.num_pending or info.num_ack_pending for info in infos)


async def _states(app: FastAPI) -> list[tuple[str, str]]:
    """State and reason of what the exercise wrote and the relay did not get."""
    house: House = app.state.house
    unsent = (col(DeliveryRow.realm) == REALM.id, col(DeliveryRow.state) != "sent")
    async with house.database.read() as session:
        rows = await session.execute(select(col(DeliveryRow.state), col(DeliveryRow.reason)).where(*unsent))
        return [(state, reason) for state, reason in rows]


async def test_what_is_replayed_or_restored_sends_nothing_again(
    nats_server: NatsServer, bus_settings: Settings, relay: Relay, tmp_path: Path
) -> None:
    await provision_voices(nats_server, VOICE)
    now = SystemClock().now()
    file = Path(bus_settings.database_of("notify").removeprefix("sqlite+aiosqlite:///"))
    backup = tmp_path / "backup.db"
    injects = [INJECT.model_copy(update={"happened_at": now, "number": number}) for number in (1, 2)]
    injects[1] = injects[1].model_copy(update={"event_id": ENDED.exercise_id})

    async def got(number: int) -> bool:
        return len(relay.taken) == number

    async with speaking(nats_server) as connection:
        async with notifying(bus_settings, relay) as app:
            told = (OPENED, frozen(AINO), frozen(BERTTA))
            await say(connection, injects[0], *(event.model_copy(update={"happened_at": now}) for event in told))
            await eventually(lambda: got(4))
            await resident(app.state.subscribers, CECILIA)
            await published(app.state.guidance)
            await released(app.state.guidance)
            await eventually(lambda: got(7))
            relay.say["rcpt", BERTTA] = "450 4.2.0 later"
            await say(connection, injects[1])
            await eventually(lambda: got(8))
            await eventually(lambda: _deferred(app))
        await asyncio.to_thread(shutil.copyfile, file, backup)
        relay.say.clear()
        async with notifying(bus_settings, relay) as app:
            await say(connection, ENDED.model_copy(update={"happened_at": now}))
            await eventually(lambda: got(10))
            assert await _dropped(app)
        before = dict(relay.copies)

        async with replayed(nats_server, bus_settings, relay, connection) as app:
            assert await _states(app) == [("refused", EXERCISE_ENDED)]
        replayed_only = dict(relay.copies)
        for leftover in file.parent.glob(f"{file.name}-*"):
            leftover.unlink()
        await asyncio.to_thread(shutil.copyfile, backup, file)
        async with replayed(nats_server, bus_settings, relay, connection) as app:
            await eventually(lambda: got(12))
            assert await _dropped(app)
            assert await app.state.ledger.roster([(REALM, AINO), (REALM, BERTTA)]) == frozenset()

    assert replayed_only == before == {AINO: 5, BERTTA: 4, CECILIA: 1}
    assert dict(relay.copies) == {AINO: 6, BERTTA: 5, CECILIA: 1}  # the backup had not told of the end yet


async def _deferred(app: FastAPI) -> bool:
    return [state for state, _ in await _states(app)] == ["deferred"]


async def _dropped(app: FastAPI) -> bool:
    return await _states(app) == [("refused", EXERCISE_ENDED)]
