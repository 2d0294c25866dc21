"""How soon open pictures show a check-in: the whole system, fifty viewers, two hundred check-ins a second."""

import asyncio
import html
import re
from bisect import bisect_left
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter
from uuid import uuid4

import httpx
import uvloop

from benchmarks.door import Door
from benchmarks.load import STATUSES
from benchmarks.results import Measured, Result, at_most
from services.demo.player import answer_links
from services.demo.registry import ASSOCIATIONS_BY_SECTOR, demo_people
from shared.identity import Role
from shared.region import REGION
from tests.system import System

VIEWERS = 50
RATE = 200
SECONDS = 15
ROUNDS = 3
LIMIT = 1.0
"""Seconds within which an answer should be seen."""

LANGUAGES = ("fi", "sv")
LIVE_ADDRESS = re.compile(r'data-live="([^"]+)"')
HIDDEN_ID = re.compile(r'name="(situation_id|round_id)" value="([^"]+)"')
COUNT = re.compile(r'id="count".*?<p>(.*?)</p>', re.DOTALL)
CELL, SUM = b'<td class="num">', b"</tfoot>"
"""The last cell of a table's sum says how many of the whole region have answered, of how many: 14/61."""


class PictureError(Exception):
    """The system did not do what is measured."""


@dataclass
class Viewer:
    """One open picture: when it showed how many answers."""

    seen_at: list[float] = field(default_factory=list)
    answered: list[int] = field(default_factory=list)

    def show(self, frame: bytes) -> None:
        """A frame has come."""
        at = frame.rfind(CELL, 0, frame.find(SUM))
        if at >= 0:
            self.seen_at.append(perf_counter())
            self.answered.append(int(re.sub(rb"\D", b"", frame[at:].partition(b"/")[0])))

    def first_with(self, answers: int) -> float:
        """When it first showed so many answers. Raises PictureError if it never did."""
        at = bisect_left(self.answered, answers)
        if at == len(self.answered):
            raise PictureError(f"a picture ended at {self.answered[-1:]} answers, {answers} were accepted")
        return self.seen_at[at]


def picture_latency(folder: Path) -> Sequence[Result]:
    """From the sending of a check-in to the first frame that counts it, over all check-ins and viewers; the median of
    ROUNDS systems."""
    rounds = [_round(folder / f"system{number}") for number in range(ROUNDS)]
    p50, p95 = (median(percentile) for percentile in zip(*rounds, strict=True))
    each = ", ".join(f"{late:.2f}" for _, late in rounds)
    told = f"the limit of {LIMIT:g} s (p50 {p50:.2f} s; p95 in each round {each} s)"
    return (Result("picture_latency", Measured(p95, "s, p95", told, p95 / LIMIT), at_most(1)),)


def _round(folder: Path) -> tuple[float, float]:
    """Half of all, and 95 % of all, are seen within so many seconds, in a system of its own."""
    system = System(folder)
    system.start()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            latencies = runner.run(_measure(system))
    finally:
        system.stop()
    hundredths = quantiles(latencies, n=100)
    return hundredths[49], hundredths[94]


async def _measure(system: System) -> list[float]:
    async with httpx.AsyncClient(base_url=system.url, timeout=30, follow_redirects=True) as desk:
        await _sign_in(desk, system)
        situation = await _open_situation(desk)
        links = await _links(system)
        live = [await _live_address(desk, situation, LANGUAGES[n % len(LANGUAGES)]) for n in range(VIEWERS)]
        cookies = "; ".join(f"{name}={value}" for name, value in desk.cookies.items())
    viewers = [Viewer() for _ in live]
    watching = [
        asyncio.create_task(_watch(system.port, path, cookies, viewer))
        for path, viewer in zip(live, viewers, strict=True)
    ]
    try:
        await _until(lambda: all(viewer.answered for viewer in viewers), within=20)
        sent = await _answer(system, links[: RATE * SECONDS])
        await _until(lambda: all(viewer.answered[-1] >= len(sent) for viewer in viewers), within=20)
    finally:
        for task in watching:
            task.cancel()
        await asyncio.gather(*watching, return_exceptions=True)
    return [viewer.first_with(rank) - at for rank, at in enumerate(sent, 1) for viewer in viewers]


