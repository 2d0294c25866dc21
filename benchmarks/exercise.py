"""Answers a second that an exercise drives through the public door, against that door under a load generator."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks.checkin_server import tokens_file
from benchmarks.processes import answer, free_port, module, server
from benchmarks.results import Measured, Result

CONNECTIONS = 16
"""As many answers as an exercise has on their way at once."""
SECONDS = 4.0


def exercise_events(folder: Path) -> Sequence[Result]:
    """A whole system in which everybody answers at once; then intake alone, as the load generator finds it."""
    driven = answer(module("exercise_run", folder / "exercise"), within=180)
    answer(module("checkin_server", "prepare", folder), within=120)
    port = free_port()
    with ExitStack() as stack:
        command = module("checkin_server", "stored", folder, port)
        stack.enter_context(server(command, port, log=folder / "stored.log"))
        found = answer(module("load", port, tokens_file(folder), CONNECTIONS, SECONDS), within=SECONDS + 30)
    door, rate = float(found["rate"]), float(driven["rate"])
    words = f"intake's door alone at {CONNECTIONS} connections, {door:,.0f}/s"
    return (Result("exercise_events", Measured(rate, "answers/s", words, rate / door)),)
