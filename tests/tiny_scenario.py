"""A scenario of minutes: the ready storm, told quickly."""

from pathlib import Path
from typing import Any

import yaml

from services.exercise.scenario.store import FOLDER

LENGTH = 40
"""Minutes: four seconds at full speed."""


def write_tiny_scenario(path: Path, **changed: Any) -> Path:
    """Write it, with these parts changed; the same path."""
    storm = yaml.safe_load((FOLDER / "winter-storm.yaml").read_text(encoding="utf-8"))
    for minute, inject in enumerate(storm["injects"]):
        inject["at"] = f"0:{minute:02}"
    for minute, phase in enumerate(storm["phases"]):
        phase["at"] = f"0:{minute:02}"
    storm["behaviour"]["areas"] = []
    storm["behaviour"]["elsewhere"]["delay"] = {"median": "0:05", "spread": 0.5}
    told = {**storm, "length": f"0:{LENGTH}", **changed}
    path.write_text(yaml.safe_dump(told, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return path
