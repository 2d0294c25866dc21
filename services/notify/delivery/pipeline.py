"""Pipeline: commands go out without waiting for the answer to each (RFC 2920); replies are read in their order."""

import asyncio
from collections import deque
from typing import Final, NamedTuple

MAX_LINE: Final = 8192
"""Bytes of a reply's line. Far more than the 512 of RFC 5321; what is longer is no SMTP."""

NO_REPLY: Final = -1
"""The code of what came instead of a reply."""


class Reply(NamedTuple):
    """An SMTP reply: its code, and the text of its first line."""

    code: int
    text: str


class Pipeline(asyncio.Protocol):
    """Carries on an open connection to a relay: what is written, and the replies to it."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._replies: deque[Reply] = deque()
        self._expected = 0
        self._line = b""
        self._first: bytes | None = None
        self._arrival: asyncio.Future[None] | None = None
        self._deadline = 0.0
        self._limit: asyncio.TimerHandle | None = None
        self._ended = False
        transport.set_protocol(self)

    @property
    def usable(self) -> bool:
        """True until either side has ended the connection."""
        return not self._ended and not self._transport.is_closing()

    @property
    def outstanding(self) -> int:
        """How many replies have not been read yet."""
        return self._expected + len(self._replies)

    def write(self, data: bytes, *, replies: int = 1) -> None:
        """Send what the relay answers with so many replies. Raises ConnectionError if the connection has ended."""
        if not self.usable:
            raise ConnectionResetError("connection lost")
        self._expected += replies
        self._transport.write(data)

    async def reply(self, *, within: float) -> Reply:
        """The next reply; what came before the connection ended can still be read.

        Raises ConnectionError if it ended without one, TimeoutError if none comes within so many seconds.
        """
        if not self._replies:
            if not self.usable:
                raise ConnectionResetError("connection lost")
            loop = asyncio.get_running_loop()
            self._arrival = loop.create_future()
            self._wait_until(loop.time() + within)
            await self._arrival
        return self._replies.popleft()

    def close(self) -> None:
        """End the connection."""
        self._cancel_limit()
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        """Take apart what came; a reply may come in pieces, and several at once."""
        *lines, self._line = (self._line + data).split(b"\n")
        for line in lines:
            self._take(line)
        if len(self._line) > MAX_LINE:
            self._line = b""
            self._arrived(Reply(NO_REPLY, ""))

    def eof_received(self) -> None:
        """The relay says no more; the transport closes itself."""
        self._end()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's name
        """Nothing more will come."""
        self._end()

    def _take(self, line: bytes) -> None:
        """One line: the last of a reply, or one of several."""
        if self._first is None:
            self._first = line[4:]
        if not line[:3].isdigit() or len(line) > MAX_LINE:
            self._arrived(Reply(NO_REPLY, ""))
        elif line[3:4] != b"-":
            self._arrived(Reply(int(line[:3]), self._first.decode("utf-8", "replace").strip()))

    def _arrived(self, reply: Reply) -> None:
        """Hand the reply on. One for which nobody asked puts all that follow out of step, and mostly says goodbye."""
        self._first = None
        if not self._expected:
            self._end()
            self._transport.close()
            return
        self._expected -= 1
        self._replies.append(reply)
        if self._arrival is not None and not self._arrival.done():
            self._arrival.set_result(None)

    def _wait_until(self, deadline: float) -> None:
        """Fail at this moment of the loop if nothing has come. A timer that runs already is kept, and looks again when
        it is too early: to make one for each reply costs as much as to read the reply."""
        self._deadline = deadline
        if self._limit is None or self._limit.when() > deadline:
            self._cancel_limit()
            self._limit = asyncio.get_running_loop().call_at(deadline, self._look)

    def _look(self) -> None:
        self._limit = None
        if self._arrival is None or self._arrival.done():
            return
        if asyncio.get_running_loop().time() < self._deadline:
            self._wait_until(self._deadline)
        else:
            self._fail(TimeoutError("no answer"))

    def _cancel_limit(self) -> None:
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None

    def _end(self) -> None:
        self._ended = True
        self._cancel_limit()
        self._fail(ConnectionResetError("connection lost"))

    def _fail(self, error: OSError) -> None:
        if self._arrival is not None and not self._arrival.done():
            self._arrival.set_exception(error)
