"""App: notify with its real parts."""

from pathlib import Path

from fastapi import FastAPI

from services.notify import VOICE
from services.notify.delivery.handlers import WishHandlers
from services.notify.delivery.store import Ledger
from services.notify.schema import NotifyTable
from shared.clock import Clock, SystemClock
from shared.events.notify import LetterRequested, UrgentLetterRequested
from shared.house import House, build
from shared.settings import Settings

TEMPLATES = Path(__file__).parent / "templates"


def make_app(settings: Settings, *, clock: Clock | None = None) -> FastAPI:
    """Notify, ready to be served. Its ledger is `app.state.ledger`."""
    house = build(VOICE, settings, clock=clock or SystemClock(), tables=NotifyTable.metadata, templates=(TEMPLATES,))
    ledger = Ledger(house.database, clock=house.clock)
    app = house.app()
    app.state.ledger = ledger
    wire_delivery(house, ledger)
    wire_subscribers(app, house, ledger)
    wire_guidance(app, house, ledger)
    wire_feeds(app, house)
    return app


def wire_delivery(house: House, ledger: Ledger) -> None:
    """Wishes go into the ledger, lanes send from it."""
    wishes = WishHandlers(ledger)
    house.bus.hears(UrgentLetterRequested, wishes.on_urgent_letter_requested)
    house.bus.hears(LetterRequested, wishes.on_letter_requested)


def wire_subscribers(app: FastAPI, house: House, ledger: Ledger) -> None:
    """Subscribing, preferences, leaving."""


def wire_guidance(app: FastAPI, house: House, ledger: Ledger) -> None:
    """The guidance desk, its broadcasts, and the situations that it knows."""


def wire_feeds(app: FastAPI, house: House) -> None:
    """The public page."""
