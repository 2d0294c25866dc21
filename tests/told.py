"""What a system has told: the events of its streams, read by whoever may look into all of them."""

from collections.abc import AsyncIterator
from typing import TypeVar

from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from services.embedded import provisioner
from shared.events import Event
from shared.realm import Realm
from shared.settings import Nats

E = TypeVar("E", bound=Event)
PAGE = 500


async def told(settings: Nats, kind: type[E], realm: Realm) -> list[E]:
    """All events of this kind in this realm, in the order of their stream."""
    return [kind.model_validate_json(body) async for body in _bodies(settings, kind, realm)]


async def _bodies(settings: Nats, kind: type[Event], realm: Realm) -> AsyncIterator[bytes]:
    subject = f"{kind.service}.{realm}.{kind.fact}"
    # What is not acknowledged is not pending again: the count falls as messages are handed out.
    config = ConsumerConfig(ack_policy=AckPolicy.NONE, deliver_policy=DeliverPolicy.ALL, filter_subject=subject)
    async with provisioner(settings) as connection:
        reading = await connection.jetstream().pull_subscribe(subject, stream=kind.stream, config=config)
        while waiting := (await reading.consumer_info()).num_pending:
            for message in await reading.fetch(min(waiting, PAGE), timeout=10):
                yield message.data
