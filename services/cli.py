"""The command `valmius`: everything an operator does without a browser."""

import socket
import sys
from pathlib import Path
from typing import Annotated

import httpx
import typer
import uvicorn
from fastapi import FastAPI
from rich.progress import Progress, TextColumn

from services.catcher.app import make_app as make_catcher
from services.checking import check_app
from services.composition import SERVICES, VOICES, service_named
from services.demo.loader import SEED, prepare
from services.demo.player import NothingAskedError, play
from services.demo.registry import demo_associations, write_csv
from services.embedded import FolderInUseError, provision_bus
from services.geo import app as geo_app
from services.local import PortTakenError, Running, run_local
from services.operator import Json, say, until_done
from services.operator import app as operator_app
from services.publishing import broadcast_app, mirror_app
from services.rehearsal import app as rehearsal_app
from services.subscribing import subscribers_app
from services.suggesting import app as cap_app
from shared.clock import SystemClock
from shared.keys import PROVISIONER, public_keys
from shared.log import configure
from shared.process import settle, take_turns
from shared.settings import Settings, SettingsError
from shared.streams import server_config
from shared.watchdog import watched_loop

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
demo_app = typer.Typer(no_args_is_help=True, help="The demo region: an invented registry with the real totals.")
app.add_typer(operator_app)
app.add_typer(demo_app, name="demo")
app.add_typer(geo_app, name="geo")
app.add_typer(broadcast_app, name="broadcast")
app.add_typer(mirror_app, name="mirror")
app.add_typer(cap_app, name="cap")
app.add_typer(check_app, name="check")
app.add_typer(subscribers_app, name="subscribers")
app.add_typer(rehearsal_app, name="exercise")

FOLDER = typer.Option(help="Where all data stands.")


def main() -> None:
    """Run the command; a setting that is wrong, a port or a folder that is taken is said in one line, exit code 2."""
    try:
        app()
    except (SettingsError, PortTakenError, FolderInUseError) as error:
        typer.echo(f"valmius: {error}", err=True)
        sys.exit(2)


@app.command()
def run(
    folder: Annotated[Path, FOLDER] = Path("var"),
    host: str = "127.0.0.1",
    port: int = 8000,
    mail_port: int = 8025,
    smtp_port: int = 1025,
    reply_port: int = 1026,
    bounce_port: int = 1027,
    demo: Annotated[bool, typer.Option(help="Load the demo region at the first start.")] = True,
) -> None:
    """Start the whole system on this machine, with embedded parts; Ctrl-C stops it, the next start resumes."""
    configure("text")

    async def ready(running: Running) -> None:
        for line in await prepare(running, load=demo):
            typer.echo(line)

    until_done(
        run_local(
            folder,
            host=host,
            port=port,
            mail_port=mail_port,
            smtp_port=smtp_port,
            reply_port=reply_port,
            bounce_port=bounce_port,
            ready=ready,
        )
    )


@app.command()
def serve(
    name: Annotated[str, typer.Argument(help=f"One of: {', '.join(service.name for service in SERVICES)}")],
    host: str = "127.0.0.1",
    port: int = 8000,
) -> None:
    """Start one service; settings come from VALMIUS_*."""
    if name not in {service.name for service in SERVICES}:
        raise typer.BadParameter(f"there is no service {name}")
    settings = Settings.read()
    configure(settings.log)
    _serve_one(service_named(name).make_app(settings), host, port)


@app.command()
def catcher(host: str = "127.0.0.1", port: int = 8025) -> None:
    """Start the mail catcher: SMTP at VALMIUS_SMTP__PORT, its pages at the given port."""
    settings = Settings.read()
    configure(settings.log)
    _serve_one(make_catcher(settings, host=host), host, port)


@app.command()
def provision(as_json: Json = False) -> None:
    """Declare all streams and consumers on the bus; doing it again changes nothing."""
    done = until_done(provision_bus(Settings.read().nats, VOICES))
    say({"made": done.made, "updated": done.updated, "kept": done.kept}, as_json=as_json)


@app.command("bus-config")
def bus_config(
    folder: Annotated[Path, FOLDER] = Path("var"),
    store: str = "/store",
    listen: str = "127.0.0.1:4222",
    as_json: Json = False,
) -> None:
    """Write nats.conf with one identity per service, and make the seeds that are missing (folder/keys)."""
    keys = public_keys(folder / "keys", [*(voice.service for voice in VOICES), PROVISIONER])
    path = folder / "nats.conf"
    path.write_text(server_config(VOICES, keys, listen=listen, store=store))
    say({"config": str(path), "keys": str(folder / "keys")}, as_json=as_json)


@demo_app.command("registry")
def demo_registry(path: Annotated[Path, typer.Argument(help="The CSV file to write.")], seed: int = SEED) -> None:
    """Write the demo registry as a CSV file that any registry can be imported from."""
    associations = demo_associations(seed)
    write_csv(associations, path)
    typer.echo(f"{len(associations)} associations written to {path}")


@demo_app.command("storm")
def demo_storm(
    speed: Annotated[float, typer.Option(min=1, max=3600, help="How many times faster than time.")] = 60,
    url: str = "http://127.0.0.1:8000",
    mail_url: str = "http://127.0.0.1:8025",
    seed: int = 2020,
) -> None:
    """Play the storm evening in a running system: asked associations answer over time, many stay silent."""
    until_done(_play_with_progress(url, mail_url, speed=speed, seed=seed))


async def _play_with_progress(url: str, mail_url: str, *, speed: float, seed: int) -> None:
    try:
        with Progress(*Progress.get_default_columns(), TextColumn("{task.fields[evening]}")) as progress:
            task = progress.add_task("answers", total=None, evening="")
            evening = play(url, mail_url, speed=speed, seed=seed, registry_seed=SEED, clock=SystemClock())
            async for played in evening:
                done = played.sent + played.refused
                progress.update(task, total=played.answers, completed=done, evening=f"+{played.now_at}"[:8])
    except NothingAskedError as error:
        raise typer.BadParameter(str(error)) from error
    except httpx.TransportError as error:
        raise typer.BadParameter(f"nothing answers at {url} or {mail_url}: start `valmius run` first") from error
    typer.echo(f"{played.asked} were asked; {played.sent} answers recorded, {played.refused} refused")


class _Server(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        settle()


def _serve_one(application: FastAPI, host: str, port: int) -> None:
    take_turns()
    config = uvicorn.Config(
        application,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=60,
        timeout_graceful_shutdown=3,
    )

    async def watched() -> None:
        async with watched_loop():
            await _Server(config).serve()

    until_done(watched())


if __name__ == "__main__":
    main()
