"""A process that dies at the worst moment: what it had accepted is counted once, and what it had sent is known."""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from fastapi import FastAPI

from services.catcher.mail import listen
from services.catcher.store import Caught
from services.intake.app import make_app as make_intake
from services.notify.app import make_app as make_notify
from services.notify.delivery.model import Kind, Lane, Letter, Recipient
from services.notify.delivery.store import Ledger
from services.status.app import make_app as make_status
from shared.clock import SystemClock
from shared.events.intake import CheckInReceived
from shared.events.notify import LetterSent
from shared.house import House
from shared.ids import new_id
from shared.migrate import migrate
from shared.realm import LIVE
from shared.settings import Settings, Smtp
from tests.faults.bus import consumed, deliveries, provision_impatient, stored
from tests.faults.evening import (
    arrived,
    ask,
    assert_each_counted_once,
    database_of,
    outbox_size,
    running,
    waiting,
)
from tests.faults.perishing import perish
from tests.servers import NatsServer, eventually

pytestmark = [pytest.mark.connected, pytest.mark.faults]

PATIENCE = 40.0


@pytest.mark.parametrize(
    ("point", "last_words"), [("before-publish", "about to publish"), ("before-forget", "published, not forgotten")]
)
async def test_what_a_killed_relay_had_to_say_is_said_once_by_the_next(
    settings: Settings, nats_server: NatsServer, point: str, last_words: str
) -> None:
    evening = await ask(settings)
    async with running(make_intake(settings)) as door:  # the bus is away: all answers wait in the outbox
        assert await evening.answer_all(door) == {200: 40}
    await provision_impatient(nats_server)
    evening = evening.on(nats_server)

    said = await perish("intake_relay", evening.settings, point)

    assert said[-1].startswith(last_words)
    intake, status = make_intake(evening.settings), make_status(evening.settings)
    assert len(await waiting(database_of(intake), CheckInReceived)) == 40
    async with running(intake), running(status):
        await eventually(lambda: arrived(evening, status), within=PATIENCE)
        await eventually(lambda: empty(intake), within=PATIENCE)
        await assert_each_counted_once(evening, intake, status)
    assert await stored(nats_server, CheckInReceived) == 40


async def test_what_a_killed_consumer_had_committed_is_not_counted_again(
    settings: Settings, nats_server: NatsServer
) -> None:
    await provision_impatient(nats_server)
    evening = (await ask(settings)).on(nats_server)
    intake = make_intake(evening.settings)
    async with running(intake) as door:
        assert await evening.answer_all(door) == {200: 40}

        said = await perish("status_consumer", evening.settings)

        assert said[-1] == "committed, not acked: HEARD"
        status = make_status(evening.settings)
        async with running(status):
            await eventually(lambda: arrived(evening, status), within=PATIENCE)
            await eventually(lambda: empty(intake), within=PATIENCE)
            await eventually(lambda: all_acked(nats_server), within=PATIENCE)
            await assert_each_counted_once(evening, intake, status)
    assert deliveries(await consumed(nats_server, "status", CheckInReceived)) > 40


@dataclass
class Sink:
    """A mail relay that takes every letter and remembers what it took."""

    settings: Smtp
    taken: list[Caught] = field(default_factory=list)

    async def keep(self, letter: Caught) -> None:
        self.taken.append(letter)


@pytest.fixture
async def sink() -> AsyncIterator[Sink]:
    sink = Sink(Smtp())
    server = await listen(sink.keep, host="127.0.0.1", port=0)
    sink.settings = Smtp(port=server.sockets[0].getsockname()[1], rate=1000)
    yield sink
    server.close()


class Later(SystemClock):
    """The clock of a process that starts when the leases of the dead one have ended."""

    def now(self) -> datetime:
        return super().now() + timedelta(minutes=15)


async def test_a_killed_sender_skips_nobody_and_doubles_only_what_was_in_flight(settings: Settings, sink: Sink) -> None:
    settings = settings.model_copy(update={"smtp": sink.settings})
    letter_id, recipients = await put_letters(settings, 120)

    said = await perish("notify_sender", settings)
    unsettled = int(said[-1].removeprefix("not settled: "))
    known_as_sent = sum(int(line.removeprefix("settling ")) for line in said if line.startswith("settling"))
    app = make_notify(settings, clock=Later())
    async with running(app):
        await eventually(lambda: all_sent(app, letter_id, len(recipients)), within=PATIENCE)

    copies = Counter(letter.recipient for letter in sink.taken)
    ids = {letter.recipient: set[str]() for letter in sink.taken}
    for letter in sink.taken:
        ids[letter.recipient].add(letter.message_id)
    doubled = [address for address, number in copies.items() if number > 1]
    assert copies.keys() == {recipient.address for recipient in recipients}
    assert all(len(message_ids) == 1 for message_ids in ids.values())
    assert len(set.union(*ids.values())) == len(recipients)
    assert max(copies.values()) == 2
    assert unsettled <= len(doubled) <= unsettled + settings.smtp.connections
    assert known_as_sent > 0
    assert len(await waiting(database_of(app), LetterSent)) == len(recipients)


async def put_letters(settings: Settings, count: int) -> tuple[UUID, list[Recipient]]:
    """Put a letter to so many into the ledger; its id, and to whom it goes."""
    app = make_notify(settings)
    house: House = app.state.house
    await migrate(house.database, house.migrations)
    letter = Letter(
        realm=LIVE,
        letter_id=new_id(),
        kind=Kind.CHECKIN,
        lane=Lane.BULK,
        not_after=SystemClock().now() + timedelta(hours=6),
        shared={"situation.fi": "Myrsky", "closes_at": (SystemClock().now() + timedelta(hours=6)).isoformat()},
    )
    link = f"{settings.public_url}/c/{'x' * 43}"
    recipients = [
        Recipient(new_id(), f"aino{n}@example.org", locale="fi", personal={"association": f"Seura {n}", "link": link})
        for n in range(count)
    ]
    ledger: Ledger = app.state.ledger
    async with house.database.write() as session:
        assert await ledger.add(session, letter, recipients=recipients) == count
    await house.database.close()
    return letter.letter_id, recipients


async def all_sent(app: FastAPI, letter_id: UUID, count: int) -> bool:
    ledger: Ledger = app.state.ledger
    return (await ledger.counts(LIVE, letter_id)).sent == count


async def all_acked(server: NatsServer) -> bool:
    info = await consumed(server, "status", CheckInReceived)
    return info.num_ack_pending == info.num_pending == 0


async def empty(intake: FastAPI) -> bool:
    return await outbox_size(intake) == 0
