"""`python -m benchmarks [NAME…]`: measures, prints the table and writes the results file."""

import argparse
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.broadcast import broadcast, broadcast_dkim
from benchmarks.broadcast_size import broadcast_cost_flat, urgent_during_broadcast
from benchmarks.checkin import checkin_accept
from benchmarks.exercise import exercise_events
from benchmarks.fanout import sse_fanout
from benchmarks.importing import import_peak_memory, import_rows
from benchmarks.picture import picture_latency
from benchmarks.processes import MissingProgramError
from benchmarks.results import FILE, ROOT, Result, table, write
from benchmarks.standings import standings, standings_postgresql

MEASUREMENTS: dict[str, Callable[[Path], Sequence[Result]]] = {
    "checkin_accept": checkin_accept,
    "broadcast_vs_django": broadcast,
    "broadcast_vs_smtp_source": broadcast,
    "broadcast_dkim": broadcast_dkim,
    "broadcast_cost_flat": broadcast_cost_flat,
    "urgent_during_broadcast": urgent_during_broadcast,
    "picture_latency": picture_latency,
    "checkin_cost_flat": standings,
    "picture_read_flat": standings,
    "checkin_cost_flat_postgresql": standings_postgresql,
    "picture_read_flat_postgresql": standings_postgresql,
    "sse_fanout": sse_fanout,
    "exercise_events": exercise_events,
    "import_rows": import_rows,
    "import_peak_memory": import_peak_memory,
}


def main() -> None:
    """Measure what is named, or everything. What one measurement breaks takes nothing from the others."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of: {', '.join(MEASUREMENTS)}")
    names = parser.parse_args().names or list(MEASUREMENTS)
    if unknown := [name for name in names if name not in MEASUREMENTS]:
        parser.error(f"there is no measurement {unknown[0]}; there are: {', '.join(MEASUREMENTS)}")
    measures = list(dict.fromkeys(MEASUREMENTS[name] for name in names))
    results: list[Result] = []
    failed: list[str] = []
    for measure in measures:
        try:
            results += _run(measure)
        except Exception:
            traceback.print_exc()
            failed.append(measure.__name__)
    write(results)
    print(f"\n{table(results)}\n\nwritten to {FILE.relative_to(ROOT)}")
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


def _run(measure: Callable[[Path], Sequence[Result]]) -> Sequence[Result]:
    """One measurement in a folder of its own; without a program that it needs, a line that names it."""
    print(f"{measure.__name__} ...", file=sys.stderr, flush=True)
    began = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="valmius-bench-") as folder:
            return measure(Path(folder))
    except MissingProgramError as error:
        print(f"{measure.__name__} is left out: {error}", file=sys.stderr)
        return ()
    finally:
        print(f"{measure.__name__} took {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
