"""Results: what was measured against what, as a table and as the results file."""

import json
import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path

ROOT = Path(__file__).parents[1]
FILE = ROOT / "benchmarks" / "results.json"
HEADINGS = ("name", "value", "unit", "against", "ratio", "goal", "met?")


class Sense(StrEnum):
    """On which side of its bound a good ratio lies."""

    AT_LEAST = "≥"
    AT_MOST = "≤"


@dataclass(frozen=True)
class Goal:
    """What the ratio should be."""

    sense: Sense
    bound: float

    def met_by(self, ratio: float) -> bool:
        """True if this ratio is good enough."""
        return ratio >= self.bound if self.sense is Sense.AT_LEAST else ratio <= self.bound

    def __str__(self) -> str:
        return f"{self.sense} {self.bound:g}"


@dataclass(frozen=True)
class Measured:
    """One measured value; `against` names its peer with the peer's value, `ratio` is ours to the peer's."""

    value: float
    unit: str
    against: str
    ratio: float


@dataclass(frozen=True)
class Result:
    """A measurement by its name. Without a goal it is told for comparison only."""

    name: str
    measured: Measured
    goal: Goal | None = None


def at_least(bound: float) -> Goal:
    """The ratio should be so high."""
    return Goal(Sense.AT_LEAST, bound)


def at_most(bound: float) -> Goal:
    """The ratio should be so low."""
    return Goal(Sense.AT_MOST, bound)


def document(results: Sequence[Result], *, commit: str, machine: dict[str, str | int]) -> dict[str, object]:
    """What the results file holds: `commit`, `machine`, and under each name value, unit, against and ratio."""
    return {"commit": commit, "machine": machine, **{one.name: asdict(one.measured) for one in results}}


def write(results: Sequence[Result], path: Path = FILE) -> None:
    """Write the results file of this commit and machine."""
    told = document(results, commit=commit_at_hand(), machine=machine_at_hand())
    path.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def table(results: Sequence[Result]) -> str:
    """All results as lines of text, columns aligned."""
    rows = [HEADINGS, *(_cells(one) for one in results)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)


def _cells(one: Result) -> tuple[str, ...]:
    measured, goal = one.measured, one.goal
    met = "" if goal is None else "yes" if goal.met_by(measured.ratio) else "NO"
    value = f"{measured.value:,.0f}" if measured.value >= 100 else f"{measured.value:.3g}"
    return (one.name, value, measured.unit, measured.against, f"{measured.ratio:.2f}", str(goal or "-"), met)


def commit_at_hand() -> str:
    """The commit that is checked out, with `+` when the tree differs from it; `unknown` outside of a repository."""
    try:
        commit = _git("rev-parse", "HEAD")
        return commit + "+" * bool(_git("status", "--porcelain", "--untracked-files=no"))
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def machine_at_hand() -> dict[str, str | int]:
    """What a reader must know of the machine to compare."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count() or 1,
        "memory_mib": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20,
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
