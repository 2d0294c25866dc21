"""Rehearsal: the operator's commands for exercises: whether a scenario is right, and how one is written."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from services.exercise.scenario.marked_tree import LARGEST
from services.exercise.scenario.model import Scenario
from services.exercise.scenario.scenario_yaml import ScenarioError, read_scenario, scenario_schema
from services.operator import Json, say
from services.playing import run_scenario

app = typer.Typer(no_args_is_help=True, help="Exercises: the scenarios from which they are made.")
app.command("run")(run_scenario)


@app.command("check")
def check_scenario(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The scenario, a YAML file.")],
    as_json: Json = False,
) -> None:
    """Say everything that is wrong in a scenario, with line and column. Exit code 1: something is."""
    try:
        with file.open("rb") as source:
            scenario = read_scenario(source.read(LARGEST + 1))
    except ScenarioError as error:
        _say_mistakes(file, error, as_json=as_json)
        raise typer.Exit(1) from error
    say({**_summary(scenario), **({"mistakes": []} if as_json else {})}, as_json=as_json)


@app.command("schema")
def scenario_json_schema() -> None:
    """Print the JSON schema of scenarios, with which an editor helps to write one."""
    typer.echo(json.dumps(scenario_schema(), indent=2, ensure_ascii=False))


def _say_mistakes(file: Path, error: ScenarioError, *, as_json: bool) -> None:
    if as_json:
        told = [
            {"line": mistake.position.line, "column": mistake.position.column, "text": mistake.text}
            for mistake in error.mistakes
        ]
        say({"mistakes": told}, as_json=True)
        return
    for mistake in error.mistakes:
        typer.echo(f"{file}:{mistake.position.line}:{mistake.position.column}: {mistake.text}")
    typer.echo(f"{len(error.mistakes)} to mend")


def _summary(scenario: Scenario) -> dict[str, Any]:
    return {
        "scenario": scenario.key,
        "title": scenario.title.en,
        "injects": len(scenario.injects),
        "contingency injects": len(scenario.contingencies),
        "length": scenario.model_dump(include={"length"})["length"],
    }
