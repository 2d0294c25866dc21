"""Fixtures for intake's tests."""

import asyncio
import logging
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

import services.intake.app
from shared.db import Database
from shared.migrate import migrate
from shared.settings import Settings
from tests.fakes import FakeClock
from tests.intake.house import Intake, running_intake

MIGRATIONS = Path(services.intake.app.__file__).parent / "migrations"


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database with all tables, made once: most tests begin with a copy of it."""
    path = tmp_path_factory.mktemp("migrated") / "intake.db"

    async def make() -> None:
        database = Database(f"sqlite+aiosqlite:///{path}")
        await migrate(database, MIGRATIONS)
        await database.close()

    asyncio.run(make())
    return path


@pytest.fixture
async def intake(settings: Settings, clock: FakeClock, migrated: Path) -> AsyncIterator[Intake]:
    """The running service, without a bus."""
    await asyncio.to_thread(shutil.copyfile, migrated, settings.var / "intake.db")
    async with running_intake(settings, clock) as service:
        yield service


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """All that has been logged so far by the service and its libraries; the test's own browser not counted."""
    caplog.set_level(logging.INFO)
    printed: list[str] = []

    def text() -> str:
        printed.append("".join(capsys.readouterr()))
        records = [record.getMessage() for record in caplog.records if not record.name.startswith("httpx")]
        return "\n".join([*printed, *records]).casefold()

    return text
