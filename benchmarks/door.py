"""The public door as a crowd uses it: kept connections, one answer at a time on each, as little work as can be."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class RefusedAnswerError(Exception):
    """The door did not take an answer; the text is its status line."""


class Door:
    """Connections to one server, each used by one request at a time."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def post(self, path: str, body: str) -> None:
        """Post a form and read the whole answer. Raises RefusedAnswerError unless it is 200."""
        async with self._connection() as (reader, writer):
            writer.write(
                f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\nAccept-Language: fi\r\n"
                "Content-Type: application/x-www-form-urlencoded\r\n"
                f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
            )
            head = await reader.readuntil(b"\r\n\r\n")
            at = head.lower().index(b"content-length:")
            await reader.readexactly(int(head[at + 15 :].split(b"\r\n", 1)[0]))
        if not head.startswith(b"HTTP/1.1 200 "):
            raise RefusedAnswerError(head.split(b"\r\n", 1)[0].decode("latin-1"))

    def close(self) -> None:
        """Leave."""
        for _, writer in self._idle:
            writer.close()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        kept = self._idle.pop() if self._idle else await asyncio.open_connection("127.0.0.1", self._port)
        yield kept
        self._idle.append(kept)
