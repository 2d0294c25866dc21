"""App: notify with its real parts."""

from pathlib import Path

from fastapi import FastAPI

from services.notify import VOICE
from services.notify.broadcast.store import BroadcastStore
from services.notify.delivery.handlers import WishHandlers
from services.notify.delivery.store import Ledger
from services.notify.feeds.web import pages as public_pages
from services.notify.guidance.api import live as guidance_live
from services.notify.guidance.store import GuidanceStore
from services.notify.guidance.web import Desk
from services.notify.guidance.web import pages as guidance_pages
from services.notify.schema import NotifyTable
from services.notify.situations.handlers import SituationHandlers
from services.notify.situations.store import SituationStore
from services.notify.subscribers.model import Links
from services.notify.subscribers.store import SubscriberStore
from services.notify.subscribers.web import pages as subscriber_pages
from shared.clock import Clock, SystemClock
from shared.events.notify import LetterRequested, UrgentLetterRequested
from shared.events.status import SituationChanged, SituationClosed, SituationOpened
from shared.house import House, build
from shared.settings import Settings

TEMPLATES = Path(__file__).parent / "templates"

FORGET_EVERY = 600.0
PLAN_EVERY = 5.0
FINISH_EVERY = 2.0
"""Seconds between looks. A release wakes the planning at once."""


def make_app(settings: Settings, *, clock: Clock | None = None) -> FastAPI:
    """Notify, ready to be served. Its ledger is `app.state.ledger`."""
    house = build(VOICE, settings, clock=clock or SystemClock(), tables=NotifyTable.metadata, templates=(TEMPLATES,))
    ledger = Ledger(house.database, clock=house.clock)
    app = house.app()
    app.state.ledger = ledger
    wire_delivery(house, ledger)
    subscribers = wire_subscribers(app, house, ledger)
    situations = wire_situations(house)
    guidance = wire_guidance(app, house, ledger, subscribers=subscribers, situations=situations)
    wire_feeds(app, house, guidance=guidance, situations=situations)
    return app


def wire_delivery(house: House, ledger: Ledger) -> None:
    """Wishes go into the ledger, lanes send from it."""
    wishes = WishHandlers(ledger)
    house.bus.hears(UrgentLetterRequested, wishes.on_urgent_letter_requested)
    house.bus.hears(LetterRequested, wishes.on_letter_requested)


def wire_subscribers(app: FastAPI, house: House, ledger: Ledger) -> SubscriberStore:
    """Subscribing, preferences, leaving."""
    links = Links(secret=house.settings.secret.get_secret_value(), public_url=house.settings.public_url)
    subscribers = SubscriberStore(house.database, clock=house.clock, ledger=ledger, links=links)
    house.jobs.every(FORGET_EVERY, subscribers.forget_unconfirmed)
    app.include_router(subscriber_pages(subscribers, links=links))
    app.state.subscribers = subscribers
    return subscribers


def wire_situations(house: House) -> SituationStore:
    """The situations of which status tells."""
    situations = SituationStore(house.database)
    handlers = SituationHandlers(situations)
    house.bus.hears(SituationOpened, handlers.on_situation_opened)
    house.bus.hears(SituationChanged, handlers.on_situation_changed)
    house.bus.hears(SituationClosed, handlers.on_situation_closed)
    return situations


def wire_guidance(
    app: FastAPI, house: House, ledger: Ledger, *, subscribers: SubscriberStore, situations: SituationStore
) -> GuidanceStore:
    """The guidance desk and its broadcasts."""
    guidance = GuidanceStore(house.database, clock=house.clock, ledger=ledger, subscribers=subscribers)
    broadcasts = BroadcastStore(
        house.database,
        clock=house.clock,
        ledger=ledger,
        subscribers=subscribers,
        public_url=house.settings.public_url,
    )
    planning = house.jobs.every(PLAN_EVERY, broadcasts.plan_page)
    guidance.on_release(planning.wake)
    house.jobs.every(FINISH_EVERY, broadcasts.finish)
    app.include_router(guidance_pages(Desk(guidance, subscribers, situations)))
    app.include_router(guidance_live(guidance, clock=house.clock))
    app.state.guidance = guidance
    app.state.broadcasts = broadcasts
    return guidance


def wire_feeds(app: FastAPI, house: House, *, guidance: GuidanceStore, situations: SituationStore) -> None:
    """The public page."""
    app.include_router(public_pages(guidance, situations=situations, clock=house.clock))
