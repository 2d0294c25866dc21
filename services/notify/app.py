"""App: notify with its real parts."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from fastapi import FastAPI

from services.notify import VOICE
from services.notify.broadcast.store import BroadcastStore
from services.notify.broadcast.web import pages as trial_pages
from services.notify.cap.model import Issuer
from services.notify.delivery.handlers import WishHandlers
from services.notify.delivery.jobs import LaneWork
from services.notify.delivery.letter_format import Imprint
from services.notify.delivery.mail import Pool
from services.notify.delivery.model import Lane
from services.notify.delivery.sending import Letters, Traffic
from services.notify.delivery.store import Ledger
from services.notify.delivery.web import pages as delivery_pages
from services.notify.embed.web import pages as embed_pages
from services.notify.feeds.api import feeds
from services.notify.feeds.jobs import Copying
from services.notify.feeds.store import Copies, Releases
from services.notify.feeds.web import pages as public_pages
from services.notify.guidance.api import live as guidance_live
from services.notify.guidance.store import GuidanceStore
from services.notify.guidance.web import Desk
from services.notify.guidance.web import pages as guidance_pages
from services.notify.rehearsal.handlers import RehearsalHandlers
from services.notify.rehearsal.store import EndedExercises
from services.notify.schema import NotifyTable
from services.notify.situations.handlers import SituationHandlers
from services.notify.situations.store import SituationStore
from services.notify.subscribers.model import Links
from services.notify.subscribers.store import SubscriberStore
from services.notify.subscribers.web import pages as subscriber_pages
from shared.clock import Clock, SystemClock
from shared.events.exercise import ExerciseEnded, RosterFrozen
from shared.events.notify import LetterRequested, UrgentLetterRequested
from shared.events.status import SituationChanged, SituationClosed, SituationOpened
from shared.house import House, build
from shared.settings import Settings

HERE = Path(__file__).parent
URGENT_CONNECTIONS = 2
BULK_UNITS = 2
"""Units of the bulk lane: while one claims and settles, the other sends."""

FORGET_EVERY = 600.0
PLAN_EVERY = 5.0
FINISH_EVERY = 2.0
COPY_EVERY = 30.0
EXPIRE_EVERY = 15.0
"""Seconds between looks. A release wakes the planning at once."""


def make_app(settings: Settings, *, clock: Clock | None = None) -> FastAPI:
    """Notify, ready to be served. Its ledger is `app.state.ledger`."""
    house = build(
        VOICE,
        settings,
        clock=clock or SystemClock(),
        tables=NotifyTable.metadata,
        migrations=HERE / "migrations",
        templates=(HERE / "templates",),
    )
    ledger = Ledger(house.database, clock=house.clock)
    app = house.app(started=wire_delivery(house, ledger))
    app.state.ledger = ledger
    subscribers = wire_subscribers(app, house, ledger)
    situations = wire_situations(app, house)
    guidance = wire_guidance(app, house, ledger, subscribers=subscribers, situations=situations)
    wire_feeds(app, house, guidance=guidance, situations=situations)
    wire_rehearsal(house, ledger)
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


def wire_rehearsal(house: House, ledger: Ledger) -> None:
    """Who takes part in exercises, and that they end."""
    rehearsal = RehearsalHandlers(ledger, EndedExercises(house.database, clock=house.clock))
    house.bus.hears(RosterFrozen, rehearsal.on_roster_frozen)
    house.bus.hears(ExerciseEnded, rehearsal.on_exercise_ended)


def wire_subscribers(app: FastAPI, house: House, ledger: Ledger) -> SubscriberStore:
    """Subscribing, preferences, leaving."""
    links = Links(secret=house.settings.secret.get_secret_value(), public_url=house.settings.public_url)
    subscribers = SubscriberStore(house.database, clock=house.clock, ledger=ledger, links=links)
    house.jobs.every(FORGET_EVERY, subscribers.forget_unconfirmed)
    app.include_router(subscriber_pages(subscribers, links=links))
    app.state.links = links
    app.state.subscribers = subscribers
    return subscribers


def wire_situations(app: FastAPI, house: House) -> SituationStore:
    """The situations of which status tells."""
    situations = SituationStore(house.database)
    handlers = SituationHandlers(situations)
    house.bus.hears(SituationOpened, handlers.on_situation_opened)
    house.bus.hears(SituationChanged, handlers.on_situation_changed)
    house.bus.hears(SituationClosed, handlers.on_situation_closed)
    app.state.situations = situations
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
    house.jobs.every(EXPIRE_EVERY, guidance.expire)
    house.jobs.every(FINISH_EVERY, broadcasts.finish)
    app.include_router(delivery_pages(ledger))
    app.include_router(guidance_pages(Desk(guidance, subscribers, situations, ledger)))
    app.include_router(trial_pages(broadcasts, guidance))
    app.include_router(guidance_live(guidance, clock=house.clock))
    app.state.guidance = guidance
    app.state.broadcasts = broadcasts
    return guidance


def wire_feeds(app: FastAPI, house: House, *, guidance: GuidanceStore, situations: SituationStore) -> None:
    """The public page, its feeds, its parts for other sites, its copy as plain files."""
    settings = house.settings
    issuer = Issuer(settings.mail_domain, settings.public_url, settings.phone)
    releases = Releases(guidance, situations)
    app.include_router(public_pages(guidance, situations=situations, clock=house.clock))
    app.include_router(feeds(releases, issuer=issuer, clock=house.clock))
    app.include_router(
        embed_pages(
            releases,
            public_url=settings.public_url,
            framed_by=tuple(settings.framed_by.split()),
            clock=house.clock,
        )
    )
    copies = Copies(releases, situations, pages=house.pages, issuer=issuer, clock=house.clock)
    app.state.copies = copies
    if settings.mirror:
        guidance.on_release(house.jobs.every(COPY_EVERY, Copying(copies, settings.mirror).keep).wake)
