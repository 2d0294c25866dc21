"""Format: a scenario as a YAML file, and everything that is wrong in one, with line and column."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from services.exercise.scenario.cross_checks import disagreements
from services.exercise.scenario.marked_tree import (
    MarkedTree,
    Mistake,
    Path,
    UnreadableError,
    did_you_mean,
    known_names,
    quoted,
    read_tree,
)
from services.exercise.scenario.model import Scenario

MOST_MISTAKES = 100
"""So many are told of one file; whoever has more begins with these."""


class ScenarioError(ValueError):
    """The file is no scenario. `mistakes` holds all that is wrong, in the order of the file."""

    def __init__(self, mistakes: tuple[Mistake, ...]) -> None:
        super().__init__("; ".join(f"line {mistake.position.line}: {mistake.text}" for mistake in mistakes))
        self.mistakes = mistakes


def read_scenario(source: bytes) -> Scenario:
    """The scenario of a file. Raises ScenarioError with everything that is wrong in it, at most MOST_MISTAKES."""
    try:
        tree = read_tree(source)
    except UnreadableError as error:
        raise ScenarioError(error.mistakes) from error
    mistakes = {*tree.mistakes, *disagreements(tree)}
    scenario: Scenario | None = None
    try:
        scenario = Scenario.model_validate(tree.root)
    except ValidationError as error:
        mistakes |= set(_explained(tree, error))
    if scenario is None or mistakes:
        raise ScenarioError(tuple(sorted(mistakes)[:MOST_MISTAKES]))
    return scenario


@cache
def scenario_schema() -> dict[str, Any]:
    """The JSON schema of scenario files, with which editors help and complain."""
    schema = Scenario.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _explained(tree: MarkedTree, error: ValidationError) -> Iterator[Mistake]:
    for detail in error.errors(include_url=False):
        path = detail["loc"]
        if detail["type"] == "extra_forbidden":
            name = str(path[-1])
            hint = did_you_mean(name, known_names(scenario_schema(), path[:-1]))
            yield Mistake(tree.key_position(path), f"{quoted(name)} is not known here{hint}")
        else:
            yield Mistake(tree.position(path), f"{_subject(detail)} {_plain(detail)}")


def _subject(detail: ErrorDetails) -> str:
    """Of what the sentence speaks: the name, or what is written in a list."""
    path: Path = detail["loc"]
    if not path:
        return "the file"
    if isinstance(path[-1], int) and isinstance(detail["input"], str):
        return quoted(detail["input"])
    names = [str(step) for step in path if isinstance(step, str)]
    if isinstance(path[-1], int):
        return f"item {path[-1] + 1} of {quoted(names[-1])}" if names else f"item {path[-1] + 1}"
    return quoted(names[-1])


_SENTENCES: Mapping[str, str] = {
    "missing": "is missing",
    "string_type": "must be a text",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "is too large a number",
    "int_from_float": "must be a whole number",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a number",
    "greater_than_equal": "must be at least {ge:g}",
    "less_than_equal": "must be at most {le:g}",
    "string_too_short": "must not be empty",
    "string_too_long": "must have at most {max_length} letters",
    "too_short": "must have at least {min_length} items, and has {actual_length}",
    "too_long": "must have at most {max_length} items",
    "enum": "must be one of: {expected}",
    "tuple_type": "must be a list",
    "model_type": "must be a group of names with values",
    "model_attributes_type": "must be a group of names with values",
    "string_pattern_mismatch": "must be small letters a-z, digits and hyphens, beginning with a letter",
}


def _plain(detail: ErrorDetails) -> str:
    context = detail.get("ctx", {})
    if detail["type"] == "value_error":
        return str(context["error"])
    return _SENTENCES.get(detail["type"], detail["msg"]).format(**context)
