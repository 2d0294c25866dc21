"""Senders: two workers of notify, the bus and a counting relay as processes that can be killed and begun anew."""

import asyncio
import re
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from shared.settings import Nats, Settings, Smtp
from tests.faults.perishing import written
from tests.postgres import free_port
from tests.servers import NatsServer
from tests.system import ROOT

CONNECTIONS = 10
UNBRIDLED = 1e6
_PEAK = re.compile(r"VmHWM:\s+(\d+) kB")


@dataclass
class Child:
    """A program of these tests. It may die any number of times; `peak` is the most memory that any of them held."""

    name: str
    arguments: tuple[str, ...]
    log: Path
    peak: int = 0
    deaths: int = 0
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        """Begin, or begin anew."""
        command = [sys.executable, "-m", f"tests.faults.children.{self.name}", *self.arguments]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)

    def kill(self) -> None:
        """Kill it as a power switch would; it must have been alive."""
        assert self._process is not None
        assert self._process.poll() is None, f"{self.name} had ended:\n{self.log.read_text()[-2000:]}"
        status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii")
        found = _PEAK.search(status)
        self.peak = max(self.peak, int(found[1]) // 1024 if found else 0)
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(10)
        self.deaths += 1

    def end(self) -> None:
        """Be gone, whatever it was doing."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait(10)


class Senders:
    """Everything that a broadcast needs but the database, which is the caller's. Peaks are in MiB."""

    def __init__(self, settings: Settings, bus: NatsServer, *, began: datetime, workers: int = 2) -> None:
        self.bus = bus
        self.bus_deaths = 0
        port, folder = free_port(), settings.var
        smtp = Smtp(port=port, rate=UNBRIDLED, connections=CONNECTIONS)
        self.settings = settings.model_copy(update={"smtp": smtp, "nats": Nats(url=bus.url)})
        self._taken = folder / "taken"
        self._taken.touch()
        self._read, self._count = 0, 0
        self.sink = Child("counting_sink", (str(port), str(self._taken)), folder / "sink.log")
        arguments = (began.isoformat(), str(written(self.settings)))
        self.workers = [Child("notify_worker", arguments, folder / f"worker{number}.log") for number in range(workers)]

    def start(self) -> None:
        """Begin all but the bus, which runs."""
        for child in (self.sink, *self.workers):
            child.start()

    def end(self) -> None:
        """Leave nothing behind."""
        for child in (self.sink, *self.workers):
            child.end()

    async def kill(self, what: str, *, which: int = 0) -> None:
        """Kill the `bus`, the `sink` or a `worker`, and begin it anew."""
        if what == "bus":
            self.bus_deaths += 1
            await asyncio.to_thread(self.bus.kill)
            await asyncio.to_thread(self.bus.start)
            return
        child = self.sink if what == "sink" else self.workers[which]
        child.kill()
        child.start()

    async def has_taken(self, number: int) -> bool:
        """True once the relay has taken so many letters, copies of the same among them."""
        with self._taken.open("rb") as file:
            file.seek(self._read)
            new = file.read()
        self._read += len(new)
        self._count += new.count(b"\n")
        return self._count >= number

    def copies(self) -> Counter[str]:
        """How often the relay has taken each letter, by Message-ID."""
        return Counter(self._taken.read_text(encoding="ascii").splitlines())

    def in_order(self) -> list[str]:
        """The Message-IDs as the relay took them."""
        return self._taken.read_text(encoding="ascii").splitlines()
