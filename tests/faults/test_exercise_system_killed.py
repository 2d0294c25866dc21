"""A whole system in which an exercise runs is killed, and its nats-server before that: the exercise goes on where it
was, and each inject is put in once."""

import asyncio
import os
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from services.exercise.exercise.model import realm_of
from services.exercise.scenario.store import ready_scenarios
from services.local import installed_settings
from shared.events.exercise import InjectFired
from tests.servers import pause
from tests.system import System
from tests.told import told

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(400)]

STORM = ready_scenarios()["winter-storm"]
HIDDEN = re.compile(r'name="(\w+_id)" value="([^"]+)"')
PUT_IN = re.compile(r"Put in at")
PATIENCE = 120


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """A system with the demo region."""
    whole = System(tmp_path_factory.mktemp("valmius"))
    whole.start()
    yield whole
    whole.stop()


class Leader:
    """Helga at her desk, who signs in anew whenever new links were printed."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.browser = httpx.Client(base_url=system.url, follow_redirects=True, timeout=60)
        self.browser.headers["accept-language"] = "en"
        self.board = ""

    def sign_in(self) -> None:
        link = self.system.sign_in_links()["Helga"]
        self.browser.post(link).raise_for_status()

    def start_a_storm(self) -> None:
        form = dict(HIDDEN.findall(self.browser.get("/exercises/new").text))
        wanted = {"scenario": "winter-storm", "speed": "600", "participants": "aino@example.org"}
        self.board = self.browser.post("/exercises/new", data=form | wanted).url.path
        self.browser.post(f"{self.board}/start").raise_for_status()

    def put_in(self) -> int:
        return len(PUT_IN.findall(self.browser.get(self.board).text))

    def wait(self, true: Callable[[], bool]) -> None:
        for _ in range(PATIENCE * 5):
            if true():
                return
            pause(0.2)
        pytest.fail(f"it did not come to that; {self.put_in()} injects were put in")


@pytest.fixture(scope="module")
def leader(system: System) -> Leader:
    """Helga, signed in: a link is good for one time."""
    helga = Leader(system)
    helga.sign_in()
    return helga


def test_a_bus_that_dies_in_the_middle_takes_no_inject_with_it(system: System, leader: Leader) -> None:
    leader.start_a_storm()

    leader.wait(lambda: leader.put_in() >= 3)
    os.kill(_pid_of_bus(system.folder), signal.SIGKILL)
    leader.wait(lambda: leader.put_in() == len(STORM.injects))

    assert _numbers_told(leader) == [inject.number for inject in STORM.injects]


def test_an_exercise_outlives_the_death_of_the_whole_system(system: System, leader: Leader) -> None:
    leader.start_a_storm()

    leader.wait(lambda: leader.put_in() >= 3)
    system.kill()
    system.start()
    leader.sign_in()
    leader.wait(lambda: leader.put_in() == len(STORM.injects))

    assert _numbers_told(leader) == [inject.number for inject in STORM.injects]


def _pid_of_bus(folder: Path) -> int:
    [ports] = folder.glob("nats/nats-server_*.ports")
    return int(ports.stem.removeprefix("nats-server_"))


def _numbers_told(leader: Leader) -> list[int]:
    """The injects as the bus tells them, once so many are there that none can be missing."""
    exercise_id = UUID(leader.board.rsplit("/", 1)[1])
    told_so_far: list[int] = []

    def all_told() -> bool:
        nonlocal told_so_far
        settings = installed_settings(leader.system.folder).nats
        told_so_far = [event.number for event in asyncio.run(told(settings, InjectFired, realm_of(exercise_id)))]
        return len(told_so_far) >= len(STORM.injects)

    leader.wait(all_told)
    return told_so_far
