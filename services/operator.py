"""Operator: the commands for whoever runs the installation: people, the registry, migrations, the doctor."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

import typer
import uvloop
from fastapi import FastAPI
from rich.console import Console
from rich.progress import Progress

from services.composition import SERVICES, Service, service_named
from services.doctor import Finding, examine
from services.intake.access.model import PersonEntry
from services.intake.access.store import AccessStore
from services.intake.register_file.export_file import WRITERS
from services.intake.register_file.store import RegisterFileStore
from services.intake.registry.model import Wanted
from services.intake.retention.model import KEPT, Kept
from services.intake.retention.store import RetentionStore
from services.local import installed_settings
from services.notify.retention.model import Keeping
from services.notify.retention.store import RetentionStore as LetterRetention
from shared.audit_rows import AuditStore
from shared.clock import SystemClock
from shared.house import House
from shared.i18n import Locale
from shared.identity import Role
from shared.list_report import ImportReport, UnfitFileError, UploadState
from shared.list_work import ListWork
from shared.migrate import migrate
from shared.region import find_municipality
from shared.settings import Settings, SettingsError
from shared.uploads import Kept as KeptFile

app = typer.Typer()
people_app = typer.Typer(no_args_is_help=True, help="The staff: who may sign in, and what they may do.")
registry_app = typer.Typer(no_args_is_help=True, help="The registry of associations.")
app.add_typer(people_app, name="people")
audit_app = typer.Typer(no_args_is_help=True, help="What the staff did.")
app.add_typer(registry_app, name="registry")
app.add_typer(audit_app, name="audit")

Json = Annotated[bool, typer.Option("--json", help="Say it as JSON.")]
Installation = Annotated[
    Path | None,
    typer.Option("--folder", help="The folder of `valmius run`; without it, VALMIUS_* say where everything is."),
]
LOOK_EVERY = 0.2
AUDITED = ("intake", "notify", "status")
Names = Annotated[list[str] | None, typer.Argument(help="Only these services; none named: all.")]


def until_done(work: Coroutine[Any, Any, Any]) -> Any:
    """Do it, and return what comes of it."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)


def say(facts: dict[str, Any], *, as_json: bool) -> None:
    """Print the facts, one to a line or as JSON."""
    if as_json:
        typer.echo(json.dumps(facts, default=str))
        return
    for name, value in facts.items():
        typer.echo(f"{name}: {', '.join(map(str, value)) if isinstance(value, tuple | list) else value}")


@people_app.command("add")
def add_person(
    email: str,
    name: str,
    role: Annotated[list[Role], typer.Option(help="What the person may do; repeat it for several roles.")],
    municipality: Annotated[list[str] | None, typer.Option(help="Limits what may be seen; repeat it.")] = None,
    network: Annotated[list[str] | None, typer.Option(help="Limits it to a network, by its code; repeat it.")] = None,
    language: Annotated[Locale, typer.Option(help="Of the letters that the person gets.")] = Locale.FI,
    retired: Annotated[bool, typer.Option("--retired", help="Works here no more: every session ends.")] = False,
    folder: Installation = None,
    as_json: Json = False,
) -> None:
    """Add a person of the staff, or change the one with this address."""
    if "@" not in email:
        raise typer.BadParameter(f"{email} is not an email address")
    entry = PersonEntry(
        name=name,
        email=email,
        roles=frozenset(role),
        municipalities=frozenset(_municipality(text) for text in municipality or ()),
        networks=frozenset(network or ()),
        language=language.value,
        retired=retired,
    )
    person_id = until_done(_add_person(settings_of(folder), entry))
    say({"person": person_id, "roles": sorted(entry.roles)}, as_json=as_json)


@people_app.command("link")
def sign_in_link(
    email: str,
    hours: Annotated[float, typer.Option(min=0.1, max=72, help="How long the link can be used, once.")] = 1,
    folder: Installation = None,
    as_json: Json = False,
) -> None:
    """Print a link that signs this person in, once, in any browser. It is written to the audit."""
    try:
        link = until_done(_link(settings_of(folder), email, timedelta(hours=hours)))
    except LookupError as error:
        raise typer.BadParameter(f"{error}; `valmius people add` adds somebody") from error
    say({"link": link}, as_json=as_json)


@registry_app.command("import")
def import_registry(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="XLSX, or CSV in any encoding; with a heading.")
    ],
    sheet: Annotated[str, typer.Option(help="The sheet of an XLSX file; without it, the first.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what it would do.")] = False,
    anyway: Annotated[bool, typer.Option("--anyway", help="Import the good rows although others are bad.")] = False,
    folder: Installation = None,
    as_json: Json = False,
) -> None:
    """Import associations and their contacts. Importing the same file again changes nothing.

    What is killed half way is finished by the running service, or by importing the file again.
    """
    try:
        kept, imported = until_done(_import(settings_of(folder), file, sheet, dry_run=dry_run, anyway=anyway))
    except UnfitFileError as error:
        raise typer.BadParameter(str(error)) from error
    say_report(kept.report, imported=imported, dry_run=dry_run, as_json=as_json)
    if kept.report.bad and not anyway:
        raise typer.Exit(1)


