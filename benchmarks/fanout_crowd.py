"""Open pages by the thousand, as little work as can be: each only waits for the end of a frame.

Prints, by number of pages, how many were reached a second: the median over some frames.
"""

import asyncio
import json
import sys
import time
from pathlib import Path
from statistics import median
from typing import cast

import uvloop

FRAMES = 10
REST = 0.4
"""Seconds between two frames, longer than status pauses between them."""
AT_ONCE = 100
WITHIN = 60.0


class Crowd:
    """All open pages of one server, and which frame they wait for."""

    def __init__(self, port: int, request: bytes) -> None:
        self.port = port
        self.request = request
        self.mark = b""
        self.size = 0
        self._missing = 0
        self._all = asyncio.Event()

    def expect(self, number: int) -> None:
        """From now on everybody waits for this frame."""
        self.mark = b"data: #%d\n\n" % number
        self._missing = self.size
        self._all.clear()

    def reached(self) -> None:
        """One more has it."""
        self._missing -= 1
        if not self._missing:
            self._all.set()

    async def grow(self, size: int) -> None:
        """Open pages until there are so many, some at a time; each must show the frame of now."""
        loop = asyncio.get_running_loop()
        while self.size < size:
            more = min(AT_ONCE, size - self.size)
            self._missing = more
            self._all.clear()
            await asyncio.gather(
                *(loop.create_connection(lambda: Page(self), "127.0.0.1", self.port) for _ in range(more))
            )
            await self.all()
            self.size += more

    async def all(self) -> None:
        """Return when nobody waits any more."""
        async with asyncio.timeout(WITHIN):
            await self._all.wait()


class Page(asyncio.Protocol):
    """One open page."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd
        self._end = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the stream."""
        cast("asyncio.Transport", transport).write(self._crowd.request)

    def data_received(self, data: bytes) -> None:
        """Look only at the end of what has come: the frame's number is there."""
        self._end = (self._end + data[-40:])[-40:]
        if self._crowd.mark in self._end:
            self._end = b""
            self._crowd.reached()


async def watch(port: int, path: str, cookie: str, sizes: list[int]) -> dict[int, float]:
    """Pages reached a second at each size."""
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: {cookie}\r\n\r\n".encode()
    crowd = Crowd(port, request)
    crowd.expect(0)
    found: dict[int, float] = {}
    number = 0
    for size in sizes:
        await crowd.grow(size)
        took: list[float] = []
        for _ in range(FRAMES):
            await asyncio.sleep(REST)
            number += 1
            crowd.expect(number)
            began = time.perf_counter()
            await _turn(port)
            await crowd.all()
            took.append(time.perf_counter() - began)
        found[size] = size / median(took)
    return found


async def _turn(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET /next HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode())
    await reader.readuntil(b"\r\n\r\n")
    writer.close()


def main() -> None:
    """`FOLDER PORT SIZES`: the folder holds what status left there for its viewers."""
    folder, port, sizes = sys.argv[1:]
    path, cookie = (Path(folder) / "viewer").read_text(encoding="ascii").splitlines()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run(watch(int(port), path, cookie, json.loads(sizes)))))


if __name__ == "__main__":
    main()
