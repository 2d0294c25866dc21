"""Publishing: the operator's commands for what goes out: broadcasts, and the public pages as plain files."""

import asyncio
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress

from services.composition import service_named
from services.notify.delivery.model import Lane
from services.notify.delivery.store import Ledger
from services.notify.feeds.store import Copies
from services.notify.guidance.store import GuidanceStore
from services.notify.mirror.model import Changes
from services.operator import Installation, Json, opened, say, settings_of, until_done
from shared.realm import LIVE
from shared.settings import Settings

broadcast_app = typer.Typer(no_args_is_help=True, help="The sending of guidance.")
mirror_app = typer.Typer(no_args_is_help=True, help="The copy of the public pages as plain files.")
WATCH_EVERY = 1.0
NEVER = datetime.min.replace(tzinfo=UTC)


@broadcast_app.command("watch")
def watch_broadcast(
    once: Annotated[bool, typer.Option("--once", help="Say how far it is, and wait for nothing.")] = False,
    folder: Installation = None,
    as_json: Json = False,
) -> None:
    """Follow the newest broadcast until each of its recipients has a final state; say how many stand where."""
    facts = until_done(_watch(settings_of(folder), once=once))
    if not facts:
        raise typer.BadParameter("no guidance has been released yet")
    say(facts, as_json=as_json)


@broadcast_app.command("resume")
def resume_broadcast(folder: Installation = None, as_json: Json = False) -> None:
    """Let letters go out again after too many of them failed. The running service goes on within a second."""
    reason = until_done(_resume(settings_of(folder)))
    say({"paused": reason or "it was not", "goes_on": True}, as_json=as_json)


@mirror_app.command("write")
def write_mirror(
    target: Annotated[Path, typer.Argument(help="The folder to write; files of others in it are left alone.")],
    folder: Installation = None,
    as_json: Json = False,
) -> None:
    """Write the public pages and feeds as plain files, for any web server to serve while the services are away."""
    written = until_done(_write_mirror(settings_of(folder), target))
    say({"written": len(written.write), "removed": len(written.remove), "folder": str(target)}, as_json=as_json)


async def _watch(settings: Settings, *, once: bool) -> dict[str, Any]:
    """How far the newest broadcast is at last; nothing where there is none."""
    async with opened(settings, service_named("notify")) as notify:
        guidance: GuidanceStore = notify.state.guidance
        ledger: Ledger = notify.state.ledger
        released = [one for one in await guidance.newest(LIVE) if one.state.released]
        newest = max(released, key=lambda one: one.approved_at or NEVER, default=None)
        with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty()) as shown:
            task = shown.add_task("letters", total=None)
            while newest and (how_far := await guidance.progress(newest)):
                shown.update(task, completed=how_far.settled, total=how_far.counts.total if how_far.planned else None)
                if once or how_far.finished:
                    paused = await ledger.paused(Lane.BULK)
                    facts = {"planned": how_far.planned, "finished": how_far.finished, "paused": paused}
                    return facts | asdict(how_far.counts) | {"returned": how_far.returned}
                await asyncio.sleep(WATCH_EVERY)
    return {}


async def _resume(settings: Settings) -> str | None:
    """Why it paused, if it did."""
    async with opened(settings, service_named("notify")) as notify:
        ledger: Ledger = notify.state.ledger
        reason = await ledger.paused(Lane.BULK)
        await ledger.resume(Lane.BULK)
        return reason


async def _write_mirror(settings: Settings, target: Path) -> Changes:
    async with opened(settings, service_named("notify")) as notify:
        copies: Copies = notify.state.copies
        return await copies.write(target, await copies.told())
