"""Fixtures for intake's tests."""

import logging
from collections.abc import AsyncIterator, Callable

import pytest

from shared.settings import Settings
from tests.fakes import FakeClock
from tests.intake.house import Intake, resting_intake, running_intake
from tests.migrated import Migrated


@pytest.fixture
async def intake(settings: Settings, clock: FakeClock, migrated: Migrated) -> AsyncIterator[Intake]:
    """The service with its doors open; its jobs rest, and there is no bus."""
    await migrated.copy_to(settings.database_of("intake"), "intake")
    async with resting_intake(settings, clock) as service:
        yield service


@pytest.fixture
async def working_intake(settings: Settings, clock: FakeClock, migrated: Migrated) -> AsyncIterator[Intake]:
    """The same with its jobs at work."""
    await migrated.copy_to(settings.database_of("intake"), "intake")
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
