"""Whether a letter costs more in a larger broadcast, and whether an urgent one waits for it."""

from collections.abc import Sequence
from pathlib import Path
from statistics import quantiles
from typing import Any

from benchmarks.broadcast import Sink
from benchmarks.processes import answer, module, server
from benchmarks.results import Measured, Result, at_most

SIZES = (10_000, 100_000, 1_000_000)
RECIPIENTS = 100_000
LIMIT = 2.0
"""Seconds within which an urgent letter is out, whatever else is sent."""


def broadcast_cost_flat(folder: Path) -> Sequence[Result]:
    """CPU time per letter at three sizes, at the beginning and at the end. Raises MissingProgramError without Postfix's
    test programs."""
    costs = [_run("cost", folder, size, within=900) for size in SIZES]
    least, most = costs[0]["first"], max(value for found in costs for value in found.values())
    told = ", ".join(
        f"{found['first']:.0f}–{found['last']:.0f} at {size:,}" for found, size in zip(costs, SIZES, strict=True)
    )
    against = f"{least:.0f} µs at {SIZES[0]:,} ({told})"
    return (Result("broadcast_cost_flat", Measured(most, "µs CPU/letter", against, most / least), at_most(1.25)),)


def urgent_during_broadcast(folder: Path) -> Sequence[Result]:
    """95 % of urgent letters are out within this time while a broadcast runs. Raises as `broadcast_cost_flat`."""
    seconds = _run("urgent", folder, RECIPIENTS, within=600)["seconds"]
    slow = quantiles(seconds, n=20)[-1]
    against = f"the limit of {LIMIT:g} s; the slowest took {max(seconds):.2f} s"
    return (Result("urgent_during_broadcast", Measured(slow, "s", against, slow / LIMIT), at_most(1)),)


def _run(what: str, folder: Path, count: int, *, within: float) -> dict[str, Any]:
    """One program with a folder and a sink of its own."""
    own = folder / f"{what}-{count}"
    own.mkdir()
    sink = Sink(own)
    with server(sink.command, sink.port, log=sink.log):
        found: dict[str, Any] = answer(module("broadcast_large", what, own, sink.port, count), within=within)
    return found
