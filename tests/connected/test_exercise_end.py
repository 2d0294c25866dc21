"""The end of an exercise on a real bus and over real SMTP: one POST, and those who take part get that letter alone."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from uuid import UUID

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

from services.exercise import VOICE as EXERCISE
from services.exercise.app import make_app as make_exercise
from services.exercise.exercise.model import Draft, Planned, plan
from services.notify import VOICE as NOTIFY
from services.notify.delivery.model import Lane
from services.notify.delivery.store import Ledger
from services.status import VOICE as STATUS
from services.status.app import make_app as make_status
from shared.clock import SystemClock
from shared.identity import Role
from shared.ids import new_id
from shared.realm import Realm
from shared.settings import Settings
from tests.conftest import provision_voices
from tests.connected.test_delivery import notifying, say, speaking, wish
from tests.exercise.conftest import AINO, STORM
from tests.notify.delivery.relay import Relay, relaying
from tests.servers import NatsServer, eventually
from tests.status.people import session_cookie

pytestmark = [pytest.mark.connected, pytest.mark.slow]

TAKES_PART = [f"taking-part{number}@example.org" for number in range(6)]
LETTERS = 40


@dataclass(frozen=True)
class Whole:
    """Exercise, status and notify on one bus, a relay, and a planned exercise."""

    exercise: FastAPI
    status: FastAPI
    notify: FastAPI
    board: str
    realm: Realm

    @property
    def ledger(self) -> Ledger:
        ledger: Ledger = self.notify.state.ledger
        return ledger


@asynccontextmanager
async def the_whole(settings: Settings, relay: Relay) -> AsyncIterator[Whole]:
    exercise, status = make_exercise(settings), make_status(settings)
    exercise_id = new_id()
    drawn = plan(
        Draft(STORM, 1, "\n".join(TAKES_PART)),
        exercise_id=exercise_id,
        situation_id=new_id(),
        leader=AINO,
        now=SystemClock().now(),
    )
    assert isinstance(drawn, Planned)
    async with (
        exercise.router.lifespan_context(exercise),
        status.router.lifespan_context(status),
        notifying(settings, relay) as notify,
    ):
        await exercise.state.exercises.plan(drawn, new_id)
        yield Whole(exercise, status, notify, f"/exercises/{exercise_id}", drawn.exercise.realm)


async def test_one_post_ends_it_and_only_the_roster_is_told(nats_server: NatsServer, bus_settings: Settings) -> None:
    await provision_voices(nats_server, EXERCISE, NOTIFY, STATUS)

    async with relaying(Relay()) as relay, the_whole(bus_settings, relay) as whole:
        liisa = session_cookie(whole.exercise, Role.LIAISON, Role.EXERCISE_LEADER)
        transport = ASGITransport(app=whole.exercise)
        async with AsyncClient(transport=transport, base_url="http://127.0.0.1:8000", cookies=liisa) as browser:
            assert (await browser.post(f"{whole.board}/start")).status_code == 303
            await eventually(partial(_taken, relay, len(TAKES_PART)))
            begun = {taken.recipient for taken in relay.taken}
            await eventually(partial(_shown, whole, "HARJOITUS: Talvimyrsky"))
            await whole.ledger.pause(Lane.BULK, "a broadcast waits")
            await _rounds_letters(nats_server, whole)

            answer = await browser.post(f"{whole.board}/real-situation")
        await eventually(partial(_taken, relay, 2 * len(TAKES_PART)))
        await whole.ledger.resume(Lane.BULK)
        await _rounds_letters(nats_server, whole, late=True)
        ended = relay.taken[len(TAKES_PART) :]
        running = await whole.status.state.running.now()

    assert answer.headers["location"] == "/situations?said=broken-off"
    assert begun == set(TAKES_PART)
    assert sorted(taken.recipient for taken in ended) == TAKES_PART
    assert all(b"X-Valmius-Realm: " + whole.realm.encode() in taken.message for taken in ended)
    assert relay.copies == dict.fromkeys(TAKES_PART, 2)
    assert running == []


async def _rounds_letters(server: NatsServer, whole: Whole, *, late: bool = False) -> None:
    """Letters of a round to the roster and to others; wait until they are there, or if they are late, refused."""
    to = [*TAKES_PART, *(f"elsewhere{number}@example.org" for number in range(LETTERS - len(TAKES_PART)))]
    first = wish(realm=whole.realm)
    async with speaking(server) as connection:
        for address in to:
            ids = {"event_id": new_id(), "recipient_id": new_id(), "address": address}
            await say(connection, first.model_copy(update=ids))
    await eventually(partial(_settled, whole, first.letter_id, refused=late))


async def _settled(whole: Whole, letter_id: UUID, *, refused: bool) -> bool:
    counts = await whole.ledger.counts(whole.realm, letter_id)
    return counts.refused == LETTERS if refused else counts.waiting == LETTERS


async def _taken(relay: Relay, number: int) -> bool:
    return len(relay.taken) >= number


async def _shown(whole: Whole, title: str) -> bool:
    async with signed_in_to(whole.status) as liaison:
        page = (await liaison.get("/situations?lang=fi")).text
    return title in page and f"{whole.board}/real-situation" in page


def signed_in_to(app: FastAPI) -> AsyncClient:
    cookies = session_cookie(app, Role.LIAISON)
    return AsyncClient(transport=ASGITransport(app=app), base_url="http://127.0.0.1:8000", cookies=cookies)
