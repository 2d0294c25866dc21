"""Letters per second through the whole ledger, against Django's mail and against smtp-source, into one sink."""

import os
import re
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from benchmarks.processes import answer, free_port, module, program, server
from benchmarks.results import Measured, Result, at_least

ROUNDS = 3
LETTERS = 20_000
DJANGO_LETTERS = 3_000
"""Enough for a rate: it takes seconds for these."""

COUNTED = re.compile(rb"mesg=(\d+)")


class Sink:
    """smtp-sink at a port of its own, which counts what it takes and keeps nothing."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.log = folder / "sink.log"
        owner = ["-u", "nobody"] if os.getuid() == 0 else []
        self.command = [program("smtp-sink"), *owner, "-c", f"127.0.0.1:{self.port}", "1000"]

    @property
    def taken(self) -> int:
        """How many letters it has taken."""
        found = COUNTED.findall(self.log.read_bytes())
        return int(found[-1]) if found else 0


def broadcast(folder: Path) -> Sequence[Result]:
    """Notify, Django and smtp-source in turn. Raises MissingProgramError without Postfix's test programs."""
    sink, source = Sink(folder), program("smtp-source")
    ours: list[float] = []
    theirs: list[float] = []
    limit: list[float] = []
    with server(sink.command, sink.port, log=sink.log):
        for number in range(ROUNDS):
            own = folder / f"round{number}"
            own.mkdir()
            ours.append((found := _sent("notify", own, sink, LETTERS))["rate"])
            theirs.append(_sent("django", own, sink, DJANGO_LETTERS)["rate"])
            limit.append(_source(source, sink, size=int(found["bytes"])))
    rate, django, plain = median(ours), median(theirs), median(limit)
    return (
        Result(
            "broadcast_vs_django",
            Measured(rate, "letters/s", f"Django send_messages, {django:,.0f}/s", rate / django),
            at_least(4),
        ),
        Result(
            "broadcast_vs_smtp_source",
            Measured(rate, "letters/s", f"smtp-source -s10 -d, {plain:,.0f}/s", rate / plain),
            at_least(0.3),
        ),
    )


def broadcast_dkim(folder: Path) -> Sequence[Result]:
    """Notify signing each letter, and smtp-source in turn. Raises MissingProgramError as `broadcast` does."""
    sink, source = Sink(folder), program("smtp-source")
    ours: list[float] = []
    limit: list[float] = []
    with server(sink.command, sink.port, log=sink.log):
        for number in range(ROUNDS):
            own = folder / f"round{number}"
            own.mkdir()
            ours.append((found := _sent("signing", own, sink, LETTERS))["rate"])
            limit.append(_source(source, sink, size=int(found["bytes"])))
    rate, plain = median(ours), median(limit)
    against = f"smtp-source -s10 -d, {plain:,.0f}/s"
    return (Result("broadcast_dkim", Measured(rate, "letters/s", against, rate / plain), at_least(0.1)),)


def _sent(who: str, folder: Path, sink: Sink, count: int) -> dict[str, float]:
    before = sink.taken
    found: dict[str, float] = answer(module("broadcast_sender", who, folder, sink.port, count), within=180)
    _require(sink, before + count)
    return found


def _source(source: str, sink: Sink, *, size: int) -> float:
    before = sink.taken
    began = time.perf_counter()
    command = [source, "-s10", "-d", "-m", str(LETTERS), "-l", str(size), f"127.0.0.1:{sink.port}"]
    subprocess.run(command, check=True, timeout=120)
    took = time.perf_counter() - began
    _require(sink, before + LETTERS)
    return LETTERS / took


def _require(sink: Sink, count: int) -> None:
    """The sink's own count is what we go by."""
    deadline = time.monotonic() + 5
    while sink.taken < count and time.monotonic() < deadline:
        time.sleep(0.05)
    if sink.taken != count:
        raise RuntimeError(f"the sink has taken {sink.taken} letters, {count} were sent")
