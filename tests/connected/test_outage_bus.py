"""The bus is away: the door takes every answer at once, and all of them arrive when it is back."""

import asyncio

import pytest

from services.intake.app import make_app as make_intake
from services.status.app import make_app as make_status
from shared.events.intake import CheckInReceived
from shared.settings import Settings
from tests.faults.bus import provision_impatient
from tests.faults.evening import arrived, ask, assert_each_counted_once, database_of, running, waiting
from tests.servers import NatsServer, eventually

pytestmark = [pytest.mark.connected, pytest.mark.faults]

PATIENCE = 40.0


async def test_answers_given_while_the_bus_is_away_are_accepted_at_once_and_arrive_after(
    settings: Settings, nats_server: NatsServer
) -> None:
    await provision_impatient(nats_server)
    evening = (await ask(settings)).on(nats_server)
    intake, status = make_intake(evening.settings), make_status(evening.settings)
    before, meanwhile = list(evening.answers())[:5], list(evening.answers())[5:]

    async with running(intake) as door, running(status):
        await evening.answer_all(door, before)
        await eventually(lambda: arrived(evening, status), within=PATIENCE)
        await asyncio.to_thread(nats_server.stop)
        accepted = await evening.answer_all(door, meanwhile)
        in_the_outbox = await waiting(database_of(intake), CheckInReceived)
        await asyncio.to_thread(nats_server.start)
        await eventually(lambda: arrived(evening, status), within=PATIENCE)

        assert accepted == {200: len(meanwhile)}
        assert {event.association_id for event in in_the_outbox} >= {association for association, _ in meanwhile}
        await assert_each_counted_once(evening, intake, status)


async def test_services_start_without_a_bus_and_attach_when_it_comes(
    settings: Settings, nats_server: NatsServer
) -> None:
    await provision_impatient(nats_server)
    evening = (await ask(settings)).on(nats_server)
    intake, status = make_intake(evening.settings), make_status(evening.settings)
    await asyncio.to_thread(nats_server.stop)

    async with running(intake) as door, running(status):
        accepted = await evening.answer_all(door)
        unready = await door.get("/intake/readyz")
        alive = await door.get("/intake/healthz")
        await asyncio.to_thread(nats_server.start)
        await eventually(lambda: arrived(evening, status), within=PATIENCE)

        assert accepted == {200: len(evening.links)}
        assert (unready.status_code, alive.status_code) == (503, 200)
        await assert_each_counted_once(evening, intake, status)
