"""Workers, bus and relay die while a broadcast runs: everybody gets it, and a second copy only what was in flight.

VALMIUS_TEST_RECIPIENTS says to how many it goes, VALMIUS_TEST_SEED which moments are chosen.
"""

import os
import random
import sys
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID

import nats
import pytest
from fastapi import FastAPI
from sqlalchemy import select
from sqlmodel import col

from services.notify.app import BULK_UNITS, make_app
from services.notify.delivery.model import Kind, Lane, Letter, Recipient, State
from services.notify.delivery.schema import DeliveryRow
from services.notify.delivery.sending import BATCH
from services.notify.delivery.store import Ledger
from services.notify.subscribers.model import Audience, ImportedSubscriber
from shared.events.notify import BroadcastFinished
from shared.house import House
from shared.i18n import Locale
from shared.ids import new_id
from shared.migrate import migrate
from shared.realm import LIVE
from shared.settings import Settings
from tests.faults.bus import provision_impatient, stored
from tests.faults.hastened import Hastened
from tests.faults.senders import CONNECTIONS, Senders
from tests.notify.guidance.drafts import ALL_LANGUAGES, draft, published
from tests.postgres import Postgres
from tests.servers import NatsServer, eventually

pytestmark = [pytest.mark.connected, pytest.mark.faults, pytest.mark.postgres, pytest.mark.timeout(3000)]

