"""Store of the ready scenarios: one file for each, read once."""

from functools import cache
from pathlib import Path

from services.exercise.scenario.model import Scenario
from services.exercise.scenario.scenario_yaml import read_scenario

FOLDER = Path(__file__).parents[1] / "scenarios"


@cache
def ready_scenarios() -> dict[str, Scenario]:
    """All ready scenarios by their keys, sorted. Raises ScenarioError for a file that is wrong."""
    return {path.stem: read_scenario(path.read_bytes()) for path in sorted(FOLDER.glob("*.yaml"))}
