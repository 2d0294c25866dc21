"""A sender as a process of its own: `python -m tests.notify.delivery.sender DATABASE PORT AHEAD [RATE [LANE]]`."""

import asyncio
import sys
from datetime import datetime, timedelta

from services.notify.allowance.model import Limits
from services.notify.allowance.store import Allowances
from services.notify.delivery.jobs import LaneWork
from services.notify.delivery.mail import Pool
from services.notify.delivery.model import Lane
from services.notify.delivery.sending import Letters, Traffic
from services.notify.delivery.store import Ledger
from shared.clock import SystemClock
from shared.db import Database
from shared.settings import Smtp
from tests.notify.delivery.office import IMPRINT

CONNECTIONS = 3


class ClockAhead(SystemClock):
    """The machine's clock, so many seconds ahead: leases of a dead sender have ended."""

    def __init__(self, seconds: float) -> None:
        self._ahead = timedelta(seconds=seconds)

    def now(self) -> datetime:
        """The present moment as this process sees it."""
        return super().now() + self._ahead


async def send_all(database_url: str, port: int, ahead: float, rate: float, lane: Lane) -> None:
    """Take back what a dead sender held, and send until nothing is due."""
    clock = ClockAhead(ahead)
    database = Database(database_url)
    smtp = Smtp(port=port, rate=rate)
    ledger = Ledger(database, clock=clock)
    work = LaneWork(
        lane,
        ledger=ledger,
        letters=Letters(ledger, imprint=IMPRINT),
        pool=Pool(smtp, size=CONNECTIONS, domain="mail.example.org"),
        traffic=Traffic(Allowances(database, clock=clock, limits=Limits.of(smtp)), clock=clock),
        clock=clock,
    )
    await work.recover()
    more = True
    while more:
        more = await work.unit()
    await work.pool.close()
    await database.close()


if __name__ == "__main__":
    asyncio.run(
        send_all(
            sys.argv[1],
            int(sys.argv[2]),
            float(sys.argv[3]),
            float((*sys.argv, "1e6")[4]),
            Lane((*sys.argv[5:], "bulk")[0]),
        )
    )
