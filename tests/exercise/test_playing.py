"""`valmius exercise run`: what it refuses before anything is started."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from services.exercise.scenario.scenario_yaml import read_scenario
from services.playthrough import Wish, participants
from services.rehearsal import app
from tests.tiny_scenario import write_tiny_scenario


def run(file: Path, *options: str) -> Result:
    return CliRunner().invoke(app, ["run", str(file), *options])


def test_a_scenario_that_is_wrong_is_told_with_line_and_column(tmp_path: Path) -> None:
    file = write_tiny_scenario(tmp_path / "tiny.yaml", length="a while", kind="flood")

    told = run(file, "--report", str(tmp_path / "out.html"))

    assert told.exit_code == 2
    lines = [line for line in told.stderr.splitlines() if re.match(rf"{re.escape(str(file))}:\d+:\d+: ", line)]
    assert len(lines) == 2
    assert "hours and minutes" in told.stderr
    assert not (tmp_path / "out.html").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--report", "{folder}/nowhere/out.html"), "there is no folder"),
        (("--report", "{folder}/out.html", "--speed", "601"), "600"),
        (("--report", "{folder}/out.html", "--keep", "{folder}"), "is not empty"),
        ((), "--report"),
    ],
)
def test_an_option_that_is_wrong_starts_nothing(tmp_path: Path, options: tuple[str, ...], said: str) -> None:
    file = write_tiny_scenario(tmp_path / "tiny.yaml")

    told = run(file, *(option.format(folder=tmp_path) for option in options))

    assert told.exit_code == 2
    assert said in re.sub(r"\s*│?\n│?\s*", " ", told.stderr)


def test_those_who_take_part_are_of_the_area_and_of_no_real_domain(tmp_path: Path) -> None:
    scenario = read_scenario(write_tiny_scenario(tmp_path / "tiny.yaml", municipalities=["Ypäjä"]).read_bytes())

    found = participants(Wish(scenario, 600, 1, 3))

    assert len(found) == 3
    assert all(address.endswith("@example.org") and address.startswith("ypaja-") for address in found)