async def _sign_in(desk: httpx.AsyncClient, system: System) -> None:
    person = next(person for person in demo_people() if Role.LIAISON in person.roles)
    links = system.sign_in_links()
    link = next(link for name, link in links.items() if person.name.startswith(name))
    await _well(desk.post(link))


async def _open_situation(desk: httpx.AsyncClient) -> str:
    """Open a situation and a round to everybody through the pages; the address of the situation's page."""
    fields = dict(HIDDEN_ID.findall(await _well(desk.get("/situations/new"))))
    fields |= {"name_fi": "Myrsky", "kind": "storm", "municipalities": REGION.code, "freshness_hours": "12"}
    await _well(desk.post("/situations/new", data=fields))
    situation = f"/situations/{fields['situation_id']}"
    asked = dict(HIDDEN_ID.findall(await _well(desk.get(f"{situation}/rounds/new"))))
    asked |= {"municipalities": REGION.code, "sectors": "all", "hours": "24"}
    async with asyncio.timeout(60):
        everybody = sum(ASSOCIATIONS_BY_SECTOR.values())
        while await _count(desk, situation, asked) < everybody:  # noqa: ASYNC110 - the registry comes over the bus
            await asyncio.sleep(0.5)
    await _well(desk.post(f"{situation}/rounds/new", data={**asked, "step": "open"}))
    return situation


async def _count(desk: httpx.AsyncClient, situation: str, asked: dict[str, str]) -> int:
    """How many would be asked now."""
    found = COUNT.search(await _well(desk.post(f"{situation}/rounds/new", data={**asked, "step": "count"})))
    return int("".join(re.findall(r"\d", found.group(1)))) if found else 0


async def _links(system: System) -> list[str]:
    """The answer links out of all letters. They are read once: reading them costs the catcher much."""
    async with httpx.AsyncClient(base_url=system.mail_url, timeout=60) as mail, asyncio.timeout(120):
        before, count = -1, 0
        while count < RATE * SECONDS or count != before:
            await asyncio.sleep(2)
            before, count = count, (await mail.get("/api/letters", params={"limit": 1})).json()["count"]
        return list((await answer_links(mail)).values())


async def _live_address(desk: httpx.AsyncClient, situation: str, language: str) -> str:
    found = LIVE_ADDRESS.search(await _well(desk.get(situation, params={"lang": language})))
    if found is None:
        raise PictureError("the page of the situation is not live")
    return html.unescape(found.group(1))


async def _watch(port: int, path: str, cookies: str, viewer: Viewer) -> None:
    """Hold one stream open and note its frames."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**22)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: {cookies}\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200 "):
            raise PictureError(f"no stream: {head[:40]!r}")
        while True:
            viewer.show(await reader.readuntil(b"\n\n"))
    finally:
        writer.close()


async def _answer(system: System, links: Sequence[str]) -> list[float]:
    """Post all answers at the rate; when each was sent, in the order in which they were accepted."""
    accepted: list[float] = []
    door = Door(system.port)

    async def post(link: str, status: str) -> None:
        at = perf_counter()
        await door.post(link, f"status={status}&checkin_id={uuid4()}")
        accepted.append(at)

    began = perf_counter()
    async with asyncio.TaskGroup() as posts:
        for number, link in enumerate(links):
            await asyncio.sleep(max(0.0, began + number / RATE - perf_counter()))
            posts.create_task(post(link, STATUSES[number % len(STATUSES)]))
    door.close()
    return accepted


async def _well(asked: Awaitable[httpx.Response]) -> str:
    """The page, if it is a good one."""
    reply = await asked
    reply.raise_for_status()
    return reply.text


async def _until(true: Callable[[], bool], *, within: float) -> None:
    async with asyncio.timeout(within):
        while not true():  # noqa: ASYNC110 - other tasks change it, and none of them knows who waits
            await asyncio.sleep(0.05)
