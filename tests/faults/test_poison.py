"""Poison on the real consumers: each message is buried once with its reason, all others flow, and a person can help."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import nats
import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from nats.aio.msg import Msg
from sqlalchemy import text

from services.intake.app import make_app as make_intake
from services.status.app import make_app as make_status
from services.status.association.model import Filter
from shared.clock import SystemClock
from shared.db import Database
from shared.dead_letters import DeadLetters
from shared.events import Event
from shared.events.intake import AssociationChanged, Channel, CheckInReceived, OperatingStatus
from shared.events.status import RoundOpened
from shared.identity import Role
from shared.ids import new_id
from shared.plumbing import Plumbing
from shared.realm import LIVE
from shared.settings import Nats, Settings
from tests.fakes import FakeClock
from tests.faults.bus import consumed, deliveries, provision_impatient, stored
from tests.faults.evening import HATTULA, Evening, arrived, ask, assert_each_counted_once, database_of, running
from tests.postgres import Postgres
from tests.servers import NatsServer, eventually
from tests.status.people import session_cookie

pytestmark = [pytest.mark.connected, pytest.mark.faults]

PATIENCE = 30.0

POISONS: dict[str, bytes] = {
    "bad JSON": b"{not json",
    "wrong schema": b'{"realm": "live", "event_id": "none"}',
    "a number": b"17",
    "deep nesting": b"[" * 60_000,
    "64 kB": b"x" * 65_536,
    "not UTF-8": b"\xff\xfe\x00\x80",
    "empty": b"",
    "unknown realm": b'{"realm": "exercise of nobody"}',
}


@asynccontextmanager
async def talking(server: NatsServer) -> AsyncIterator[nats.js.JetStreamContext]:
    """Somebody who may publish whatever he likes."""
    connection = await nats.connect(server.url)
    yield connection.jetstream()
    await connection.close()


def checkin(association: UUID, situation: UUID) -> CheckInReceived:
    """A good message."""
    now = SystemClock().now()
    return CheckInReceived(
        happened_at=now,
        realm=LIVE,
        checkin_id=new_id(),
        association_id=association,
        situation_id=situation,
        round_id=new_id(),
        status=OperatingStatus.NORMAL,
        reported_at=now,
        channel=Channel.LINK,
    )


async def say(js: nats.js.JetStreamContext, event: Event, **headers: str) -> None:
    """Publish this event, with other headers beside its own."""
    await js.publish(event.subject, event.body(), headers={**event.headers("cause"), **headers})


async def administrator(app: FastAPI, door: AsyncClient) -> None:
    """Sign an administrator in at this door."""
    door.cookies.update(session_cookie(app, Role.ADMINISTRATOR))


async def buried(app: FastAPI, number: int) -> bool:
    return bool(await app.state.house.bus.dead_letters.count() == number)


async def letter_ids(door: AsyncClient, service: str) -> list[str]:
    """The open dead letters that the page shows."""
    page = (await door.get(f"/{service}/dead-letters")).text
    return re.findall(r"dead-letters/(\d+)/replay", page)


@pytest.mark.parametrize("service", ["intake", "status"])
async def test_every_poison_is_buried_once_shown_with_its_reason_and_can_be_discarded(
    settings: Settings, nats_server: NatsServer, service: str
) -> None:
    await provision_impatient(nats_server)
    evening = (await ask(settings, 1)).on(nats_server)
    app = {"intake": make_intake, "status": make_status}[service](evening.settings)
    kind: type[Event] = RoundOpened if service == "intake" else CheckInReceived

    async with talking(nats_server) as js, running(app) as door:
        await administrator(app, door)
        for poison in POISONS.values():
            await js.publish(f"{kind.service}.live.{kind.fact}", poison)
        await eventually(lambda: buried(app, len(POISONS)), within=PATIENCE)
        page = (await door.get(f"/{service}/dead-letters?lang=en")).text
        shown = await letter_ids(door, service)
        replayed = await door.post(f"/{service}/dead-letters/{shown[0]}/replay")
        kept = await letter_ids(door, service)
        for letter in shown:
            await door.post(f"/{service}/dead-letters/{letter}/discard")
        left = await letter_ids(door, service)

    info = await consumed(nats_server, service, kind)
    assert deliveries(info) == len(POISONS)
    assert info.num_redelivered == info.num_ack_pending == 0
    for reason in (
        "recursion limit exceeded",
        "happened_at: Field required",
        "Input should be an object",
    ):
        assert reason in page
    assert replayed.headers["location"].endswith("said=failed")
    assert kept == shown
    assert left == []


@pytest.mark.parametrize("field", ["\x00", "\ud800", "a\nb"])
async def test_a_reason_that_quotes_what_no_database_takes_is_kept_all_the_same(
    each_database: str, clock: FakeClock, field: str
) -> None:
    database = Database(each_database)
    await database.create_tables(Plumbing.metadata)
    dead_letters = DeadLetters(database, clock=clock)
    delivery = "$JS.ACK.INTAKE.status-intake_checkin_received.1.17.17.1700000000000000000.0"
    message = Msg(_client=None, subject=f"intake.{field}.x", reply=delivery, data=b"{}", headers={"a": field})  # type: ignore[arg-type]

    await dead_letters.bury(message, f"ValidationError: names.{field}: Input should be a valid string")
    [letter] = await dead_letters.page(1)
    await database.close()

    assert letter.reason.startswith("ValidationError: names.")
    assert letter.reason.isprintable()
    assert letter.body == b"{}"


@pytest.mark.postgres
async def test_what_only_the_database_refuses_is_buried_too(
    settings: Settings, nats_server: NatsServer, postgres_server: Postgres
) -> None:
    await provision_impatient(nats_server)
    url = postgres_server.create(f"t{new_id().hex}")
    status = make_status(settings.model_copy(update={"database": url, "nats": Nats(url=nats_server.url)}))
    wrong, right = newcomer(new_id()).model_copy(update={"name": "N\x00"}), newcomer(new_id())

    async with talking(nats_server) as js, running(status):
        await say(js, wrong)
        await say(js, right)
        await eventually(lambda: buried(status, 1), within=PATIENCE)
        await eventually(lambda: known(status, 1), within=PATIENCE)

    assert deliveries(await consumed(nats_server, "status", AssociationChanged)) == 2


async def known(status: FastAPI, number: int) -> bool:
    return bool(await status.state.associations.count(Filter((HATTULA,), ("other",))) == number)


async def test_good_messages_flow_between_poison_and_a_hostile_reply_to_is_not_answered(
    settings: Settings, nats_server: NatsServer
) -> None:
    await provision_impatient(nats_server)
    evening = (await ask(settings)).on(nats_server)
    status = make_status(evening.settings)
    hostile = {"reply_to": "intake.live.association_changed", "Reply-To": "status.live.round_closed"}

    async with talking(nats_server) as js, running(status):
        for association, poison in zip(evening.links, POISONS.values(), strict=False):
            await js.publish("intake.live.checkin_received", poison[:60_000], headers=hostile)  # headers count too
            await say(js, checkin(association, evening.situation_id), **hostile)
            evening.accepted[association] = OperatingStatus.NORMAL
        await eventually(lambda: arrived(evening, status), within=PATIENCE)
        await eventually(lambda: buried(status, len(POISONS)), within=PATIENCE)

    assert await stored(nats_server, AssociationChanged) == 0
    assert await stored(nats_server, CheckInReceived) == 2 * len(POISONS)


async def test_what_failed_by_our_own_fault_is_replayed_once_it_is_mended(
    settings: Settings, nats_server: NatsServer
) -> None:
    await provision_impatient(nats_server)
    evening = (await ask(settings, 3)).on(nats_server)
    intake, status = make_intake(evening.settings), make_status(evening.settings)

    async with running(intake) as door, running(status) as desk:
        await administrator(status, desk)
        async with database_of(status).write() as session:
            await session.execute(text(FAULT))
        assert await evening.answer_all(door) == {200: 3}
        await eventually(lambda: buried(status, 3), within=PATIENCE)
        reasons = (await desk.get("/status/dead-letters")).text
        while_broken = await desk.post(f"/status/dead-letters/{(await letter_ids(desk, 'status'))[0]}/replay")
        async with database_of(status).write() as session:
            await session.execute(text("DROP TRIGGER fault"))
        for letter in await letter_ids(desk, "status"):
            mended = await desk.post(f"/status/dead-letters/{letter}/replay")
            assert mended.headers["location"].endswith("said=replayed")

        assert reasons.count("IntegrityError: ") == 3
        assert while_broken.headers["location"].endswith("said=failed")
        await assert_each_counted_once(evening, intake, status)
    assert deliveries(await consumed(nats_server, "status", CheckInReceived)) == 3


FAULT = """
CREATE TRIGGER fault BEFORE UPDATE ON standing WHEN new.checkin_id IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a rule that should not be'); END
"""
"""A fault of ours: the database refuses what every check-in does."""


async def test_an_answer_that_comes_before_its_association_waits_and_is_counted(
    settings: Settings, nats_server: NatsServer
) -> None:
    await provision_impatient(nats_server)
    evening = (await ask(settings, 1)).on(nats_server)
    status = make_status(evening.settings)
    late = new_id()

    async with talking(nats_server) as js, running(status):
        await say(js, checkin(late, evening.situation_id))
        await eventually(lambda: delivered_again(nats_server), within=PATIENCE)
        waited = await consumed(nats_server, "status", CheckInReceived)
        await say(js, newcomer(late))
        evening.accepted[late] = OperatingStatus.NORMAL
        await eventually(lambda: arrived(evening, status), within=PATIENCE)

        assert await buried(status, 0)
        assert not await status.state.readiness.recount(LIVE, evening.situation_id)
    assert deliveries(waited) < 10  # it is tried again at growing intervals, not in a circle


async def delivered_again(server: NatsServer) -> bool:
    return deliveries(await consumed(server, "status", CheckInReceived)) >= 3


def newcomer(association: UUID) -> AssociationChanged:
    """The registry tells of an association late."""
    return AssociationChanged(
        happened_at=SystemClock().now(),
        realm=LIVE,
        association_id=association,
        version=1,
        name="Myöhäinen seura",
        municipality=HATTULA,
        sector="other",
    )


async def test_an_event_that_names_nothing_known_harms_nobody(settings: Settings, nats_server: NatsServer) -> None:
    await provision_impatient(nats_server)
    evening: Evening = (await ask(settings, 2)).on(nats_server)
    intake, status = make_intake(evening.settings), make_status(evening.settings)

    async with talking(nats_server) as js, running(intake) as door, running(status):
        await say(js, checkin(next(iter(evening.links)), situation=new_id()))
        assert await evening.answer_all(door) == {200: 2}
        await eventually(lambda: arrived(evening, status), within=PATIENCE)

        await assert_each_counted_once(evening, intake, status)
