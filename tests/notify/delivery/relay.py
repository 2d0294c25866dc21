"""A mail relay that does as it is told, so that every way of failing can be played."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

HANG = "hang"
DROP = "drop"
DROP_AFTER_TAKING = "drop after taking"


@dataclass(frozen=True)
class Taken:
    """A letter that the relay has answered for, or has at least taken."""

    sender: str
    recipient: str
    message: bytes


@dataclass
class Relay:
    """An SMTP server. `say[stage, recipient]` is its reply, HANG, DROP or DROP_AFTER_TAKING; all else is 250.

    Stages are connect, ehlo, mail, rcpt, data and body; where no recipient is named yet, it is "".
    """

    say: dict[tuple[str, str], str] = field(default_factory=dict)
    extensions: tuple[str, ...] = ("8BITMIME",)
    port: int = 0
    taken: list[Taken] = field(default_factory=list)
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
        try:
            await self._converse(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, EOFError):
            writer.close()
        finally:
            self._open.discard(writer)
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sender = recipient = ""
        await self._reply(writer, "connect", "", otherwise="220 relay")
        while line := (await reader.readuntil(b"\r\n")).decode().strip():
            verb = line.split(" ")[0].upper()
            if verb == "EHLO":
                offered = "".join(f"250-{name}\r\n" for name in ("relay", *self.extensions[:-1]))
                await self._reply(writer, "ehlo", "", otherwise=f"{offered}250 {(*self.extensions, 'HELP')[0]}")
            elif verb == "MAIL":
                sender = line.partition("<")[2].partition(">")[0]
                await self._reply(writer, "mail", "")
            elif verb == "RCPT":
                recipient = line.partition("<")[2].partition(">")[0]
                await self._reply(writer, "rcpt", recipient)
            elif verb == "DATA":
                if await self._reply(writer, "data", recipient, otherwise="354 go on"):
                    await self._body(reader, writer, sender=sender, recipient=recipient)
            else:
                await self._write(writer, "221 bye" if verb == "QUIT" else "250 ok")
                if verb == "QUIT":
                    return

    async def _body(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, sender: str, recipient: str
    ) -> None:
        stuffed = (await reader.readuntil(b"\r\n.\r\n")).removesuffix(b".\r\n")
        message = stuffed.replace(b"\r\n..", b"\r\n.")
        self.began.set()
        if self.say.get(("body", recipient)) == HANG:
            await self.let_go.wait()
        if self.say.get(("body", recipient), "250")[:1] in {"2", "d", "h"}:
            self.taken.append(Taken(sender, recipient, message))
        await self._reply(writer, "body", recipient)

    async def _reply(
        self, writer: asyncio.StreamWriter, stage: str, recipient: str, *, otherwise: str = "250 ok"
    ) -> bool:
        """Say what was ordered for this stage; True if it was nothing."""
        ordered = self.say.get((stage, recipient))
        if ordered in {DROP, DROP_AFTER_TAKING}:
            raise ConnectionError
        if ordered == HANG and stage != "body":
            await self.let_go.wait()
            raise ConnectionError
        await self._write(writer, otherwise if ordered in {None, HANG} else str(ordered))
        if ordered and ordered.startswith("421"):
            raise ConnectionError
        return ordered is None

    async def _write(self, writer: asyncio.StreamWriter, line: str) -> None:
        writer.write(f"{line}\r\n".encode())
        await writer.drain()


@asynccontextmanager
async def relaying(relay: Relay) -> AsyncIterator[Relay]:
    """The relay on a free port of this machine (the same one again, if it had one)."""
    server = await asyncio.start_server(relay.serve, "127.0.0.1", relay.port, limit=1_000_000)
    relay.port = server.sockets[0].getsockname()[1]
    try:
        yield relay
    finally:
        relay.let_go.set()
        server.close()
        for writer in list(relay._open):
            writer.close()
        await asyncio.sleep(0)
