"""Chromium for tests, and the whole system to look at."""

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.servers import program
from tests.system import System

QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The machine's Chromium."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program("chromium"), args=QUIET)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The whole system with the demo region, for the tests of one module."""
    os.environ.pop("VALMIUS_SECRET", None)
    whole = System(tmp_path_factory.mktemp("valmius"))
    whole.start()
    yield whole
    whole.stop()
