"""Writes the JSON schema of scenarios anew: python -m tests.exercise.schema_document."""

import json
from pathlib import Path

from services.exercise.scenario.scenario_yaml import scenario_schema

DOCUMENT = Path(__file__).parents[2] / "docs" / "scenario.schema.json"


def written() -> str:
    """The schema as the file holds it."""
    return json.dumps(scenario_schema(), indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Write docs/scenario.schema.json."""
    DOCUMENT.write_text(written(), encoding="utf-8")


if __name__ == "__main__":
    main()
