"""Real servers for tests: each starts in well under a second and is gone when the test is."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sysconfig
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

PROGRAMS = Path(sysconfig.get_path("scripts"))


def program(name: str) -> str:
    """The path of a program; the test is skipped by name where it is missing, and fails in CI."""
    found = shutil.which(name, path=f"{PROGRAMS}{os.pathsep}{os.environ.get('PATH', '')}")
    if found is None:
        if os.environ.get("CI"):
            pytest.fail(f"{name} is missing; CI must install it")
        pytest.skip(f"{name} is not on this machine")
    return found


class NatsServer:
    """A nats-server with JetStream on its own port and folder. `kill` is -9; `start` again keeps port and data."""

    def __init__(self, folder: Path, *, port: int = -1, config: str = "") -> None:
        self.folder = folder
        self.port = port
        self._config = config
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start and return when it takes connections."""
        self.folder.mkdir(parents=True, exist_ok=True)
        config = self.folder / "nats.conf"
        config.write_text(
            self._config
            or f'listen: "127.0.0.1:{self.port}"\nmax_payload: 64KB\n'
            f'jetstream {{ store_dir: "{self.folder}/store", sync_interval: always }}\n'
        )
        for ports in self.folder.glob("*.ports"):
            ports.unlink()
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [program("nats-server"), "-c", str(config), "--ports_file_dir", str(self.folder)],
                stdout=subprocess.DEVNULL,
                stderr=log,
            )
        self.port = self._read_port()

    def _read_port(self) -> int:
        file = self.folder / f"nats-server_{self._pid}.ports"
        for _ in range(500):
            if file.exists() and (text := file.read_text()):
                return int(json.loads(text)["nats"][0].rsplit(":", 1)[1])
            if self._process is not None and self._process.poll() is not None:
                break
            pause(0.01)
        raise RuntimeError(f"nats-server did not start: {(self.folder / 'log').read_text()[-500:]}")

    @property
    def _pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """Kill it as a power switch would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Let it end in order."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(how)
            self._process.wait(10)


def pause(seconds: float) -> None:
    """A moment for another process."""

    time.sleep(seconds)


async def eventually(true: Callable[[], Awaitable[bool]], *, within: float = 15.0) -> None:
    """Return as soon as it is true; fail when it is not within so many seconds."""
    deadline = asyncio.get_running_loop().time() + within
    while not await true():
        if asyncio.get_running_loop().time() > deadline:
            pytest.fail("it did not become true in time")
        await asyncio.sleep(0.02)
