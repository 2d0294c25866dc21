"""Local: the whole system on one machine, in one process, with an embedded bus, SQLite and a mail catcher."""

import asyncio
import contextlib
import os
import secrets
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Iterator
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
from shared.memory import settle
from shared.settings import Nats, Settings

log = logger(__name__)

THREADS_TAKE_TURNS = 0.001
"""Seconds after which a busy thread lets another run. Python's own 5 ms is what a write would wait for each time."""

PORTS = "ports"
"""The file that remembers at which ports of the pages, the catcher and replies an installation runs."""


@dataclass(frozen=True)
class Running:
    """The running system, for whoever prepares its data or walks through it."""

    settings: Settings
    apps: dict[str, FastAPI]
    address: str
    mail_address: str


async def run_local(
    folder: Path,
    *,
    host: str,
    port: int,
    mail_port: int,
    smtp_port: int,
    reply_port: int,
    ready: Callable[[Running], Awaitable[None]],
) -> None:
    """Run everything until Ctrl-C or SIGTERM; `ready` is called once, when pages are served.

    All data stands under `folder` and is found again at the next start.
    """
    sys.setswitchinterval(THREADS_TAKE_TURNS)
    for needed in (port, mail_port, smtp_port, reply_port):
        require_free(host, needed)
    bus = EmbeddedNats(folder / "nats", VOICES)
    await bus.start()
    try:
        await provision_bus(bus.settings, VOICES)
        (folder / PORTS).write_text(f"{port} {smtp_port} {reply_port}")
        settings = local_settings(folder, bus.settings, port=port, smtp_port=smtp_port, reply_port=reply_port)
        apps = {service.name: service.make_app(settings) for service in SERVICES}
        catcher = services.catcher.app.make_app(settings)
        running = Running(settings, apps, f"http://{host}:{port}", f"http://{host}:{mail_port}")
        await _serve(
            [(Doors(apps), host, port), (catcher, host, mail_port)],
            ready=lambda: ready(running),
        )
    finally:
        await bus.stop()


def installed_settings(folder: Path) -> Settings:
    """The settings under which `run_local` runs, or last ran, in this folder. Raises LookupError where it never did."""
    if not (folder / PORTS).exists():
        raise LookupError(f"nothing is installed in {folder}; `valmius run --folder {folder}` does it")
    port, smtp_port, *rest = (int(number) for number in (folder / PORTS).read_text().split())
    bus = embedded_bus(folder / "nats")
    return local_settings(folder, bus, port=port, smtp_port=smtp_port, reply_port=rest[0] if rest else 0)


def local_settings(folder: Path, bus: Nats, *, port: int, smtp_port: int, reply_port: int) -> Settings:
    """Settings for everything under one folder; `VALMIUS_*` may still say otherwise."""
    given = {name: value for name, value in os.environ.items() if name.startswith("VALMIUS_")}
    defaults = {
        "VALMIUS_DATABASE": f"sqlite+aiosqlite:///{folder.absolute()}/{{service}}.db",
        "VALMIUS_NATS__URL": bus.url,
        "VALMIUS_NATS__SEEDS": str(bus.seeds),
        "VALMIUS_SMTP__PORT": str(smtp_port),
        "VALMIUS_SMTP__RATE": "1000",
        "VALMIUS_INBOUND__PORT": str(reply_port),
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


class PortTakenError(Exception):
    """A port that we need is in use; the text says which, and what to do."""


async def _serve(sites: list[tuple[ASGIApp, str, int]], *, ready: Callable[[], Awaitable[None]]) -> None:
    """Serve all sites until one of them is told to stop, or a signal tells all."""
    servers = [_server(app, host, port) for app, host, port in sites]

    def stop() -> None:
        for server in servers:
            server.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    serving = asyncio.gather(*(server.serve() for server in servers))
    began = asyncio.gather(*(server.began.wait() for server in servers))
    waiting: list[asyncio.Future[Any]] = [serving, began]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    try:
        if began.done():
            await ready()
            settle()
        else:
            began.cancel()
    except BaseException:
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
