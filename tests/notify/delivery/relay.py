"""A mail relay that does as it is told, so that every way of failing can be played."""

import asyncio
import ssl
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum

HANG = "hang"
DROP = "drop"
DROP_AFTER_TAKING = "drop after taking"


class Manner(StrEnum):
    """How replies come: each at its time, all that are ready together, or byte by byte."""

    EACH = "each"
    TOGETHER = "together"
    BYTES = "bytes"


@dataclass(frozen=True)
class Taken:
    """A letter that the relay has answered for, or has at least taken."""

    sender: str
    recipient: str
    message: bytes


class Session:
    """One connection as the relay sees it: who has been named, and how its replies go out."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, manner: Manner) -> None:
        self.writer = writer
        self.sender = self.recipient = self.named = ""
        self.carried = False
        self._reader = reader
        self._manner = manner
        self._ready = b""

    @property
    def ahead(self) -> int:
        """How many lines have come that were not read yet."""
        return bytes(self._reader._buffer).count(b"\r\n")  # type: ignore[attr-defined]

    async def line(self) -> bytes:
        """The next line, with its end."""
        if not self.ahead:
            self.flush()
        return await self._reader.readuntil(b"\r\n")

    async def body(self) -> bytes:
        """The message up to the lone dot, as it was before its dots were doubled."""
        self.flush()
        lines: list[bytes] = []
        while (line := await self._reader.readuntil(b"\r\n")) != b".\r\n":
            lines.append(line.removeprefix(b"."))
        return b"".join(lines)

    async def say(self, words: str) -> None:
        """Reply; nothing where there are no words."""
        self._ready += f"{words}\r\n".encode() if words else b""
        if self._manner is Manner.BYTES:
            for byte in self._ready:
                self.writer.write(bytes([byte]))
                await asyncio.sleep(0)
            self._ready = b""
        elif self._manner is Manner.EACH:
            self.flush()
            await self.writer.drain()

    def flush(self) -> None:
        """Send what is ready."""
        self.writer.write(self._ready)
        self._ready = b""


@dataclass
class Relay:
    """An SMTP server. `say[stage, recipient]` is its reply, HANG, DROP or DROP_AFTER_TAKING; all else is 250.

    Stages are connect, ehlo, mail, rcpt, data and body; where no recipient is named yet, it is "" (at mail, the
    sender's answer goes before). It asks for a body only when it took a recipient, or in any case if `lenient`; what
    ends for nobody is `wasted`. At the MAIL of a sender who is in `goodbyes`, a connection that has carried a letter
    ends once, with those words if there are any.
    """

    say: dict[tuple[str, str], str] = field(default_factory=dict)
    extensions: tuple[str, ...] = ("8BITMIME",)
    manner: Manner = Manner.EACH
    lenient: bool = False
    goodbyes: dict[str, str] = field(default_factory=dict)
    tls: ssl.SSLContext | None = None
    port: int = 0
    taken: list[Taken] = field(default_factory=list)
    confirmed: list[str] = field(default_factory=list)
    wasted: list[bytes] = field(default_factory=list)
    verbs: list[str] = field(default_factory=list)
    most_ahead: int = 0
    connections: int = 0
    most_at_once: int = 0
    began: asyncio.Event = field(default_factory=asyncio.Event)
    let_go: asyncio.Event = field(default_factory=asyncio.Event)
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def copies(self) -> Counter[str]:
        """How many letters each recipient got."""
        return Counter(letter.recipient for letter in self.taken)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection from its greeting to its end."""
        self.connections += 1
        self._open.add(writer)
        self.most_at_once = max(self.most_at_once, len(self._open))
        session = Session(reader, writer, manner=self.manner)
        try:
            await self._converse(session)
        except (ConnectionError, asyncio.IncompleteReadError, EOFError):
            session.flush()
        finally:
            self._open.discard(writer)
            writer.close()

    async def _converse(self, session: Session) -> None:
        await self._reply(session, "connect", "", otherwise="220 relay")
        while line := (await session.line()).decode().strip():
            verb = line.split(" ")[0].upper()
            self.verbs.append(verb)
            self.most_ahead = max(self.most_ahead, session.ahead)
            if verb in {"EHLO", "STARTTLS", "AUTH"}:
                await self._open_up(session, verb)
            elif verb in {"MAIL", "RCPT"}:
                await self._name(session, verb, line.partition("<")[2].partition(">")[0])
            elif verb == "DATA":
                await self._data(session)
            else:
                session.sender = session.named = ""
                await session.say("221 bye" if verb == "QUIT" else "250 ok")
                if verb == "QUIT":
                    return

    async def _open_up(self, session: Session, verb: str) -> None:
        if verb == "EHLO":
            offered = "".join(f"250-{name}\r\n" for name in ("relay", *self.extensions[:-1]))
            await self._reply(session, "ehlo", "", otherwise=f"{offered}250 {('HELP', *self.extensions)[-1]}")
        elif verb == "AUTH":
            await session.say("235 welcome")
        else:
            await session.say("220 go on")
            assert self.tls is not None
            await session.writer.start_tls(self.tls)

    async def _name(self, session: Session, verb: str, address: str) -> None:
        if verb == "RCPT":
            session.recipient = address
            if not (session.sender or self.lenient):
                await session.say("503 5.5.1 no sender")
            elif await self._reply(session, "rcpt", address):
                session.named = address
        elif session.carried and address in self.goodbyes:
            await session.say(self.goodbyes.pop(address))
            raise ConnectionError
        elif session.sender:
            await session.say("503 5.5.1 one after the other")
        elif await self._reply(session, "mail", address if ("mail", address) in self.say else ""):
            session.sender = address

    async def _data(self, session: Session) -> None:
        recipient = session.recipient
        if not (session.named or self.lenient):
            await session.say("503 5.5.1 no recipient")
        elif await self._reply(session, "data", recipient, otherwise="354 go on"):
            session.carried = True
            message = await session.body()
            if session.named:
                await self._take(session, Taken(session.sender, recipient, message))
            else:
                self.wasted.append(message)
                await session.say("554 5.5.1 no recipient")

    async def _take(self, session: Session, letter: Taken) -> None:
        session.sender = session.named = ""
        self.began.set()
        ordered = self.say.get(("body", letter.recipient))
        if ordered == HANG:
            await self.let_go.wait()
        if ordered in {None, HANG, DROP_AFTER_TAKING} or ordered.startswith("2"):
            self.taken.append(letter)
        if await self._reply(session, "body", letter.recipient):
            self.confirmed.append(letter.recipient)

    async def _reply(self, session: Session, stage: str, recipient: str, *, otherwise: str = "250 ok") -> bool:
        """Say what was ordered for this stage; True if the relay goes along."""
        ordered = self.say.get((stage, recipient))
        if ordered in {DROP, DROP_AFTER_TAKING}:
            raise ConnectionError
        if ordered == HANG and stage != "body":
            session.flush()
            await self.let_go.wait()
            raise ConnectionError
        await session.say(otherwise if ordered in {None, HANG} else str(ordered))
        if ordered and ordered.startswith("421"):
            raise ConnectionError
        return ordered is None or ordered == HANG or ordered[0] in "23"


@asynccontextmanager
async def relaying(relay: Relay) -> AsyncIterator[Relay]:
    """The relay on a free port of this machine (the same one again, if it had one)."""
    implicit = None if "STARTTLS" in relay.extensions else relay.tls
    server = await asyncio.start_server(relay.serve, "127.0.0.1", relay.port, limit=1_000_000, ssl=implicit)
    relay.port = server.sockets[0].getsockname()[1]
    try:
        yield relay
    finally:
        relay.let_go.set()
        server.close()
        for writer in list(relay._open):
            writer.close()
        await asyncio.sleep(0)
