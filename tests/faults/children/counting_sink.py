"""A relay that takes every letter: its Message-ID stands in a file before the relay says 250, however it dies."""

import asyncio
import os
import re
import sys

MESSAGE_ID = re.compile(rb"^Message-ID: <([^>]+)>", re.MULTILINE | re.IGNORECASE)
END = b"\r\n.\r\n"
GREETING = b"220 sink\r\n"
REPLIES = {
    b"EHLO": b"250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n",
    b"DATA": b"354 go on\r\n",
    b"QUIT": b"221 bye\r\n",
}


class Taking(asyncio.Protocol):
    """One connection. What came at once is answered at once."""

    def __init__(self, file: int) -> None:
        self._file = file
        self._rest = b""
        self._in_body = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(GREETING)

    def data_received(self, data: bytes) -> None:
        self._rest += data
        taken, replies = [], []
        while (found := self._next()) is not None:
            if self._in_body:
                self._in_body = False
                taken.append(_id_of(found))
                replies.append(b"250 ok\r\n")
            else:
                verb = found[:4].upper()
                self._in_body = verb == b"DATA"
                replies.append(REPLIES.get(verb, b"250 ok\r\n"))
        os.write(self._file, b"".join(taken))
        assert self._transport is not None
        self._transport.write(b"".join(replies))

    def _next(self) -> bytes | None:
        """The next command or body, if all of it is there."""
        head, end, rest = self._rest.partition(END if self._in_body else b"\r\n")
        if not end:
            return None
        self._rest = rest
        return head


def _id_of(letter: bytes) -> bytes:
    found = MESSAGE_ID.search(letter)
    return (found[1] if found else b"none") + b"\n"


async def serve(port: int, path: str) -> None:
    """Take letters at this port until somebody ends it."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    server = await asyncio.get_running_loop().create_server(lambda: Taking(file), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), sys.argv[2]))
