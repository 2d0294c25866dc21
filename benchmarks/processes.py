"""Processes: servers and load generators as programs of their own, all of them ended with the block that began them."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.postgres import Postgres

ROOT = Path(__file__).parents[1]
STARTS_WITHIN = 60.0
MAIL_PROGRAMS = f"{os.environ.get('PATH', '')}{os.pathsep}/usr/sbin"


class MissingProgramError(Exception):
    """A program that a measurement needs is not on this machine; the text names it."""


def free_port() -> int:
    """A loopback port on which nobody listens."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


def program(name: str) -> str:
    """The path of a program of this machine. Raises MissingProgramError."""
    found = shutil.which(name, path=MAIL_PROGRAMS)
    if found is None:
        raise MissingProgramError(f"{name} is not on this machine (it comes with Postfix)")
    return found


def module(name: str, *arguments: object) -> list[str]:
    """The command that runs one of our modules with this very Python."""
    return [sys.executable, "-m", f"benchmarks.{name}", *map(str, arguments)]


@contextmanager
def server(command: list[str], port: int, *, log: Path) -> Iterator[None]:
    """Run a server while the block runs, from when it takes connections. What it says goes to `log`."""
    with log.open("ab") as output:
        process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output)
    try:
        _wait_for(process, port, log)
        yield
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def postgresql(folder: Path) -> Iterator[Postgres]:
    """A PostgreSQL of its own while the block runs, durable as in production. Raises MissingProgramError."""
    if not any(Path("/usr/lib/postgresql").glob("*/bin/initdb")):
        raise MissingProgramError("PostgreSQL is not on this machine")
    database = Postgres(folder)
    database.start()
    try:
        yield database
    finally:
        database.stop()


def answer(command: list[str], *, within: float) -> Any:
    """Run a program to its end; the JSON that it printed last, None if it printed nothing.

    Raises if it fails or takes longer; what it had complained of is shown then, and only then.
    """
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=within)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[1:])} failed:\n{done.stderr[-2000:]}")
    printed = done.stdout.strip().splitlines()
    return json.loads(printed[-1]) if printed else None


def _wait_for(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as trial:
            if trial.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"the server did not start:\n{log.read_text(errors='replace')[-2000:]}")
