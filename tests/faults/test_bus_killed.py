"""The nats-server dies again and again while associations answer: each accepted answer is counted once."""

import asyncio
from collections.abc import Sequence
from functools import partial
from uuid import UUID

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from services.intake.app import make_app as make_intake
from services.status.app import make_app as make_status
from shared.events.intake import CheckInReceived, OperatingStatus
from shared.settings import Settings
from tests.faults.bus import provision_impatient, stored
from tests.faults.evening import Evening, arrived, ask, assert_each_counted_once, outbox_size, running
from tests.servers import NatsServer, eventually

DEATHS = 5
PATIENCE = 60.0


@pytest.mark.connected
@pytest.mark.faults
async def test_five_deaths_of_the_bus_under_load_lose_nothing(settings: Settings, nats_server: NatsServer) -> None:
    await provision_impatient(nats_server)
    evening = (await ask(settings, 300)).on(nats_server)
    intake, status = make_intake(evening.settings), make_status(evening.settings)
    answers = list(evening.answers())
    share = len(answers) // DEATHS

    async with running(intake) as door, running(status):
        for death in range(DEATHS):
            now = answers[death * share : (death + 1) * share]
            answering = asyncio.create_task(answer_in_turn(evening, door, now))
            await eventually(partial(has_begun, evening, death * share), within=PATIENCE)
            await asyncio.to_thread(nats_server.kill)
            await asyncio.to_thread(nats_server.start)
            await answering
        await eventually(lambda: arrived(evening, status), within=PATIENCE)
        await eventually(lambda: relayed(intake), within=PATIENCE)

        await assert_each_counted_once(evening, intake, status)
    assert len(evening.accepted) == len(answers)
    assert await stored(nats_server, CheckInReceived) == len(answers)


async def answer_in_turn(evening: Evening, door: AsyncClient, answers: Sequence[tuple[UUID, OperatingStatus]]) -> None:
    """Ten at a time, so that the bus dies between answers and not after them."""
    for first in range(0, len(answers), 10):
        codes = await evening.answer_all(door, answers[first : first + 10])
        assert set(codes) == {200}


async def has_begun(evening: Evening, before: int) -> bool:
    return len(evening.accepted) > before


async def relayed(intake: FastAPI) -> bool:
    return await outbox_size(intake) == 0
