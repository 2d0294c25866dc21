"""Subscribing: the operator's commands for the subscribers: lists in and out, one person's data, and its erasure."""

import json
import sys
from collections.abc import Coroutine
from contextlib import redirect_stdout
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from services.composition import service_named
from services.notify.erasure.model import SETTLED_AFTER, Erased, Held
from services.notify.erasure.store import Erasure
from services.notify.subscriber_file.export_file import csv_of
from services.notify.subscriber_file.model import BASIS_AT_LEAST, BASIS_AT_MOST, LISTED_AUDIENCES
from services.notify.subscriber_file.store import SubscriberFileStore
from services.notify.subscribers.model import Audience, read_email
from services.operator import Installation, Json, opened, say, say_report, settings_of, taken_in, until_done
from shared.list_report import UnfitFileError
from shared.settings import Settings
from shared.uploads import Kept

subscribers_app = typer.Typer(no_args_is_help=True, help="Whoever gets guidance by email.")


@subscribers_app.command("import")
def import_subscribers(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="XLSX, or CSV in any encoding; with a heading.")
    ],
    audience: Annotated[Audience, typer.Option(help="The group of the rows that name none: members, professionals.")],
    basis: Annotated[str, typer.Option(help="Why we may write to these people. It is kept with each of them.")],
    sheet: Annotated[str, typer.Option(help="The sheet of an XLSX file; without it, the first.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what it would do.")] = False,
    anyway: Annotated[bool, typer.Option("--anyway", help="Import the good rows although others are bad.")] = False,
    folder: Installation = None,
    as_json: Json = False,
) -> None:
    """Import members or professionals. Importing the same file again changes nothing.

    A list changes nobody's own choices, and brings nobody back who left or was erased. What is killed half way is
    finished by the running service, or by importing the file again.
    """
    if audience not in LISTED_AUDIENCES:
        raise typer.BadParameter("residents subscribe by themselves: nobody can consent for them")
    stated = " ".join(basis.split())
    if not BASIS_AT_LEAST <= len(stated) <= BASIS_AT_MOST:
        raise typer.BadParameter(f"say in {BASIS_AT_LEAST} to {BASIS_AT_MOST} characters why we may write to them")
    about = {"audience": audience.value, "basis": stated}
    try:
        kept, imported = _done(_import(settings_of(folder), file, sheet, dry_run=dry_run, anyway=anyway, about=about))
    except UnfitFileError as error:
        raise typer.BadParameter(str(error)) from error
    say_report(kept.report, imported=imported, dry_run=dry_run, as_json=as_json)
    if kept.report.bad and not anyway:
        raise typer.Exit(1)


@subscribers_app.command("export")
def export_subscribers(
    file: Annotated[
        Path, typer.Argument(dir_okay=False, help="The CSV file to write; a new one is for its owner only.")
    ],
    folder: Installation = None,
    as_json: Json = False,
) -> None:
    """Write all subscribers with the records of their consent. It is written to the audit."""
    file.touch(mode=0o600)
    say({"file": str(file), "rows": _done(_export(settings_of(folder), file))}, as_json=as_json)


@subscribers_app.command("show")
def show_person(address: str, folder: Installation = None) -> None:
    """Print as JSON all that is held of the person with this address, to be given to her. Exit code 1: nothing is."""
    held: Held = _done(_held(settings_of(folder), _email(address)))
    typer.echo(json.dumps(held.told(), ensure_ascii=False, indent=2, default=str))
    if not held.known:
        raise typer.Exit(1)


@subscribers_app.command("erase")
def erase_person(
    address: str,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether that is meant.")] = False,
    folder: Installation = None,
    as_json: Json = False,
) -> None:
    """Erase the person with this address. A keyed hash stays, so that no list brings her back.

    If she is the contact of an association, remove her from the registry first.
    """
    email = _email(address)
    if not yes:
        typer.confirm("Everything that is held of this person is removed for good. Go on?", abort=True)
    erased, left = _done(_erase(settings_of(folder), email))
    say({**asdict(erased), "scrubbed": not left}, as_json=as_json)


def _done(work: Coroutine[Any, Any, Any]) -> Any:
    """Do it, and return what comes of it; what is logged meanwhile goes to standard error, beside the answer."""
    with redirect_stdout(sys.stderr):
        return until_done(work)


def _email(address: str) -> str:
    email = read_email(address)
    if email is None:
        raise typer.BadParameter("this is not an email address")
    return email


async def _import(
    settings: Settings, file: Path, sheet: str, *, dry_run: bool, anyway: bool, about: dict[str, str]
) -> tuple[Kept, bool]:
    async with opened(settings, service_named("notify")) as notify:
        files: SubscriberFileStore = notify.state.subscriber_files
        return await taken_in(files, file, sheet, dry_run=dry_run, anyway=anyway, about=about)


async def _export(settings: Settings, file: Path) -> int:
    """How many were written."""
    rows = 0
    async with opened(settings, service_named("notify")) as notify:
        files: SubscriberFileStore = notify.state.subscriber_files
        with file.open("wb") as target:
            async for piece in csv_of(files.export(by=None)):
                target.write(piece)
                rows += piece.count(b"\r\n")
    return rows - 1


async def _held(settings: Settings, address: str) -> Held:
    async with opened(settings, service_named("notify")) as notify:
        erasure: Erasure = notify.state.erasure
        return await erasure.held(address)


async def _erase(settings: Settings, address: str) -> tuple[Erased, int]:
    """What was removed, and how many were erased of whom the files of the database may still hold something."""
    async with opened(settings, service_named("notify")) as notify:
        erasure: Erasure = notify.state.erasure
        erased = await erasure.erase(address, by=None)
        await erasure.scrub(ahead=SETTLED_AFTER)
        return erased, await erasure.unscrubbed()
