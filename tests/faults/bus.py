"""The bus of these tests: provisioned as in production, but a dead process's messages come back after two seconds."""

from dataclasses import replace

import nats
from nats.js.api import ConsumerInfo

from services.composition import VOICES
from shared.events import Event
from shared.streams import consumer, consumer_name, provision
from tests.servers import NatsServer

ACK_WAIT = 2.0


async def provision_impatient(server: NatsServer) -> None:
    """Declare all streams and consumers of all services, with a shorter ack wait."""
    connection = await nats.connect(server.url)
    js = connection.jetstream()
    await provision(js, VOICES)
    for voice in VOICES:
        for event in voice.hears:
            await js.add_consumer(event.stream, replace(consumer(voice.service, event), ack_wait=ACK_WAIT))
    await connection.close()


async def stored(server: NatsServer, event: type[Event]) -> int:
    """How many messages of this fact the stream holds."""
    connection = await nats.connect(server.url)
    info = await connection.jetstream().stream_info(event.stream, subjects_filter=event.filter_subject())
    await connection.close()
    return sum((info.state.subjects or {}).values())


async def consumed(server: NatsServer, service: str, event: type[Event]) -> ConsumerInfo:
    """How far a service is with this fact; `delivered.consumer_seq` counts deliveries, repeated ones too."""
    connection = await nats.connect(server.url)
    info: ConsumerInfo = await connection.jetstream().consumer_info(event.stream, consumer_name(service, event))
    await connection.close()
    return info


def deliveries(info: ConsumerInfo) -> int:
    """How often a message was handed over, the first times and the repetitions together."""
    assert info.delivered is not None
    return info.delivered.consumer_seq
