"""Check-ins accepted per second, durable when answered, against the same application without a database."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from benchmarks.checkin_server import tokens_file
from benchmarks.processes import answer, free_port, module, server
from benchmarks.results import Measured, Result, at_least

ROUNDS = 3
SECONDS = 4.0
CONNECTIONS = (64, 256)
SERVERS = ("stored", "unstored", "bare")
GOAL = at_least(0.4)


class RefusedError(Exception):
    """A server did not accept every check-in: its rate says nothing."""


def checkin_accept(folder: Path) -> Sequence[Result]:
    """Three servers, each alone under load in its turn, at 64 connections and at 256."""
    answer(module("checkin_server", "prepare", folder), within=120)
    ports = {name: free_port() for name in SERVERS}
    rates: dict[tuple[str, int], list[float]] = {(name, many): [] for name in SERVERS for many in CONNECTIONS}
    with ExitStack() as stack:
        for name, port in ports.items():
            command = module("checkin_server", name, folder, port)
            stack.enter_context(server(command, port, log=folder / f"{name}.log"))
        for _ in range(ROUNDS):
            for (name, many), found in rates.items():
                found.append(_rate(ports[name], tokens_file(folder), connections=many))
    return _results({key: median(found) for key, found in rates.items()})


def _rate(port: int, tokens: Path, *, connections: int) -> float:
    found = answer(module("load", port, tokens, connections, SECONDS), within=SECONDS + 30)
    if found["refused"]:
        raise RefusedError(f"{found['refused']} check-ins were refused")
    return float(found["rate"])


def _results(rates: dict[tuple[str, int], float]) -> Sequence[Result]:
    few, many = CONNECTIONS
    return (
        Result("checkin_accept", _against(rates, "unstored", connections=few), GOAL),
        Result("checkin_accept_256", _against(rates, "unstored", connections=many), GOAL),
        Result("checkin_accept_vs_bare", _against(rates, "bare", connections=few)),
    )


def _against(rates: dict[tuple[str, int], float], peer: str, *, connections: int) -> Measured:
    ours, theirs = rates["stored", connections], rates[peer, connections]
    words = {"unstored": "the same application storing nothing", "bare": "a bare FastAPI POST"}
    return Measured(ours, "check-ins/s", f"{words[peer]}, {theirs:,.0f}/s", ours / theirs)
