"""Stillness: whether everything that the services of a running system said has been heard."""

import asyncio

from nats.aio.client import Client
from sqlalchemy import func, select

from services.composition import SERVICES
from services.embedded import provisioner
from services.local import Running
from shared.house import House
from shared.plumbing import OutboxRow
from shared.streams import consumer_name

LOOK_EVERY = 0.3
LOOKS = 2
"""So often in a row nothing may wait: what is heard may make somebody say something."""


async def still(running: Running, *, within: float) -> None:
    """Return when nothing waits to be published or heard any more. Raises TimeoutError."""
    try:
        async with asyncio.timeout(within), provisioner(running.settings.nats) as connection:
            looks = 0
            while looks < LOOKS:
                looks = looks + 1 if await _nothing_waits(running, connection) else 0
                await asyncio.sleep(LOOK_EVERY)
    except TimeoutError as error:
        raise TimeoutError(f"after {within:.0f} s something that was said had still not been heard") from error


async def _nothing_waits(running: Running, connection: Client) -> bool:
    """What is said while we look is in an outbox before it is on the bus: so the outboxes are looked at twice."""
    return await _published(running) and await _heard(connection) and await _published(running)


async def _published(running: Running) -> bool:
    for app in running.apps.values():
        house: House = app.state.house
        async with house.database.read() as session:
            if (await session.execute(select(func.count()).select_from(OutboxRow))).scalar_one():
                return False
    return True


async def _heard(connection: Client) -> bool:
    stream = connection.jetstream()
    for service in SERVICES:
        for event in service.voice.hears:
            info = await stream.consumer_info(event.stream, consumer_name(service.name, event))
            if info.num_pending or info.num_ack_pending:
                return False
    return True
