"""Delivery on a real nats-server and over real SMTP: from a wish on the bus to the relay, and back as a fact."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import nats
import pytest
from fastapi import FastAPI
from nats.aio.client import Client

from services.notify import VOICE
from services.notify.app import make_app
from services.notify.delivery.model import Counts
from services.notify.delivery.store import Ledger
from shared.clock import SystemClock
from shared.events import Event
from shared.events.notify import LetterRequested, LetterWish, UrgentLetterRequested
from shared.house import House
from shared.ids import new_id
from shared.realm import LIVE, Realm
from shared.settings import Settings
from tests.conftest import provision_voices
from tests.notify.delivery.relay import Relay, relaying
from tests.servers import NatsServer, eventually


@pytest.fixture
async def relay() -> AsyncIterator[Relay]:
    async with relaying(Relay()) as relay:
        yield relay


@asynccontextmanager
async def notifying(settings: Settings, relay: Relay) -> AsyncIterator[FastAPI]:
    smtp = settings.smtp.model_copy(update={"port": relay.port})
    app = make_app(settings.model_copy(update={"smtp": smtp}))
    async with app.router.lifespan_context(app):
        yield app


@asynccontextmanager
async def speaking(server: NatsServer) -> AsyncIterator[Client]:
    connection = await nats.connect(server.url)
    yield connection
    await connection.close()


async def say(connection: Client, *events: Event) -> None:
    for event in events:
        await connection.jetstream().publish(event.subject, event.body(), headers=event.headers("test"))


def wish(of: type[LetterWish] = LetterRequested, *, kind: str = "checkin", realm: Realm = LIVE) -> LetterWish:
    now = SystemClock().now()
    return of(
        happened_at=now,
        realm=realm,
        letter_id=new_id(),
        recipient_id=new_id(),
        kind=kind,
        address="aino@example.org",
        locale="fi",
        not_after=now + timedelta(hours=1),
        shared={"situation.fi": "Myrsky"},
        personal={"association": "Hattulan Martat", "name": "Aino", "link": "http://127.0.0.1:8000/c/1"},
    )


async def test_a_wish_becomes_a_letter_once_and_its_end_is_told(
    nats_server: NatsServer, bus_settings: Settings, relay: Relay
) -> None:
    await provision_voices(nats_server, VOICE)
    asked = wish()

    async with notifying(bus_settings, relay) as app, speaking(nats_server) as connection:
        told = await connection.jetstream().subscribe("notify.live.letter_sent", ordered_consumer=True)
        await say(connection, asked, asked.model_copy(update={"event_id": new_id()}))
        event = await told.next_msg(timeout=15)
        house: House = app.state.house
        await eventually(lambda: _well(house))

    assert str(asked.recipient_id) in event.data.decode()
    assert relay.copies == {"aino@example.org": 1}


async def test_a_wish_for_guidance_is_buried_and_sends_nothing(
    nats_server: NatsServer, bus_settings: Settings, relay: Relay
) -> None:
    await provision_voices(nats_server, VOICE)

    async with notifying(bus_settings, relay) as app, speaking(nats_server) as connection:
        await say(connection, wish(kind="guidance"), wish(UrgentLetterRequested, kind="sign_in"))
        house: House = app.state.house
        await eventually(lambda: _buried(house, 1))
        await eventually(lambda: _sent(relay, 1))
        [letter] = await house.bus.dead_letters.page(1)

    assert "guidance" in letter.reason
    assert "aino@" not in letter.reason
    assert b"kirjautumislinkki" in relay.taken[0].message


async def test_a_wish_of_an_exercise_without_a_roster_is_refused_and_told(
    nats_server: NatsServer, bus_settings: Settings, relay: Relay
) -> None:
    await provision_voices(nats_server, VOICE)
    asked = wish(realm=Realm("ex-autumn"))

    async with notifying(bus_settings, relay) as app, speaking(nats_server) as connection:
        told = await connection.jetstream().subscribe("notify.ex-autumn.letter_failed", ordered_consumer=True)
        await say(connection, asked)
        event = await told.next_msg(timeout=15)
        ledger: Ledger = app.state.ledger
        counts = await ledger.counts(asked.realm, asked.letter_id)

    assert b"roster" in event.data
    assert counts == Counts(refused=1)
    assert relay.taken == []


async def _well(house: House) -> bool:
    return not await house.bus.problems()


async def _buried(house: House, number: int) -> bool:
    return await house.bus.dead_letters.count() == number


async def _sent(relay: Relay, number: int) -> bool:
    return len(relay.taken) == number
