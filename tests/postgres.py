"""A real PostgreSQL for tests: made once per run in a folder of its own, durable as in production."""

import os
import pwd
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from services import local
from tests.servers import pause

OWNERS = ("postgres", "nobody")


class Postgres:
    """A PostgreSQL server on a free loopback port, without passwords (`trust`), owned by an unprivileged user."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._programs = server_programs()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Make the cluster if it is not there, start it, and return when it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        user = _unprivileged()
        if user:
            for path in (self.folder, *self.folder.parents):
                if path.stat().st_uid == os.getuid() and path != Path("/"):
                    path.chmod(path.stat().st_mode | 0o011)
            shutil.chown(self.folder, user)
        data = self.folder / "data"
        if not data.exists():
            self._call("initdb", "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
        self._process = subprocess.Popen(
            [*self._as_user("postgres"), "-D", str(data), "-p", str(self.port), "-k", str(self.folder)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
        )
        for _ in range(500):
            if self._answers():
                return
            pause(0.02)
        raise RuntimeError("PostgreSQL did not start")

    def create(self, database: str) -> str:
        """Make an empty database; its URL for asyncpg."""
        self._call("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", database)
        return f"postgresql+asyncpg://postgres@127.0.0.1:{self.port}/{database}"

    def stop(self) -> None:
        """Stop at once, as a power switch would."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(10)

    def _answers(self) -> bool:
        asked = subprocess.run(
            [str(self._programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)], check=False
        )
        return asked.returncode == 0

    def _call(self, name: str, *arguments: str) -> None:
        subprocess.run([*self._as_user(name), *arguments], check=True, capture_output=True, cwd="/")

    def _as_user(self, name: str) -> list[str]:
        program = str(self._programs / name)
        user = _unprivileged()
        return ["setpriv", f"--reuid={user}", "--clear-groups", program] if user else [program]


def server_programs() -> Path:
    """The folder of PostgreSQL's server programs; skips the test where there is none, fails in CI."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    beside = shutil.which("initdb")
    if beside:
        return Path(beside).resolve().parent
    if os.environ.get("CI"):
        pytest.fail("PostgreSQL's server programs are missing; CI must install them")
    pytest.skip("PostgreSQL's server programs are not on this machine")


def free_port() -> int:
    """A port on which nobody listens."""
    return local.free_port("127.0.0.1")


def _unprivileged() -> str:
    """PostgreSQL refuses to run as root: the user to run it as, or nothing where we are not root."""
    if os.getuid() != 0:
        return ""
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in OWNERS if name in known)
