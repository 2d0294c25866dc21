"""Intake on a real nats-server: a round is heard, letters are wished for, an answer is told, each exactly once."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import nats
import pytest
from nats.aio.client import Client

from services.intake import VOICE
from services.intake.app import make_app
from services.intake.invitation.store import Invitation, InvitationToken
from shared.events import Event
from shared.events.notify import LetterFailed
from shared.ids import new_id
from shared.plumbing import OutboxRow
from shared.realm import LIVE
from shared.settings import Settings
from tests.conftest import provision_voices
from tests.fakes import FakeClock
from tests.intake.house import AINO, BERTTA, CECILIA, Intake, Round, round_opened, running_intake
from tests.servers import NatsServer, eventually

pytestmark = pytest.mark.connected


class Wire:
    """The other services' end of the bus."""

    def __init__(self, connection: Client) -> None:
        self._js = connection.jetstream()

    async def say(self, event: Event, *, msg_id: str = "") -> None:
        headers = event.headers("cause")
        await self._js.publish(event.subject, event.body(), headers={**headers, "Nats-Msg-Id": msg_id or str(new_id())})

    async def count(self, stream: str, subject: str) -> int:
        info = await self._js.stream_info(stream, subjects_filter=subject)
        return sum((info.state.subjects or {}).values())

    async def last(self, stream: str, subject: str) -> dict[str, object]:
        message = await self._js.get_last_msg(stream, subject)
        found: dict[str, object] = json.loads(message.data or b"")
        return found


@asynccontextmanager
async def together(settings: Settings, clock: FakeClock, server: NatsServer) -> AsyncIterator[tuple[Intake, Wire]]:
    await provision_voices(server, VOICE)
    connection = await nats.connect(server.url)
    async with running_intake(settings, clock) as intake:
        yield intake, Wire(connection)
    await connection.close()


async def test_a_round_becomes_letters_and_an_answer_becomes_a_fact_each_once(
    nats_server: NatsServer, bus_settings: Settings, clock: FakeClock
) -> None:
    async with together(bus_settings, clock, nats_server) as (intake, wire):
        await intake.take_in(AINO, BERTTA, CECILIA)
        opened = Round(new_id(), new_id(), clock.now().replace(hour=23), LIVE)
        event = round_opened(opened, await intake.ids(), clock.now())

        for _ in range(3):
            await wire.say(event)
        await eventually(lambda: _is(wire, "LETTERS", "letters.live.bulk", 2))
        await eventually(lambda: _is(wire, "INTAKE", "intake.live.association_not_reached", 1))
        letter = await wire.last("LETTERS", "letters.live.bulk")
        path = str(letter["personal"]["link"]).removeprefix("http://127.0.0.1:8000")  # type: ignore[index]
        answer = await intake.browser.post(path, data={"status": "suspended"})
        await eventually(lambda: _is(wire, "INTAKE", "intake.live.checkin_received", 1))

        assert answer.status_code == 200
        assert (await wire.last("INTAKE", "intake.live.checkin_received"))["status"] == "suspended"
        assert await wire.count("INTAKE", "intake.live.association_changed") == 3
        assert await intake.count(Invitation) == 3


async def test_a_failed_letter_leads_to_the_next_contact_or_to_a_task(
    nats_server: NatsServer, bus_settings: Settings, clock: FakeClock
) -> None:
    async with together(bus_settings, clock, nats_server) as (intake, wire):
        await intake.take_in(AINO)
        [aino] = await intake.ids()
        await intake.add_contact(aino, 2, "second@example.org")
        opened = await intake.open_round([aino])

        for expected in (1, 2):
            await eventually(lambda expected=expected: _is(wire, "LETTERS", "letters.live.bulk", expected))  # type: ignore[misc]
            letter = await wire.last("LETTERS", "letters.live.bulk")
            await wire.say(
                LetterFailed(
                    happened_at=clock.now(),
                    realm=LIVE,
                    letter_id=opened.round_id,
                    recipient_id=letter["recipient_id"],
                    kind="checkin",
                    reason="550 no such user",
                )
            )
        await eventually(lambda: _is(wire, "INTAKE", "intake.live.association_not_reached", 1))

        assert await wire.count("LETTERS", "letters.live.bulk") == 2


async def test_an_answer_is_taken_while_the_bus_is_away_and_told_when_it_is_back(
    nats_server: NatsServer, bus_settings: Settings, clock: FakeClock
) -> None:
    async with together(bus_settings, clock, nats_server) as (intake, wire):
        await intake.take_in(AINO)
        await intake.open_round(await intake.ids())
        await eventually(lambda: _is(wire, "LETTERS", "letters.live.bulk", 1))
        letter = await wire.last("LETTERS", "letters.live.bulk")
        path = str(letter["personal"]["link"]).removeprefix("http://127.0.0.1:8000")  # type: ignore[index]

        nats_server.kill()
        answer = await intake.browser.post(path, data={"status": "normal"})
        waiting = await intake.count(OutboxRow)  # type: ignore[arg-type]
        nats_server.start()
        await eventually(lambda: _is(wire, "INTAKE", "intake.live.checkin_received", 1), within=30)

        assert answer.status_code == 200
        assert waiting >= 1


async def test_two_replicas_ask_everybody_once(
    nats_server: NatsServer, bus_settings: Settings, clock: FakeClock
) -> None:
    async with together(bus_settings, clock, nats_server) as (intake, wire):
        replica = make_app(bus_settings, clock=clock)
        async with replica.router.lifespan_context(replica):
            await intake.take_in(*(f"Seura {n};{n};Hattula;;;s{n}@example.org" for n in range(1, 41)))
            ids = await intake.ids()
            opened = Round(new_id(), new_id(), clock.now().replace(hour=23), LIVE)
            parts = [round_opened(opened, ids[start : start + 10], clock.now()) for start in (0, 10, 20, 30, 5, 15)]

            for event in (*parts, *parts):
                await wire.say(event)
            await eventually(lambda: _is(wire, "LETTERS", "letters.live.bulk", 40))

        assert await intake.count(Invitation) == 40
        assert await intake.count(InvitationToken) == 40


async def _is(wire: Wire, stream: str, subject: str, wanted: int) -> bool:
    return await wire.count(stream, subject) == wanted
