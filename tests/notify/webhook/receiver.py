"""A receiver of webhooks on a real port that does as it is told, so that every way of failing can be played."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

HANG = "hang"
DIE = "die in the middle"
ENDLESS = "endless body"


@dataclass(frozen=True)
class Received:
    """A request as it came in."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        """The body, read."""
        read: dict[str, Any] = json.loads(self.body)
        return read

    @property
    def sequence(self) -> int:
        """The number of the message."""
        return int(self.event["data"]["sequence"])


@dataclass
class Receiver:
    """Answers with `manner`: a status, `301 <address>`, or one of the manners above. Keeps what came."""

    manner: str = "200"
    port: int = 0
    received: list[Received] = field(default_factory=list)
    came: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/valmius"

    @property
    def types(self) -> list[str]:
        """The types of all messages, in the order in which they came."""
        return [one.event["type"] for one in self.received]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request, answered in the manner of the moment."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.strip().split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        body = await reader.readexactly(int(headers["content-length"]))
        self.received.append(Received(first.split()[1], headers, body))
        self.came.set()
        await self._answer(writer)
        writer.close()

    async def _answer(self, writer: asyncio.StreamWriter) -> None:
        status, _, where = self.manner.partition(" ")
        if self.manner == HANG:
            await asyncio.Event().wait()
        elif self.manner == DIE:
            writer.write(b"HTTP/1.1 20")
        elif self.manner == ENDLESS:
            writer.write(b"HTTP/1.1 200 Fine\r\ntransfer-encoding: chunked\r\n\r\n")
            try:
                while not writer.is_closing():
                    writer.write(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
                    await writer.drain()
            except ConnectionError:
                return
        else:
            location = f"location: {where}\r\n" if where else ""
            writer.write(f"HTTP/1.1 {status} As told\r\n{location}content-length: 2\r\n\r\nok".encode())


@asynccontextmanager
async def receiving(manner: str = "200") -> AsyncIterator[Receiver]:
    """A receiver on a free port of this machine."""
    receiver, open_ones = Receiver(manner), set[asyncio.Task[None]]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(receiver.serve(reader, writer))
        open_ones.add(task)
        try:
            await task
        except asyncio.CancelledError:
            writer.close()
        finally:
            open_ones.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        for task in open_ones:
            task.cancel()
        server.close()
        await server.wait_closed()
        await asyncio.sleep(0)
