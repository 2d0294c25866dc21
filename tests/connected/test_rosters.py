"""Rosters on the bus: they name people, so they leave it when everybody who is to hear them has."""

from contextlib import AsyncExitStack

import nats
import pytest

import services.exercise
import services.intake
import services.notify
from services.intake.app import make_app as make_intake
from services.notify.app import make_app as make_notify
from shared.clock import SystemClock
from shared.events.exercise import RosterFrozen
from shared.ids import new_id
from shared.realm import Realm
from shared.settings import Settings
from tests.conftest import provision_voices
from tests.notify.erasure.test_store import files_that_hold
from tests.servers import NatsServer, eventually

pytestmark = pytest.mark.connected

WORD = "takes.part"


def frozen() -> RosterFrozen:
    return RosterFrozen(
        happened_at=SystemClock().now(),
        realm=Realm("ex-autumn"),
        exercise_id=new_id(),
        addresses=(f"{WORD}@example.org", "bertta@example.org"),
    )


async def test_a_roster_is_off_the_bus_and_its_files_when_both_have_heard_it(
    nats_server: NatsServer, bus_settings: Settings
) -> None:
    await provision_voices(nats_server, services.exercise.VOICE, services.intake.VOICE, services.notify.VOICE)
    connection = await nats.connect(nats_server.url)
    js = connection.jetstream()

    async def left() -> int:
        return (await js.stream_info("ROSTERS")).state.messages

    async def empty() -> bool:
        return await left() == 0

    async def heard_by_notify() -> bool:
        info = await js.consumer_info("ROSTERS", "notify-rosters_roster_frozen")
        return (info.num_pending, info.num_ack_pending) == (0, 0)

    event = frozen()
    await js.publish(event.subject, event.body(), headers=event.headers("-"))
    async with AsyncExitStack() as running:
        await running.enter_async_context(make_notify(bus_settings).router.lifespan_context(None))
        await eventually(heard_by_notify, within=30)
        assert await left() == 1
        assert files_that_hold(nats_server.folder, WORD)

        await running.enter_async_context(make_intake(bus_settings).router.lifespan_context(None))
        await eventually(empty, within=30)
    await connection.close()

    assert files_that_hold(nats_server.folder, WORD) == []
