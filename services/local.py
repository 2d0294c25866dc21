"""Local: the whole system on one machine, in one process, with an embedded bus, SQLite and a mail catcher."""

import asyncio
import contextlib
import os
import random
import secrets
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp

import services.catcher.app
from services.composition import SERVICES, VOICES, Doors
from services.embedded import EmbeddedNats, embedded_bus, provision_bus
from shared.log import logger
from shared.process import settle, take_turns
from shared.settings import Nats, Settings

log = logger(__name__)

PORTS = "ports"
"""The file that remembers at which ports of the pages and of mail an installation runs."""


@dataclass(frozen=True)
class Running:
    """The running system, for whoever prepares its data or walks through it. `stopping` is set when it is told to stop;
    whoever is still preparing then may finish, and may set it to have it stop."""

    settings: Settings
    apps: dict[str, FastAPI]
    address: str
    mail_address: str
    stopping: asyncio.Event


async def run_local(
    folder: Path,
    *,
    host: str,
    port: int,
    mail_port: int,
    smtp_port: int,
    reply_port: int,
    bounce_port: int,
    ready: Callable[[Running], Awaitable[None]],
    environment: Mapping[str, str] = os.environ,
) -> None:
    """Run everything until Ctrl-C or SIGTERM; `ready` is called once, when pages are served.

    All data stands under `folder` and is found again at the next start. What `environment` says in `VALMIUS_*` holds.
    """
    take_turns()
    for needed in (port, mail_port, smtp_port, reply_port, bounce_port):
        require_free(host, needed)
    bus = EmbeddedNats(folder / "nats", VOICES)
    await bus.start()
    try:
        await provision_bus(bus.settings, VOICES)
        (folder / PORTS).write_text(f"{port} {smtp_port} {reply_port} {bounce_port}")
        settings = local_settings(
            folder,
            bus.settings,
            port=port,
            smtp_port=smtp_port,
            reply_port=reply_port,
            bounce_port=bounce_port,
            environment=environment,
        )
        apps = {service.name: service.make_app(settings) for service in SERVICES}
        catcher = services.catcher.app.make_app(settings)
        stopping = asyncio.Event()
        running = Running(settings, apps, f"http://{host}:{port}", f"http://{host}:{mail_port}", stopping)
        await _serve(
            [(Doors(apps), host, port), (catcher, host, mail_port)],
            ready=lambda: ready(running),
            stopping=stopping,
        )
    finally:
        await bus.stop()


def installed_settings(folder: Path) -> Settings:
    """The settings under which `run_local` runs, or last ran, in this folder. Raises LookupError where it never did."""
    if not (folder / PORTS).exists():
        raise LookupError(f"nothing is installed in {folder}; `valmius run --folder {folder}` does it")
    ports = [*(int(number) for number in (folder / PORTS).read_text().split()), 0, 0]
    bus = embedded_bus(folder / "nats")
    return local_settings(folder, bus, port=ports[0], smtp_port=ports[1], reply_port=ports[2], bounce_port=ports[3])


def local_settings(
    folder: Path,
    bus: Nats,
    *,
    port: int,
    smtp_port: int,
    reply_port: int,
    bounce_port: int,
    environment: Mapping[str, str] = os.environ,
) -> Settings:
    """Settings for everything under one folder; `VALMIUS_*` may still say otherwise."""
    given = {name: value for name, value in environment.items() if name.startswith("VALMIUS_")}
    defaults = {
        "VALMIUS_DATABASE": f"sqlite+aiosqlite:///{folder.absolute()}/{{service}}.db",
        "VALMIUS_NATS__URL": bus.url,
        "VALMIUS_NATS__SEEDS": str(bus.seeds),
        "VALMIUS_SMTP__PORT": str(smtp_port),
        "VALMIUS_SMTP__RATE": "1000",
        "VALMIUS_INBOUND__PORT": str(reply_port),
        "VALMIUS_BOUNCES__PORT": str(bounce_port),
        "VALMIUS_SECRET": installation_secret(folder),
        "VALMIUS_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "VALMIUS_VAR": str(folder.absolute()),
        "VALMIUS_LOG": "text",
    }
    return Settings.read({**defaults, **given})


def installation_secret(folder: Path) -> str:
    """The secret of this installation, made at its first start and kept for its owner only."""
    path = folder / "secret"
    folder.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48))
    return path.read_text().strip()


OWN_PORTS = range(10_000, 32_000)
"""Below those from which a system takes the near ends of its connections."""


class PortTakenError(Exception):
    """A port that we need is in use; the text says which, and what to do."""


async def _serve(
    sites: list[tuple[ASGIApp, str, int]], *, ready: Callable[[], Awaitable[None]], stopping: asyncio.Event
) -> None:
    """Serve all sites until a signal tells them to stop, or `ready` returns with `stopping` set. A signal that comes
    before it returns waits for it; a second one does not."""
    servers = [_server(app, host, port) for app, host, port in sites]
    prepared = False

    def stop() -> None:
        if prepared or stopping.is_set():
            for server in servers:
                server.should_exit = True
        stopping.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    serving = asyncio.gather(*(server.serve() for server in servers))
    began = asyncio.gather(*(server.began.wait() for server in servers))
    waiting: list[asyncio.Future[Any]] = [serving, began]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    try:
        if began.done():
            if not stopping.is_set():
                await ready()
            prepared = True
            settle()
            if stopping.is_set():
                stop()
        else:
            began.cancel()
    except BaseException:
        prepared = True
        stop()
        raise
    finally:
        await serving


class _QuietServer(uvicorn.Server):
    """uvicorn without signal handlers of its own: several of them run side by side, and we tell them all."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.began = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        await super().startup(sockets)
        self.began.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone."""
        yield


def require_free(host: str, port: int) -> None:
    """Raise PortTakenError when somebody listens at the port already."""
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except OSError as error:
            raise PortTakenError(f"port {port} of {host} is taken ({error.strerror}); choose another") from error


def free_port(host: str) -> int:
    """A port at which nobody listens just now, and which no connection is given of its own accord: it is still free
    when somebody listens there a moment later. Raises OSError if there is none."""
    for port in random.sample(OWN_PORTS, 1000):
        with contextlib.suppress(OSError), socket.socket() as trial:
            trial.bind((host, port))
            return port
    raise OSError("no port is free")


def _server(app: ASGIApp, host: str, port: int) -> _QuietServer:
    return _QuietServer(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=60,
            timeout_graceful_shutdown=3,
        )
    )
