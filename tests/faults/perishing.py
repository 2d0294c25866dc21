"""Perishing: starts a child at whose kill point the process ends, and waits for that."""

import asyncio
import json
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from shared.settings import Settings
from tests.system import ROOT

PATIENCE = 60.0


async def perish(module: str, settings: Settings, *arguments: str) -> Sequence[str]:
    """Run `tests.faults.children.<module>` until it has killed itself; the lines it said. Fails on another end."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", f"tests.faults.children.{module}", *arguments, str(written(settings))),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, told = await asyncio.wait_for(child.communicate(), PATIENCE)
    assert child.returncode == -signal.SIGKILL, told.decode()[-2000:]
    return said.decode().splitlines()


def written(settings: Settings) -> Path:
    """The settings as a file for a child; the secret in plain, which a dump would hide."""
    path = settings.var / "child.json"
    values = settings.model_dump(mode="json", exclude={"smtp": {"password"}})
    path.write_text(json.dumps({**values, "secret": settings.secret.get_secret_value()}), encoding="utf-8")
    return path
