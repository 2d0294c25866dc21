"""The database is away: the door says so before it accepts anything, consumers wait, and nothing is lost."""

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from services.composition import VOICES
from services.intake.app import make_app as make_intake
from services.status.app import make_app as make_status
from shared.db import Database, passing
from shared.events.intake import CheckInReceived
from shared.settings import Settings
from tests.conftest import provision_voices
from tests.faults.bus import consumed, deliveries, provision_impatient
from tests.faults.dump import dump
from tests.faults.evening import Evening, arrived, ask, assert_each_counted_once, database_of, running
from tests.postgres import Postgres
from tests.servers import NatsServer, eventually

pytestmark = [pytest.mark.connected, pytest.mark.faults]

PATIENCE = 60.0

HOLD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.read()
"""

WORDS = {
    "fi": "Palvelu ei pysty juuri nyt tallentamaan mitään. Mitään ei kirjattu.",
    "fi@selko": "Palvelu ei toimi juuri nyt. Mitään ei tallennettu.",
    "sv": "Tjänsten kan inte spara något just nu. Inget antecknades.",
    "en": "The service cannot save anything just now. Nothing was recorded.",
}


@asynccontextmanager
async def locked(url: str) -> AsyncIterator[None]:
    """Another process holds the write lock of this SQLite database."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", HOLD, str(make_url(url).database)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert child.stdout is not None
    assert await child.stdout.readline() == b"locked\n"
    try:
        yield
    finally:
        await child.communicate(b"")


async def test_the_door_says_that_nothing_was_recorded_while_the_file_is_locked(settings: Settings) -> None:
    evening = await ask(settings, 4)
    intake = make_intake(settings)
    answers = list(evening.answers())

    async with running(intake) as door:
        before = await dump(database_of(intake))
        async with locked(settings.database_of("intake")):
            replies = await asyncio.gather(
                *(
                    door.post(f"{evening.links[association]}?lang={lang}", data={"status": status})
                    for (association, status), lang in zip(answers, WORDS, strict=True)
                )
            )
            meanwhile = await dump(database_of(intake))
        again = await evening.answer_all(door, answers)

    for reply, words in zip(replies, WORDS.values(), strict=True):
        assert reply.status_code == 503
        assert words in reply.text
        assert f"tel:{settings.phone.replace(' ', '')}" in reply.text
        assert reply.headers["retry-after"]
    assert all(meanwhile[table] == before[table] for table in ("checkin", "invitation", "association", "outbox"))
    assert again == {200: 4}


@pytest.mark.faults
async def test_a_consumer_whose_file_is_locked_waits_and_catches_up(
    settings: Settings, nats_server: NatsServer
) -> None:
    await provision_voices(nats_server, *VOICES)  # with its own ack wait: a repetition comes from a fault
    evening = (await ask(settings)).on(nats_server)
    intake, status = make_intake(evening.settings), make_status(evening.settings)

    async with running(intake) as door, running(status):
        async with locked(settings.database_of("status")):
            assert await evening.answer_all(door) == {200: 40}
            await eventually(lambda: tried_again(nats_server), within=PATIENCE)
            assert not await arrived(Evening(evening.settings, evening.situation_id, {}, evening.accepted), status)
        await eventually(lambda: arrived(evening, status), within=PATIENCE)

        await assert_each_counted_once(evening, intake, status)


async def tried_again(server: NatsServer) -> bool:
    info = await consumed(server, "status", CheckInReceived)
    return deliveries(info) > 40


@pytest.fixture
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL of this test's own, for it is stopped and started."""
    with tempfile.TemporaryDirectory(prefix="valmius-", ignore_cleanup_errors=True) as folder:
        server = Postgres(Path(folder) / "postgres")
        server.start()
        yield server
        server.stop()


@pytest.mark.postgres
@pytest.mark.slow
async def test_postgresql_dies_and_comes_back_and_nothing_is_lost(
    settings: Settings, nats_server: NatsServer, postgres: Postgres
) -> None:
    await provision_impatient(nats_server)
    databases = [postgres.create(name) for name in ("v_intake", "v_status")]
    settings = settings.model_copy(update={"database": databases[0].replace("intake", "{service}")})
    evening = (await ask(settings)).on(nats_server)
    intake, status = make_intake(evening.settings), make_status(evening.settings)
    answers = list(evening.answers())

    async with running(intake) as door, running(status):
        await evening.answer_all(door, answers[:10])
        await asyncio.to_thread(postgres.stop)
        refused = await evening.answer_all(door, answers[10:20])
        form, readiness = await door.get(evening.links[answers[0][0]]), await door.get("/intake/readyz")
        await asyncio.to_thread(postgres.start)
        accepted = await evening.answer_all(door, answers[10:])
        await eventually(lambda: arrived(evening, status), within=PATIENCE)

        assert refused == {503: 10}
        assert form.status_code == 503
        assert readiness.status_code == 503
        assert "database" in readiness.text
        assert accepted == {200: 30}
        await assert_each_counted_once(evening, intake, status)


async def test_a_file_that_cannot_be_written_is_a_passing_fault(settings: Settings) -> None:
    await ask(settings, 1)
    file = make_url(settings.database_of("intake")).database
    unwritable = Database(f"sqlite+aiosqlite:///file:{file}?mode=ro&uri=true")

    with pytest.raises(OperationalError) as caught:
        async with unwritable.write() as session:
            await session.execute(text("DELETE FROM outbox"))
    await unwritable.close()

    assert passing(caught.value)