@registry_app.command("export")
def export_registry(
    file: Annotated[Path, typer.Argument(dir_okay=False, help="The file to write: its name ends in .csv or .xlsx.")],
    municipality: Annotated[str, typer.Option(help="Only the associations of this municipality.")] = "",
    folder: Installation = None,
    as_json: Json = False,
) -> None:
    """Write the registry with its contacts, as the import reads it. It is written to the audit."""
    form = file.suffix.removeprefix(".").lower()
    if form not in WRITERS:
        raise typer.BadParameter(f"{file.name} ends neither in .csv nor in .xlsx")
    wanted = Wanted(municipality=_municipality(municipality) if municipality else "")
    rows = until_done(_export(settings_of(folder), wanted, file, form))
    say({"file": str(file), "rows": rows}, as_json=as_json)


@audit_app.command("verify")
def verify_audit(folder: Installation = None, as_json: Json = False) -> None:
    """Read the whole audits, and say whether every row is there as it was written. Exit code 1: one is not."""
    found = until_done(_verify(settings_of(folder)))
    if as_json:
        say({name: {"rows": rows, "broken": broken} for name, (rows, broken) in found.items()}, as_json=True)
    for name, (rows, broken) in found.items() if not as_json else ():
        whole = f"rows 1-{rows} are whole" if rows else "nothing was written down yet"
        typer.echo(f"{name}: {whole if broken is None else f'row {broken} is missing or changed'}")
    if any(broken is not None for _, broken in found.values()):
        raise typer.Exit(1)


@app.command()
def retention(folder: Installation = None, as_json: Json = False) -> None:
    """Say which texts are kept of situations that were closed, which of letters, and which addresses wait to be
    confirmed; until when, and how many were removed. Exit code 1: some should be removed by now and are not."""
    settings = settings_of(folder)
    now, kept, keeping = SystemClock().now(), until_done(_retention(settings)), until_done(_keeping(settings))
    due = sum(one.due(now) for one in kept) + sum(one.due for one in keeping.values())
    told = [{**asdict(one), "due_at": one.due_at, "due": one.due(now)} for one in kept]
    mail = {name: asdict(one) for name, one in keeping.items()}
    say({"kept_days": KEPT.days, "due": due, "situations": told, **mail}, as_json=as_json)
    if due:
        raise typer.Exit(1)


@app.command("migrate")
def migrate_databases(services: Names = None, folder: Installation = None, as_json: Json = False) -> None:
    """Bring the tables to their newest form, as each service also does when it starts."""
    applied = until_done(_migrate(settings_of(folder), _services(services)))
    say(
        applied if as_json else {name: ", ".join(done) or "up to date" for name, done in applied.items()},
        as_json=as_json,
    )


@app.command()
def doctor(services: Names = None, folder: Installation = None, as_json: Json = False) -> None:
    """Look at settings, databases, bus, consumers and mail relay: what is wrong, and what to do. Exit code 1: ill."""
    try:
        settings = settings_of(folder)
    except SettingsError as error:
        findings = [Finding("settings", str(error), "Set or mend it; docs/operations.md tells what each one means.")]
    else:
        findings = until_done(examine(settings, _services(services)))
    if as_json:
        typer.echo(json.dumps([finding.told() for finding in findings]))
    else:
        for finding in findings:
            typer.echo(finding.line())
    if any(finding.problem for finding in findings):
        raise typer.Exit(1)


def settings_of(folder: Path | None) -> Settings:
    """The settings of the installation in this folder, or those of VALMIUS_*."""
    if folder is None:
        return Settings.read()
    try:
        return installed_settings(folder)
    except LookupError as error:
        raise typer.BadParameter(str(error)) from error


def _services(names: list[str] | None) -> list[Service]:
    unknown = set(names or ()) - {service.name for service in SERVICES}
    if unknown:
        raise typer.BadParameter(f"there is no service {', '.join(sorted(unknown))}")
    return [service for service in SERVICES if not names or service.name in names]


def _municipality(text: str) -> str:
    found = find_municipality(text)
    if found is None:
        raise typer.BadParameter(f"{text} is not a municipality of the region")
    return found.code


@asynccontextmanager
async def opened(settings: Settings, service: Service) -> AsyncIterator[FastAPI]:
    """The service's stores on its migrated database. What they say is published by the running service."""
    application = service.make_app(settings)
    house: House = application.state.house
    try:
        await migrate(house.database, house.migrations)
        yield application
    finally:
        await house.database.close()


async def _add_person(settings: Settings, entry: PersonEntry) -> str:
    async with opened(settings, service_named("intake")) as intake:
        access: AccessStore = intake.state.access
        return str(await access.add_person(entry))


