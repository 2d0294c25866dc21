"""Large broadcasts, as a program: what a letter costs at either end, and how soon an urgent one is out.

`cost` prints the CPU time of this process per letter, in microseconds; `urgent` the seconds from the wish for an urgent
letter until the relay has taken it and the ledger knows.
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import uvloop
from sqlalchemy import Connection, func, select, update
from sqlmodel import col

from benchmarks.broadcast_sender import sending_settings
from benchmarks.guidance_letter import guidance_letter, recipients
from services.notify.app import make_app
from services.notify.delivery.model import Kind, Lane, Letter, Outcome, Recipient, State
from services.notify.delivery.schema import DeliveryRow
from services.notify.delivery.store import Ledger
from shared.db import Database
from shared.house import House
from shared.ids import new_id
from shared.log import configure
from shared.migrate import migrate
from shared.process import settle
from shared.realm import LIVE
from shared.settings import Settings

PAGE = 1000
"""As many recipients as planning writes in one transaction."""

WARM = 2_000
"""Letters after which templates are written and connections open."""

PART = 20_000
"""Of a large broadcast only so many letters are sent at its beginning and as many at its end."""

URGENT = 100
URGENT_EVERY = 0.2


class Watched:
    """Notify with a broadcast of so many recipients in its ledger, and a count of what has been settled as sent."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.app = make_app(settings)
        self.sent = 0
        self.times: dict[UUID, float] = {}
        self._news = asyncio.Event()
        self._settle = self.ledger.settle
        self.ledger.settle = self._watch  # type: ignore[method-assign]

    @property
    def database(self) -> Database:
        """Notify's own."""
        house: House = self.app.state.house
        return house.database

    @property
    def ledger(self) -> Ledger:
        """The ledger, watched."""
        ledger: Ledger = self.app.state.ledger
        return ledger

    async def fill(self, count: int) -> None:
        """Put the broadcast into the ledger, page by page as planning does."""
        house: House = self.app.state.house
        await migrate(house.database, house.migrations)
        letter, left = guidance_letter(self.settings), count
        while left > 0:
            async with self.database.write() as session:
                await self.ledger.add(session, letter, recipients=recipients(min(PAGE, left)))
            left -= PAGE

    async def until(self, *, sent: int = 0, urgent: int = 0) -> None:
        """Return when so many letters are known as sent, and so many urgent ones as ended."""
        while self.sent < sent or len(self.times) < urgent:
            self._news.clear()
            await self._news.wait()

    async def _watch(self, outcomes: Sequence[Outcome]) -> int:
        written = await self._settle(outcomes)
        now = time.perf_counter()
        self.sent += sum(outcome.state is State.SENT for outcome in outcomes)
        self.times |= {
            outcome.delivery.recipient.recipient_id: now for outcome in outcomes if outcome.kind is Kind.SIGN_IN
        }
        self._news.set()
        return written


async def cost(settings: Settings, count: int) -> dict[str, float]:
    """CPU microseconds per letter: `first` and `last` of the PART letters at either end, or of all if they are few."""
    watched = Watched(settings)
    await watched.fill(count)
    part = min(count, PART)
    async with watched.app.router.lifespan_context(watched.app):
        first = await _cost_of(watched, part)
        if part == count:
            return {"first": first, "last": first}
    rest = Watched(settings)  # as another process that goes on
    await rest.database.write_many(_as_if_sent, [part])
    async with rest.app.router.lifespan_context(rest.app):
        return {"first": first, "last": await _cost_of(rest, part)}


async def _cost_of(watched: Watched, letters: int) -> float:
    settle()
    await watched.until(sent=WARM)
    began, before = time.process_time(), watched.sent
    await watched.until(sent=letters)
    return (time.process_time() - began) / (watched.sent - before) * 1e6


def _as_if_sent(connection: Connection, parts: Sequence[int]) -> Sequence[None]:
    """Leave the last of the broadcast to be sent; what lies before it looks as if it had been."""
    for part in parts:
        last = connection.execute(select(func.max(col(DeliveryRow.id)))).scalar_one() or 0
        over = {"state": State.SENT, "settled_at": datetime.now(UTC), "address": "", "personal": {}, "claimed_by": ""}
        connection.execute(update(DeliveryRow).where(col(DeliveryRow.id) <= last - part).values(**over))
    return [None] * len(parts)


async def urgent(settings: Settings, count: int) -> dict[str, list[float]]:
    """The `seconds` that each of URGENT sign-in letters took, wished one after another while the broadcast ran."""
    watched = Watched(settings)
    await watched.fill(count)
    wished: dict[UUID, float] = {}
    async with watched.app.router.lifespan_context(watched.app):
        settle()
        await watched.until(sent=WARM)
        for _ in range(URGENT):
            letter, recipient = _sign_in(settings)
            wished[recipient.recipient_id] = time.perf_counter()
            async with watched.database.write() as session:
                await watched.ledger.add(session, letter, recipients=[recipient])
            await asyncio.sleep(URGENT_EVERY)
        await watched.until(urgent=URGENT)
        if watched.sent >= count:
            raise RuntimeError("the broadcast was over before the urgent letters were")
    return {"seconds": [watched.times[who] - at for who, at in wished.items()]}


def _sign_in(settings: Settings) -> tuple[Letter, Recipient]:
    until = datetime.now(UTC) + timedelta(hours=1)
    letter = Letter(LIVE, new_id(), Kind.SIGN_IN, Lane.URGENT, not_after=until)
    personal = {"name": "Aino", "link": f"{settings.public_url}/sign-in/{'x' * 43}"}
    return letter, Recipient(new_id(), "aino@example.org", locale="fi", personal=personal)


def main() -> None:
    """`cost|urgent FOLDER PORT COUNT`."""
    what, folder, port, count = sys.argv[1:]
    configure("text")
    settings = sending_settings(Path(folder), int(port))
    work: Callable[[Settings, int], Coroutine[Any, Any, Mapping[str, object]]] = cost if what == "cost" else urgent
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run(work(settings, int(count)))))


if __name__ == "__main__":
    main()
