"""Fixtures for all tests."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import nats
import pytest
import structlog

from shared.ids import new_id
from shared.process import settle
from shared.settings import Nats, Settings
from shared.streams import Voice, provision
from tests.analysed import share_analysed_parameters
from tests.compiled import share_compiled_statements
from tests.fakes import FakeClock
from tests.migrated import Migrated
from tests.postgres import Postgres
from tests.servers import NatsServer

hypothesis.settings.register_profile("any machine", deadline=None)  # a busy one is slow, and nothing is wrong with it
hypothesis.settings.load_profile("any machine")
structlog.configure(  # as it is without this, but as shared/log.py tells an exception: without the values of variables
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="%Y-%m-%d %H:%M:%S", utc=False),
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ]
)


def pytest_collection_finish() -> None:
    """What has been imported stays until the end: no collection of garbage need look at it again."""
    settle()
    share_compiled_statements()
    share_analysed_parameters()


@pytest.fixture
def clock() -> FakeClock:
    """A clock that stands at the storm evening."""
    return FakeClock()


@pytest.fixture
def nats_server(tmp_path: Path) -> Iterator[NatsServer]:
    """A real nats-server for this test alone, without any stream."""
    server = NatsServer(tmp_path / "nats")
    server.start()
    yield server
    server.kill()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of an installation of its own, on SQLite, without a bus."""
    return Settings.model_validate(
        {
            "database": f"sqlite+aiosqlite:///{tmp_path}/{{service}}.db",
            "secret": "a secret of at least thirty-two characters",
            "nats": Nats(url="nats://127.0.0.1:1"),
            "log": "text",
            "var": tmp_path,
        }
    )


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Migrated:
    """Empty databases of each service, to be copied."""
    return Migrated(tmp_path_factory.mktemp("migrated"))


@pytest.fixture
async def bus_settings(nats_server: NatsServer, settings: Settings) -> Settings:
    """The same, with a bus that has every stream and no consumer: provision the voices that the test needs."""
    await provision_voices(nats_server)
    return settings.model_copy(update={"nats": Nats(url=nats_server.url)})


async def provision_voices(server: NatsServer, *voices: Voice) -> None:
    """Declare the streams, and the consumers of these voices."""
    connection = await nats.connect(server.url)
    await provision(connection.jetstream(), voices)
    await connection.close()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """A real PostgreSQL for all tests of this process.

    Its folder is not below pytest's own, which is closed to the unprivileged user whom PostgreSQL wants.
    """
    with tempfile.TemporaryDirectory(prefix="valmius-postgres-", ignore_cleanup_errors=True) as folder:
        server = Postgres(Path(folder))
        server.start()
        yield server
        server.stop()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=[pytest.mark.postgres, pytest.mark.slow])])
def each_database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path}/each.db"
    server: Postgres = request.getfixturevalue("postgres_server")
    return server.create(f"t{new_id().hex}")