RECIPIENTS = int(os.environ.get("VALMIUS_TEST_RECIPIENTS", "100000"))
SEED = int(os.environ.get("VALMIUS_TEST_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
KILLS = ("worker", "worker", "bus", "bus", "sink", "sink")
PAGE = 5000
AT_MOST = 300
"""MiB for a worker, whatever the number of recipients."""

PATIENCE = 120 + RECIPIENTS / 50


@dataclass(frozen=True)
class Office:
    """The installation as the test sees it, through a house of its own whose jobs rest."""

    app: FastAPI
    senders: Senders

    @property
    def ledger(self) -> Ledger:
        ledger: Ledger = self.app.state.ledger
        return ledger

    @property
    def house(self) -> House:
        house: House = self.app.state.house
        return house

    async def rows(self, letter_id: UUID) -> Mapping[str, tuple[State, int]]:
        """State and number of unclear sendings of each copy, by its Message-ID."""
        columns = (col(DeliveryRow.recipient_id), col(DeliveryRow.state), col(DeliveryRow.ambiguous))
        async with self.house.database.read() as session:
            rows = await session.execute(select(*columns).where(col(DeliveryRow.letter_id) == letter_id))
            return {self.message_id(letter_id, who): (State(state), unclear) for who, state, unclear in rows}

    def message_id(self, letter_id: UUID, recipient_id: UUID) -> str:
        return f"{letter_id}.{recipient_id}@{self.house.settings.mail_domain}"


@pytest.fixture
async def office(settings: Settings, nats_server: NatsServer, postgres_server: Postgres) -> AsyncIterator[Office]:
    """Migrated and provisioned; nothing runs yet but the bus and the database."""
    began = datetime.now(UTC)
    await provision_impatient(nats_server)
    own = settings.model_copy(update={"database": postgres_server.create(f"t{new_id().hex}")})
    senders = Senders(own, nats_server, began=began)
    office = Office(make_app(senders.settings, clock=Hastened(began)), senders)
    await migrate(office.house.database, office.house.migrations)
    yield office
    senders.end()
    await office.house.database.close()


async def test_everybody_gets_it_and_a_second_copy_only_what_was_in_flight(office: Office) -> None:
    senders = office.senders
    chance = random.Random(SEED)  # noqa: S311 - moments, not secrets
    letter_id = await released(office)

    senders.start()
    for what, at in kills(chance):
        await eventually(partial(senders.has_taken, at), within=PATIENCE)
        await senders.kill(what, which=chance.randrange(2))
    await eventually(partial(finished, senders), within=PATIENCE)
    for child in (*senders.workers, senders.sink):
        child.kill()

    ledger, copies = await office.rows(letter_id), senders.copies()
    tell(office, ledger, copies)
    sent = {message_id for message_id, (state, _) in ledger.items() if state is State.SENT}
    unknown = {message_id for message_id, (state, _) in ledger.items() if state is State.UNKNOWN}
    doubled = {message_id: number for message_id, number in copies.items() if number > 1}
    assert len(ledger) == RECIPIENTS
    assert len(sent) + len(unknown) == RECIPIENTS
    assert sent <= copies.keys() <= sent | unknown
    assert all(number <= 1 + ledger[message_id][1] for message_id, number in copies.items())
    assert len(doubled) <= 2 * BULK_UNITS * BATCH + 2 * 2 * CONNECTIONS
    assert len(unknown) <= len(doubled)
    assert await told_once(office) == (len(sent), len(unknown))
    assert all(worker.peak < AT_MOST for worker in senders.workers)


async def test_an_urgent_letter_does_not_wait_for_a_broadcast(office: Office) -> None:
    senders = office.senders
    await released(office, 4000)
    senders.start()
    await eventually(partial(senders.has_taken, 100), within=PATIENCE)
    letter, recipient = urgent(office)

    async with office.house.database.write() as session:
        await office.ledger.add(session, letter, recipients=[recipient])
    await eventually(partial(senders.has_taken, 4001), within=PATIENCE)

    order = senders.in_order()
    assert 100 <= order.index(office.message_id(letter.letter_id, recipient.recipient_id)) < 3500


async def released(office: Office, count: int = RECIPIENTS) -> UUID:
    """Guidance in four languages, released to so many subscribers; the id of its letter."""
    for start in range(0, count, PAGE):
        await office.app.state.subscribers.import_many(
            [
                ImportedSubscriber(f"reader{n}@example.org", Audience.RESIDENTS, ("061",), list(Locale)[n % 4])
                for n in range(start, min(start + PAGE, count))
            ]
        )
    return (await published(office.app.state.guidance, draft(ALL_LANGUAGES, valid_hours=72))).letter_id


def urgent(office: Office) -> tuple[Letter, Recipient]:
    """A sign-in letter."""
    until = office.house.clock.now() + timedelta(hours=1)
    link = f"{office.house.settings.public_url}/sign-in/{'x' * 43}"
    letter = Letter(LIVE, new_id(), Kind.SIGN_IN, Lane.URGENT, not_after=until)
    return letter, Recipient(new_id(), "aino@example.org", locale="fi", personal={"name": "Aino", "link": link})


def kills(chance: random.Random) -> list[tuple[str, int]]:
    """What dies, and after how many letters: all three kinds in any order, at moments that nobody has chosen."""
    moments = sorted(chance.uniform(0.02, 0.9) for _ in KILLS)
    return [(what, int(at * RECIPIENTS)) for what, at in zip(chance.sample(KILLS, len(KILLS)), moments, strict=True)]


async def finished(senders: Senders) -> bool:
    return await stored(senders.bus, BroadcastFinished) > 0


async def told_once(office: Office) -> tuple[int, int]:
    """Sent and failed as they were told to others, in one event."""
    assert await stored(office.senders.bus, BroadcastFinished) == 1
    connection = await nats.connect(office.senders.bus.url)
    message = await connection.jetstream().get_last_msg(BroadcastFinished.stream, BroadcastFinished.filter_subject())
    await connection.close()
    event = BroadcastFinished.model_validate_json(message.data or b"")
    return event.sent, event.failed


def tell(office: Office, ledger: Mapping[str, tuple[State, int]], copies: Counter[str]) -> None:
    """The counts, for whoever reads along (`pytest -s`) or looks for what went wrong."""
    senders = office.senders
    states = Counter(str(state) for state, _ in ledger.values())
    lines = (
        f"seed {SEED}: {RECIPIENTS} recipients; killed: {dict(Counter(KILLS))}",
        f"ledger: {dict(states)}, {sum(unclear > 0 for _, unclear in ledger.values())} of them once unclear",
        f"relay: {copies.total()} letters, {len(copies)} Message-IDs, {sum(n > 1 for n in copies.values())} doubled",
        f"peak MiB: workers {[one.peak for one in senders.workers]}, relay {senders.sink.peak}",
    )
    sys.stdout.write("\n" + "\n".join(lines) + "\n")
