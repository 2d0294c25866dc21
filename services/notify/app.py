"""App: notify with its real parts."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from fastapi import FastAPI

from services.notify import VOICE
from services.notify.delivery.handlers import WishHandlers
from services.notify.delivery.jobs import LaneWork, Letters, Traffic
from services.notify.delivery.letter_format import Imprint
from services.notify.delivery.mail import Pool
from services.notify.delivery.model import Lane
from services.notify.delivery.store import Ledger
from services.notify.schema import NotifyTable
from shared.clock import Clock, SystemClock
from shared.events.notify import LetterRequested, UrgentLetterRequested
from shared.house import House, build
from shared.settings import Settings

TEMPLATES = Path(__file__).parent / "templates"
URGENT_CONNECTIONS = 2
BULK_UNITS = 2
"""Units of the bulk lane: while one claims and settles, the other sends."""


def make_app(settings: Settings, *, clock: Clock | None = None) -> FastAPI:
    """Notify, ready to be served. Its ledger is `app.state.ledger`."""
    house = build(VOICE, settings, clock=clock or SystemClock(), tables=NotifyTable.metadata, templates=(TEMPLATES,))
    ledger = Ledger(house.database, clock=house.clock)
    app = house.app(started=wire_delivery(house, ledger))
    app.state.ledger = ledger
    wire_subscribers(app, house, ledger)
    wire_guidance(app, house, ledger)
    wire_feeds(app, house)
    return app


def wire_delivery(house: House, ledger: Ledger) -> Callable[[], AbstractAsyncContextManager[None]]:
    """Wishes go into the ledger, lanes send from it; what is given back closes the connections at the end."""
    wishes = WishHandlers(ledger)
    house.bus.hears(UrgentLetterRequested, wishes.on_urgent_letter_requested)
    house.bus.hears(LetterRequested, wishes.on_letter_requested)
    traffic = Traffic(house.settings.smtp.rate, clock=house.clock)
    urgent = lane_work(Lane.URGENT, house, ledger=ledger, traffic=traffic, connections=URGENT_CONNECTIONS)
    bulk = lane_work(Lane.BULK, house, ledger=ledger, traffic=traffic, connections=house.settings.smtp.connections)
    for work, units in ((urgent, 1), (bulk, BULK_UNITS)):
        for _ in range(units):
            ledger.on_added(work.lane, house.jobs.every(1, work.unit).wake)
    house.jobs.every(30, urgent.recover)

    @asynccontextmanager
    async def connections() -> AsyncIterator[None]:
        try:
            yield
        finally:
            await urgent.pool.close()
            await bulk.pool.close()

    return connections


def lane_work(lane: Lane, house: House, *, ledger: Ledger, traffic: Traffic, connections: int) -> LaneWork:
    """One lane with its own connections and its own memory of letters."""
    settings = house.settings
    imprint = Imprint(
        public_url=settings.public_url,
        mail_domain=settings.mail_domain,
        phone=settings.phone,
        secret=settings.secret.get_secret_value(),
    )
    return LaneWork(
        lane,
        ledger=ledger,
        letters=Letters(ledger, imprint=imprint),
        pool=Pool(settings.smtp, size=connections, domain=settings.mail_domain),
        traffic=traffic,
        clock=house.clock,
    )


def wire_subscribers(app: FastAPI, house: House, ledger: Ledger) -> None:
    """Subscribing, preferences, leaving."""


def wire_guidance(app: FastAPI, house: House, ledger: Ledger) -> None:
    """The guidance desk, its broadcasts, and the situations that it knows."""


def wire_feeds(app: FastAPI, house: House) -> None:
    """The public page."""
