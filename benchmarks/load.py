"""Load generator: a program that posts check-ins over kept connections and prints how many were accepted."""

import asyncio
import json
import os
import random
import sys
import time
from collections.abc import Sequence
from itertools import cycle
from pathlib import Path
from typing import cast

import uvloop

from shared.region import CAPABILITIES

WARM_UP = 1.0
STATUSES = ("normal", "normal", "normal", "limited", "suspended")
AMOUNTS = "".join(f"&{which}-{capability.code}=" for which in ("need", "offer") for capability in CAPABILITIES)
"""Browsers send every text field, also the empty ones."""


class Load:
    """Counts what comes back within the measured time, over all connections."""

    def __init__(self, tokens: Sequence[str], *, host: str) -> None:
        self._tokens = cycle(tokens)
        self._statuses = cycle(STATUSES)
        self._host = host
        self.measuring = False
        self.stopped = False
        self.refused = 0
        self.latencies: list[float] = []

    def request(self) -> bytes:
        """A check-in as a browser sends it: a form of its own, by the next link."""
        body = f"checkin_id={os.urandom(16).hex()}&status={next(self._statuses)}{AMOUNTS}&until=&plan=&note="
        return (
            f"POST /c/{next(self._tokens)} HTTP/1.1\r\nHost: {self._host}\r\nOrigin: http://{self._host}\r\n"
            "Sec-Fetch-Site: same-origin\r\nAccept-Language: fi\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        ).encode()

    def answered(self, head: bytes, took: float) -> None:
        """One answer came back."""
        if not head.startswith(b"HTTP/1.1 200 "):
            self.refused += 1
        elif self.measuring:
            self.latencies.append(took)


class Caller(asyncio.Protocol):
    """One kept connection: posts, reads the whole answer, posts again."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._received = b""
        self._sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's own class is not derived from it
        self._post()

    def data_received(self, data: bytes) -> None:
        """Part of an answer, or all of it."""
        self._received += data
        head, _, body = self._received.partition(b"\r\n\r\n")
        if len(body) >= _content_length(head):
            self._received = b""
            self._load.answered(head, time.perf_counter() - self._sent_at)
            self._post()

    def connection_lost(self, _exc: Exception | None) -> None:
        """A server that ends a connection early has refused what was on it."""
        self._load.refused += not self._load.stopped

    def _post(self) -> None:
        if self._load.stopped:
            self._transport.close()
            return
        self._sent_at = time.perf_counter()
        self._transport.write(self._load.request())


def _content_length(head: bytes) -> float:
    """What the head promises; infinite as long as it is not there whole."""
    at = head.lower().find(b"content-length:")
    if at < 0:
        return float("inf")
    return int(head[at + 15 :].split(b"\r\n", 1)[0])


async def post(port: int, tokens: Sequence[str], *, connections: int, seconds: float) -> dict[str, float]:
    """Post for so many seconds after a warm-up: `rate` a second, latencies in seconds, and how many were refused."""
    load = Load(tokens, host=f"127.0.0.1:{port}")
    loop = asyncio.get_running_loop()
    for _ in range(connections):
        await loop.create_connection(lambda: Caller(load), "127.0.0.1", port)
    await asyncio.sleep(WARM_UP)
    load.measuring, began = True, time.perf_counter()
    await asyncio.sleep(seconds)
    load.measuring, load.stopped = False, True
    took = time.perf_counter() - began
    await asyncio.sleep(0.5)  # what is on its way comes back
    ordered = sorted(load.latencies) or [float("nan")]
    return {
        "rate": len(load.latencies) / took,
        "p50": ordered[len(ordered) // 2],
        "p99": ordered[len(ordered) * 99 // 100],
        "refused": load.refused,
    }


def main() -> None:
    """`PORT TOKENS CONNECTIONS SECONDS`; TOKENS is a file with one token a line."""
    port, path, connections, seconds = sys.argv[1:]
    tokens = Path(path).read_text(encoding="ascii").split()
    random.shuffle(tokens)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        found = runner.run(post(int(port), tokens, connections=int(connections), seconds=float(seconds)))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
