"""Playing: the command that plays a whole exercise without a browser, and what it says meanwhile."""

import asyncio
import logging
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn
from rich.progress import Progress as Bar

from services.exercise.evaluation.model import AfterActionReport
from services.exercise.scenario.marked_tree import LARGEST
from services.exercise.scenario.model import Scenario, written_offset
from services.exercise.scenario.scenario_yaml import ScenarioError, read_scenario
from services.operator import until_done
from services.playthrough import BrokenOffError, NotPlayedError, Progress, Tell, Wish, play_alone
from shared.i18n import Locale
from shared.log import configure

INTERRUPTED = 130
"""The exit code of a command that was ended by Ctrl-C."""


def run_scenario(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The scenario, a YAML file.")],
    report: Annotated[Path, typer.Option(dir_okay=False, help="Where the after-action report goes, one HTML file.")],
    speed: Annotated[int, typer.Option(min=1, max=600, help="How many times faster than time.")] = 600,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Other answers than those of the scenario's own seed.")
    ] = None,
    participants: Annotated[int, typer.Option(min=0, max=100, help="How many take part by letter.")] = 5,
    language: Annotated[Locale, typer.Option(help="The language of the report.")] = Locale.FI,
    keep: Annotated[Path | None, typer.Option(file_okay=False, help="Keep the system's data in this folder.")] = None,
) -> None:
    """Play a whole exercise in a system of its own, with invented associations, and write its after-action report.

    Nothing outside is touched, and no letter leaves the machine. Exit code 2: the scenario or an option is wrong, with
    line and column; 1: it could not be played to its end; 130: it was broken off by Ctrl-C.
    """
    if not report.parent.is_dir():
        raise typer.BadParameter(f"there is no folder {report.parent}", param_hint="--report")
    scenario = _scenario_of(file)
    wish = Wish(scenario, speed, scenario.behaviour.seed if seed is None else seed, participants)
    try:
        with _folder(keep) as folder, _told(scenario) as tell:
            _log_into(folder / "valmius.log")
            told, page = until_done(play_alone(folder, wish, tell=tell, locale=language))
        report.write_text(page, encoding="utf-8")
    except BrokenOffError as error:
        typer.echo("broken off; no report was written", err=True)
        raise typer.Exit(INTERRUPTED) from error
    except (NotPlayedError, TimeoutError, asyncio.CancelledError, OSError, RuntimeError) as error:
        typer.echo(f"the exercise was not played to its end: {str(error) or type(error).__name__}", err=True)
        raise typer.Exit(1) from error
    for line in summary(told):
        typer.echo(line)
    typer.echo(f"report: {report}")


def summary(report: AfterActionReport) -> Iterator[str]:
    """What an exercise showed, in a few lines; times are those of its own clock."""
    whole = report.whole
    yield f"asked: {whole.asked}"
    yield f"answered: {whole.answered} ({whole.share(whole.answered):.0%})"
    yield f"not reached: {whole.not_reached}"
    yield f"silent: {whole.silent + whole.declined}"
    yield f"first answer after: {_span(whole.first)}"
    yield f"half of the answers after (median): {_span(whole.half)}"
    yield f"nine in ten of the answers after: {_span(whole.ninety)}"


def _span(span: timedelta | None) -> str:
    return "-" if span is None else written_offset(span)


def _scenario_of(file: Path) -> Scenario:
    """The scenario, or exit code 2 with everything that is wrong in it."""
    try:
        with file.open("rb") as source:
            return read_scenario(source.read(LARGEST + 1))
    except ScenarioError as error:
        for mistake in error.mistakes:
            typer.echo(f"{file}:{mistake.position.line}:{mistake.position.column}: {mistake.text}", err=True)
        raise typer.Exit(2) from error


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    """Where the system's data stands: in `keep`, or nowhere afterwards."""
    if keep is not None:
        if keep.is_dir() and any(keep.iterdir()):
            raise typer.BadParameter(f"{keep} is not empty: an exercise is played in a system of its own")
        keep.mkdir(parents=True, exist_ok=True)
        yield keep
        return
    with tempfile.TemporaryDirectory(prefix="valmius-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def _log_into(file: Path) -> None:
    """Have all logs in a file: here only the exercise is told."""
    configure("text")
    for handler in logging.root.handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.setStream(file.open("a", encoding="utf-8"))


@contextmanager
def _told(scenario: Scenario) -> Iterator[Tell]:
    """How the exercise is told while it runs: as a bar to people, as a line for each inject to anything else."""
    if not sys.stdout.isatty():
        yield _lines(scenario)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[now]}"))
    with Bar(*columns, console=Console()) as bar:
        task = bar.add_task("starting", total=scenario.length.total_seconds(), now="")

        def tell(progress: Progress) -> None:
            now = f"inject {progress.put_in} of {len(scenario.injects)}, {_answers(progress)}"
            done = progress.offset.total_seconds()
            bar.update(task, completed=done, description=written_offset(progress.offset), now=now)

        yield tell


def _lines(scenario: Scenario) -> Callable[[Progress], None]:
    told = 0

    def tell(progress: Progress) -> None:
        nonlocal told
        if progress.put_in > told and progress.last is not None:
            told = progress.put_in
            text = progress.last.scripted.text.en
            typer.echo(
                f"{written_offset(progress.offset)} of {written_offset(scenario.length)}: {_answers(progress)}; {text}"
            )

    return tell


def _answers(progress: Progress) -> str:
    return f"{progress.answered} of {progress.asked} answered"
