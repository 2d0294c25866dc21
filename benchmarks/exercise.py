"""Answers a second that an exercise drives through the public form, against the same form called directly."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.processes import answer, module
from benchmarks.results import Measured, Result, at_least


def exercise_events(folder: Path) -> Sequence[Result]:
    """A whole system in which everybody answers at once; against the load generator, which has a processor to itself,
    and for comparison against the exercise's own client in the same process, and nothing else of the exercise."""
    driven, directly, load = (
        float(answer(module("exercise_run", who, folder / who), within=240)["rate"])
        for who in ("driven", "directly", "load")
    )
    by_load, by_client = f"the same system called directly, {load:,.0f}/s", f"its own client alone, {directly:,.0f}/s"
    return (
        Result("exercise_events", Measured(driven, "answers/s", by_load, driven / load), at_least(0.8)),
        Result("exercise_events_vs_client", Measured(driven, "answers/s", by_client, driven / directly)),
    )
