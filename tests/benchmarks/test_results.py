"""The results file keeps the shape that others read."""

import json
from pathlib import Path

import pytest

from benchmarks.__main__ import MEASUREMENTS
from benchmarks.results import Measured, Result, at_least, at_most, document, table, write

FAST = Result(
    "checkin_accept", Measured(5200.0, "check-ins/s", "the same storing nothing, 8,000/s", 0.65), at_least(0.4)
)
SLOW = Result("picture_latency", Measured(1.4, "s, p95", "the limit of 1 s", 1.4), at_most(1))


def test_the_file_has_each_measurement_by_name_beside_commit_and_machine() -> None:
    told = document([FAST, SLOW], commit="abc", machine={"cores": 2})

    assert told == {
        "commit": "abc",
        "machine": {"cores": 2},
        "checkin_accept": {
            "value": 5200.0,
            "unit": "check-ins/s",
            "against": "the same storing nothing, 8,000/s",
            "ratio": 0.65,
        },
        "picture_latency": {"value": 1.4, "unit": "s, p95", "against": "the limit of 1 s", "ratio": 1.4},
    }


def test_the_written_file_names_this_commit_and_this_machine(tmp_path: Path) -> None:
    write([FAST], tmp_path / "results.json")

    told = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))

    assert set(told) == {"commit", "machine", "checkin_accept"}
    assert {"processor", "cores", "memory_mib", "system", "python"} == set(told["machine"])


@pytest.mark.parametrize(("one", "met"), [(FAST, "yes"), (SLOW, "NO")])
def test_the_table_says_whether_the_goal_is_met(one: Result, met: str) -> None:
    heading, line = table([one]).splitlines()

    assert heading.split()[-1] == "met?"
    assert line.split()[0] == one.name
    assert line.split()[-1] == met


def test_every_promised_name_can_be_asked_for() -> None:
    assert list(MEASUREMENTS) == [
        "checkin_accept",
        "broadcast_vs_django",
        "broadcast_vs_smtp_source",
        "broadcast_dkim",
        "broadcast_cost_flat",
        "urgent_during_broadcast",
        "picture_latency",
        "checkin_cost_flat",
        "picture_read_flat",
        "checkin_cost_flat_postgresql",
        "picture_read_flat_postgresql",
        "sse_fanout",
        "exercise_events",
        "import_rows",
        "import_peak_memory",
    ]
