"""Answers a second that an exercise drives through the public form, against the same form called directly."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.processes import answer, module
from benchmarks.results import Measured, Result, at_least


def exercise_events(folder: Path) -> Sequence[Result]:
    """A whole system in which everybody answers at once; against the same answers given by its own client and nothing
    else of the exercise, and by the load generator, which has a processor to itself."""
    driven, directly, load = (
        float(answer(module("exercise_run", who, folder / who), within=240)["rate"])
        for who in ("driven", "directly", "load")
    )
    by_client, by_load = f"direct calls by its own client, {directly:,.0f}/s", f"the load generator, {load:,.0f}/s"
    return (
        Result("exercise_events", Measured(driven, "answers/s", by_client, driven / directly), at_least(0.8)),
        Result("exercise_events_vs_load", Measured(driven, "answers/s", by_load, driven / load)),
    )
