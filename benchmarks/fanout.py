"""How fast a new picture comes to everybody who looks, against a loop that only writes the same bytes."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.processes import answer, free_port, module, server
from benchmarks.results import Measured, Result, at_least

VIEWERS = (500, 2_000, 5_000)


def sse_fanout(folder: Path) -> Sequence[Result]:
    """Pages reached a second at each number of open pages; the ratio is the worst of the three."""
    ours = _served("status", folder)
    theirs = _served("bare", folder)
    told = ", ".join(f"{viewers:,} pages: {ours[viewers]:,.0f}/s, bare {theirs[viewers]:,.0f}/s" for viewers in VIEWERS)
    worst = min(ours[viewers] / theirs[viewers] for viewers in VIEWERS)
    against = f"a bare asyncio writer of the same bytes ({told})"
    return (Result("sse_fanout", Measured(ours[VIEWERS[-1]], "pages/s", against, worst), at_least(0.25)),)


def _served(who: str, folder: Path) -> dict[int, float]:
    port = free_port()
    with server(module("fanout_server", who, folder, port), port, log=folder / f"{who}.log"):
        found: dict[str, float] = answer(module("fanout_crowd", folder, port, json.dumps(VIEWERS)), within=300)
    print(f"fan-out by {who}: {found}", file=sys.stderr)
    return {int(viewers): rate for viewers, rate in found.items()}
