"""Dying: how a child ends at its kill point, and how it runs until then."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import NoReturn

from fastapi import FastAPI

from shared.log import configure
from shared.settings import Settings

LIFE = 60.0
"""Seconds after which a child that never came to its kill point gives up, so that no test waits for ever."""


def die(last_words: str) -> NoReturn:
    """Say it and end as a power switch would: no handler, no flush, no goodbye."""
    sys.stdout.write(f"{last_words}\n")
    sys.stdout.flush()
    os.kill(os.getpid(), signal.SIGKILL)
    raise SystemExit("nobody survives that signal")


def settings_of_child() -> Settings:
    """The settings that the test wrote into the file named on the command line."""
    return Settings.model_validate_json(Path(sys.argv[-1]).read_text(encoding="utf-8"))


def live(app: FastAPI, *, life: float = LIFE) -> None:
    """Run the service until its replaced step, or another, kills it; exit code 1 if that never happens."""
    configure("text")

    async def run() -> None:
        async with app.router.lifespan_context(app):
            await asyncio.sleep(life)

    asyncio.run(run())
    sys.exit(1)
