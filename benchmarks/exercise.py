"""Answers a second that an exercise drives through the public form, against the same form called directly."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.processes import answer, module
from benchmarks.results import Measured, Result, at_least


def exercise_events(folder: Path) -> Sequence[Result]:
    """A whole system in which everybody answers at once, and the same system under the load generator."""
    driven, direct = (
        float(answer(module("exercise_run", who, folder / who), within=240)["rate"]) for who in ("driven", "direct")
    )
    words = f"the same system called directly, {direct:,.0f}/s"
    return (Result("exercise_events", Measured(driven, "answers/s", words, driven / direct), at_least(0.8)),)
