"""The whole system dies at once in the middle of answers: the next start finds its data, and nothing is lost."""

import asyncio
import os
import re
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import pytest
from httpx import AsyncClient, HTTPError, codes
from sqlalchemy import func, select
from sqlmodel import col

from services.demo.player import answer_links
from services.demo.registry import ASSOCIATIONS_BY_SUB_REGION
from services.intake.checkin.store import CheckInRow
from services.status.association.store import ASSOCIATION
from services.status.readiness.standing_rows import CHANGE, STANDING
from services.status.readiness.store import ReadinessStore
from shared.clock import SystemClock
from shared.db import Database
from shared.ids import new_id
from shared.realm import LIVE
from tests.servers import eventually
from tests.system import System

pytestmark = [pytest.mark.connected, pytest.mark.faults, pytest.mark.timeout(400)]

JOKIOINEN = "169"
PATIENCE = 90.0
ENOUGH = 20
"""Accepted answers after which the system is killed, while more are on their way."""


@pytest.fixture
async def system(tmp_path: Path) -> AsyncIterator[System]:
    """The whole system, started; whatever is left of it is ended afterwards."""
    whole = System(tmp_path / "var")
    await asyncio.to_thread(whole.start)
    yield whole
    await asyncio.to_thread(whole.stop)


@pytest.mark.parametrize("also", ["nothing else", "its bus"])
async def test_a_power_cut_in_the_middle_of_answers_loses_nothing_that_was_accepted(system: System, also: str) -> None:
    situation = await open_round(system, JOKIOINEN)
    links = await letters_came(system, situation)
    half = len(links) // 2
    accepted: set[str] = set()
    answering = asyncio.create_task(answer(system, links[:half], accepted))
    await eventually(lambda: reached(accepted, ENOUGH), within=PATIENCE)
    bus = nats_pid(system)

    await asyncio.to_thread(system.kill)
    if also == "its bus":
        os.kill(bus, signal.SIGKILL)
    await answering
    before_the_cut = set(accepted)
    await asyncio.to_thread(system.start)
    await answer(system, links[half:], accepted)
    recorded = await count_in_intake(system)

    assert len(before_the_cut) >= ENOUGH
    assert nats_pid(system) != bus
    assert not alive(bus)
    assert accepted - before_the_cut == set(links[half:])
    assert len(accepted) <= recorded <= len(links)  # an answer may be on disk whose thank-you page was cut off
    await eventually(lambda: counted_once(system, situation, recorded), within=PATIENCE)


async def test_a_bus_that_dies_alone_is_started_again_and_nothing_is_lost(system: System) -> None:
    situation = await open_round(system, JOKIOINEN)
    links = await letters_came(system, situation)
    accepted: set[str] = set()
    bus = nats_pid(system)

    os.kill(bus, signal.SIGKILL)
    await answer(system, links, accepted)

    assert accepted == set(links)
    await eventually(lambda: counted_once(system, situation, len(links)), within=PATIENCE)
    assert nats_pid(system) != bus


async def test_a_second_system_is_refused_the_same_folder(system: System) -> None:
    bus = nats_pid(system)
    second = System(system.folder)

    with pytest.raises(RuntimeError, match="already runs from"):
        await asyncio.to_thread(second.start)

    assert await asyncio.to_thread(second.stop) == 2  # the exit code of a start that cannot be
    assert alive(bus)
    assert nats_pid(system) == bus


async def open_round(system: System, municipality: str) -> UUID:
    """The liaison opens a storm and asks everybody of this municipality, on the pages; the situation's id."""
    link = next(line.split()[-1] for line in system.output if "liaison" in line and "/sign-in/" in line)
    situation = new_id()
    async with AsyncClient(base_url=system.url, timeout=60) as desk:
        await desk.post(link)
        form = {"situation_id": str(situation), "name_fi": "Myrsky", "kind": "storm", "municipalities": municipality}
        opened = await desk.post("/situations/new", data=form)
        assert opened.status_code == codes.SEE_OTHER, opened.text
        await eventually(lambda: registry_known(system), within=PATIENCE)
        form = {"municipalities": municipality, "sectors": "all", "step": "open"}
        asked = await desk.post(f"/situations/{situation}/rounds/new", data=form)
        assert asked.status_code == codes.SEE_OTHER, asked.text
    return situation


async def registry_known(system: System) -> bool:
    """True once status has heard of every association of the demo region."""
    async with database(system, "status") as status, status.read() as session:
        known = (await session.execute(select(func.count()).select_from(ASSOCIATION))).scalar_one()
    return known == sum(ASSOCIATIONS_BY_SUB_REGION.values())


async def letters_came(system: System, situation: UUID) -> Sequence[str]:
    """The answer links, once the catcher has the letter of everybody who is asked."""
    async with database(system, "status") as status, status.read() as session:
        mine = (STANDING.c.situation_id == situation, STANDING.c.asked_at.is_not(None))
        asked = (await session.execute(select(func.count()).select_from(STANDING).where(*mine))).scalar_one()
    links: list[str] = []

    async def all_came() -> bool:
        async with AsyncClient(base_url=system.mail_url, timeout=60) as mail:
            links[:] = (await answer_links(mail)).values()
        return len(links) >= asked > 0

    await eventually(all_came, within=PATIENCE)
    return links


async def answer(system: System, links: Sequence[str], accepted: set[str]) -> None:
    """Answer by these links a few at a time; those that saw a thank-you page are added to `accepted`."""
    async with AsyncClient(base_url=system.url, timeout=30) as door:

        async def one(link: str) -> None:
            try:
                reply = await door.post(link, data={"status": "limited", "checkin_id": str(new_id())})
            except HTTPError:  # the line was cut: nobody was promised anything
                return
            if reply.status_code == codes.OK:
                accepted.add(link)

        for first in range(0, len(links), 4):
            await asyncio.gather(*map(one, links[first : first + 4]))


async def reached(accepted: set[str], number: int) -> bool:
    return len(accepted) >= number


@asynccontextmanager
async def database(system: System, service: str) -> AsyncIterator[Database]:
    """The database of a service, from outside."""
    opened = Database(f"sqlite+aiosqlite:///{system.folder}/{service}.db")
    try:
        yield opened
    finally:
        await opened.close()


async def count_in_intake(system: System) -> int:
    async with database(system, "intake") as intake, intake.read() as session:
        return int((await session.execute(select(func.count(col(CheckInRow.id))))).scalar_one())


async def counted_once(system: System, situation: UUID, answers: int) -> bool:
    """True when status has heard so many answers, each of them once, and every figure is right."""
    mine = (CHANGE.c.situation_id == situation, CHANGE.c.after == "limited")
    async with database(system, "status") as status:
        async with status.read() as session:
            rows = await session.execute(
                select(CHANGE.c.association_id, func.count()).where(*mine).group_by("association_id")
            )
            changes: dict[UUID, int] = dict(rows.all())
        differences = await ReadinessStore(status, clock=SystemClock()).recount(LIVE, situation)
    assert set(changes.values()) <= {1}
    assert not differences
    return len(changes) == answers


def nats_pid(system: System) -> int:
    """The process id of the system's nats-server, which stands in the name of its ports file."""
    [ports] = (system.folder / "nats").glob("nats-server_*.ports")
    found = re.search(r"\d+", ports.name)
    assert found is not None
    return int(found.group())


def alive(pid: int) -> bool:
    """True for a process that runs; one that ended and waits for its parent has no command line any more."""
    command = Path(f"/proc/{pid}/cmdline")
    return command.exists() and command.read_bytes() != b""