async def _link(settings: Settings, email: str, valid_for: timedelta) -> str:
    async with opened(settings, service_named("intake")) as intake:
        access: AccessStore = intake.state.access
        return await access.operator_link(email, valid_for)


async def _import(settings: Settings, file: Path, sheet: str, *, dry_run: bool, anyway: bool) -> tuple[KeptFile, bool]:
    """The file after its reading, and whether it was imported."""
    async with opened(settings, service_named("intake")) as intake:
        files: RegisterFileStore = intake.state.register_files
        return await taken_in(files, file, sheet, dry_run=dry_run, anyway=anyway)


async def taken_in(
    files: ListWork[Any],
    file: Path,
    sheet: str,
    *,
    dry_run: bool,
    anyway: bool,
    about: Mapping[str, str] = MappingProxyType({}),
) -> tuple[KeptFile, bool]:
    """A list of any kind after its reading, and whether it was imported. Raises UnfitFileError."""
    with file.open("rb") as source:
        name = await files.receive(source, file_name=file.name, sheet=sheet, person_id=None, about=about)
    kept = await _read(files, name, "looked over")
    if kept.state is UploadState.COLUMNS:
        missing = ", ".join(files.vocabulary.missing_of(kept.columns))
        raise UnfitFileError(f"the first row does not name these columns: {missing}")
    if dry_run or (kept.report.bad and not anyway):
        return kept, False
    await files.uploads.start(name, person_id=None)
    return await _read(files, name, "imported"), True


async def _read(files: ListWork[Any], name: str, doing: str) -> KeptFile:
    """Have the file read to its end, by ourselves or by the running service, and show how far it is."""
    with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task(doing, total=None)
        while True:
            work = asyncio.create_task(files.work())
            while not (await asyncio.wait([work], timeout=LOOK_EVERY))[0]:
                if kept := await files.uploads.get(name, person_id=None):
                    progress.update(task, completed=kept.done, total=kept.total or None)
            if not await work:
                await asyncio.sleep(LOOK_EVERY)  # the running service reads it
            kept = await files.uploads.get(name, person_id=None)
            if kept is None or kept.refusal:
                raise UnfitFileError(kept.refusal if kept else "the file is not kept any more")
            if not kept.at_work:
                return kept


async def _export(settings: Settings, wanted: Wanted, file: Path, form: str) -> int:
    """How many associations were written."""
    async with opened(settings, service_named("intake")) as intake:
        files: RegisterFileStore = intake.state.register_files
        found = await files.export(wanted, by=None, form=form)
        with file.open("wb") as target:
            async for piece in WRITERS[form](found()):
                target.write(piece)
        return found.count


async def _verify(settings: Settings) -> dict[str, tuple[int, int | None]]:
    """Of each service that keeps an audit, how many rows there are, and the first that is not whole."""
    found = {}
    for name in AUDITED:
        async with opened(settings, service_named(name)) as service:
            audit: AuditStore = service.state.audit
            newest = await audit.page(size=1)
            found[name] = newest[0].number if newest else 0, await audit.first_break()
    return found


async def _retention(settings: Settings) -> Sequence[Kept]:
    async with opened(settings, service_named("intake")) as intake:
        store: RetentionStore = intake.state.retention
        return await store.report()


async def _keeping(settings: Settings) -> Mapping[str, Keeping]:
    async with opened(settings, service_named("notify")) as notify:
        store: LetterRetention = notify.state.retention
        return await store.report()


async def _migrate(settings: Settings, services: list[Service]) -> dict[str, list[str]]:
    applied = {}
    for service in services:
        house: House = service.make_app(settings).state.house
        try:
            applied[service.name] = await migrate(house.database, house.migrations)
        finally:
            await house.database.close()
    return applied


def say_report(report: ImportReport, *, imported: bool, dry_run: bool, as_json: bool) -> None:
    """Print what was found in a list, and what was done with it."""
    errors = [(error.row, error.column, error.message % error.values) for error in report.errors]
    if as_json:
        told = [{"row": row, "column": column, "message": message} for row, column, message in errors]
        say({"imported": imported, **report.model_dump(exclude={"errors"}), "errors": told}, as_json=True)
        return
    for row, column, message in errors:
        typer.echo(f"row {row}, {column}: {message}" if column else f"row {row}: {message}", err=True)
    for change in report.examples:
        typer.echo(f"row {change.row}, {change.name}, {change.column}: {change.before or '-'} -> {change.after or '-'}")
    if report.problems > len(errors):
        typer.echo(f"... and {report.problems - len(errors)} more problems", err=True)
    counts = f"{report.new} new, {report.changed} changed, {report.same} as before, {report.bad} bad"
    counts += f", {report.barred} left or erased" if report.barred else ""
    typer.echo(f"{report.rows} rows: {counts}")
    if not imported:
        mend = " Mend the file, or import the good rows with --anyway." if report.bad and not dry_run else ""
        typer.echo(f"Nothing was imported.{mend}")
