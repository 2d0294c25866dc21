"""App: notify with its real parts."""

from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from uuid import UUID

from fastapi import FastAPI

from services.notify import VOICE
from services.notify.allowance.model import Limits
from services.notify.allowance.store import Allowances
from services.notify.audit.model import BOOK
from services.notify.audit.store import AUDIT
from services.notify.bounce import mail as bounce_mail
from services.notify.bounce.jobs import Reading
from services.notify.bounce.store import BounceStore
from services.notify.bounce.web import pages as bounce_pages
from services.notify.broadcast.store import BroadcastStore
from services.notify.broadcast.web import pages as trial_pages
from services.notify.cap.model import Issuer
from services.notify.channel.jobs import Courier
from services.notify.channel.messenger import messengers
from services.notify.channel.model import Channel, Kind
from services.notify.channel.store import ChannelStore
from services.notify.delivery.dkim_format import signing_keys
from services.notify.delivery.handlers import WishHandlers
from services.notify.delivery.jobs import LaneWork
from services.notify.delivery.letter_format import Imprint
from services.notify.delivery.mail import BODY_TIMEOUTS, Pool
from services.notify.delivery.model import Lane
from services.notify.delivery.sending import Letters, Signer, Traffic
from services.notify.delivery.store import Ledger
from services.notify.delivery.web import pages as delivery_pages
from services.notify.embed.web import pages as embed_pages
from services.notify.erasure.jobs import ErasureJobs
from services.notify.erasure.store import Erasure
from services.notify.erasure.web import pages as person_pages
from services.notify.feeds.addresses import Addresses
from services.notify.feeds.api import feeds
from services.notify.feeds.jobs import Copying
from services.notify.feeds.store import Copies, Releases
from services.notify.feeds.web import pages as public_pages
from services.notify.guidance.api import live as guidance_live
from services.notify.guidance.revision_rows import headlines
from services.notify.guidance.store import GuidanceStore
from services.notify.guidance.web import Desk
from services.notify.guidance.web import pages as guidance_pages
from services.notify.inject.store import InjectLetters
from services.notify.rehearsal.handlers import RehearsalHandlers
from services.notify.rehearsal.jobs import RehearsalJobs
from services.notify.rehearsal.store import Rosters
from services.notify.rehearsal.web import pages as rehearsed_pages
from services.notify.retention.jobs import RetentionJobs
from services.notify.retention.store import RetentionStore
from services.notify.scheduling.store import Schedule
from services.notify.scheduling.web import SchedulingPages
from services.notify.scheduling.web import pages as scheduling_pages
from services.notify.schema import NotifyTable
from services.notify.situations.handlers import SituationHandlers
from services.notify.situations.store import SituationStore
from services.notify.standing.store import StandingStore
from services.notify.standing.web import StandingDesk
from services.notify.standing.web import pages as standing_pages
from services.notify.subscriber_file.store import SubscriberFileStore
from services.notify.subscriber_file.web import pages as list_pages
from services.notify.subscribers.model import Links
from services.notify.subscribers.store import SubscriberStore
from services.notify.subscribers.web import pages as subscriber_pages
from services.notify.webhook.model import Reach, networks_of
from services.notify.webhook.sending import Endpoints
from services.notify.webhook.store import EndpointStore
from services.notify.webhook.web import Desk as ChannelDesk
from services.notify.webhook.web import pages as channel_pages
from shared.audit_pages import AuditPages
from shared.audit_rows import AuditStore
from shared.clock import Clock, SystemClock
from shared.events.exercise import ExerciseEnded, InjectFired, RosterFrozen
from shared.events.notify import LetterRequested, UrgentLetterRequested
from shared.events.status import SituationChanged, SituationClosed, SituationOpened
from shared.house import House, build
from shared.rehearsals import EndedExercises
from shared.settings import Settings, SettingsError

HERE = Path(__file__).parent
URGENT_CONNECTIONS = 2
COURIERS = 4
"""Channels to which this process sends at a time."""

BULK_UNITS = 2
"""Units of the bulk lane: while one claims and settles, the other sends."""

FORGET_EVERY = 600.0
FORGET_ALLOWANCES_EVERY = 3600.0
SCRUB_EVERY = 600.0
LOOK_EVERY = 5.0
PLAN_EVERY = 5.0
FINISH_EVERY = 2.0
COPY_EVERY = 30.0
CHECK_AUDIT_EVERY = 600.0
EXPIRE_EVERY = 15.0
TELL_EVERY = 5.0
READ_EVERY = 30.0
RELEASE_EVERY = 5.0
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
    connections = wire_delivery(house, ledger)
    links = Links(secret=settings.secret.get_secret_value(), public_url=settings.public_url)
    subscribers = SubscriberStore(house.database, clock=house.clock, ledger=ledger, links=links)
    bounces, door = wire_bounces(house, subscribers)

    @asynccontextmanager
    async def started() -> AsyncIterator[None]:
        async with connections(), door():
            yield

    app = house.app(started=started)
    app.state.ledger = ledger
    app.state.bounces = bounces
    app.include_router(bounce_pages(bounces, subscribers))
    wire_subscribers(app, house, subscribers, links=links)
    situations = wire_situations(app, house)
    guidance = wire_guidance(app, house, ledger, subscribers=subscribers, situations=situations)
    wire_scheduling(app, house, guidance, situations=situations)
    wire_feeds(app, house, guidance=guidance, situations=situations)
    wire_channels(app, house, guidance)
    wire_rehearsal(house, ledger)
    wire_audit(app, house)
    return app


def wire_delivery(house: House, ledger: Ledger) -> Callable[[], AbstractAsyncContextManager[None]]:
    """Wishes go into the ledger, lanes send from it; what is given back closes the connections at the end."""
    wishes = WishHandlers(ledger)
    house.bus.hears(UrgentLetterRequested, wishes.on_urgent_letter_requested)
    house.bus.hears(LetterRequested, wishes.on_letter_requested)
    settings = house.settings
    allowances = Allowances(house.database, clock=house.clock, limits=Limits.of(settings.smtp))
    traffic = Traffic(allowances, clock=house.clock)
    signer = signer_of(settings)
    urgent, bulk = (
        lane_work(lane, house, ledger=ledger, traffic=traffic, signer=signer, connections=connections)
        for lane, connections in ((Lane.URGENT, URGENT_CONNECTIONS), (Lane.BULK, settings.smtp.connections))
    )
    for work, units in ((urgent, 1), (bulk, BULK_UNITS)):
        for _ in range(units):
            ledger.on_added(work.lane, house.jobs.every(1, work.unit).wake)
    house.jobs.every(30, urgent.recover)
    house.jobs.every(FORGET_ALLOWANCES_EVERY, allowances.forget)

    @asynccontextmanager
    async def connections() -> AsyncIterator[None]:
        try:
            yield
        finally:
            await urgent.pool.close()
            await bulk.pool.close()
            if signer:
                signer.close()

    return connections


def signer_of(settings: Settings) -> Signer | None:
    """What signs letters, where there is a key. Raises SettingsError for one that is not fit."""
    keys = signing_keys(settings.dkim)
    return Signer(settings.mail_domain, keys) if keys else None


def lane_work(
    lane: Lane, house: House, *, ledger: Ledger, traffic: Traffic, signer: Signer | None, connections: int
) -> LaneWork:
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
        letters=Letters(ledger, imprint=imprint, signer=signer),
        pool=Pool(settings.smtp, size=connections, domain=settings.mail_domain, body_timeout=BODY_TIMEOUTS[lane]),
        traffic=traffic,
        clock=house.clock,
    )


def wire_bounces(
    house: House, subscribers: SubscriberStore
) -> tuple[BounceStore, Callable[[], AbstractAsyncContextManager[None]]]:
    """Letters that come back are taken at a door, which is open while the second is entered, and read by a job."""
    settings, secret = house.settings, house.settings.secret.get_secret_value()
    bounces = BounceStore(house.database, clock=house.clock, subscribers=subscribers, secret=secret)
    bounces.on_taken(house.jobs.every(READ_EVERY, Reading(bounces).read).wake)
    house.jobs.every(FORGET_EVERY, bounces.forget)

    @asynccontextmanager
    async def door() -> AsyncIterator[None]:
        async with bounce_mail.listening(bounces, settings.bounces, domain=settings.mail_domain, clock=house.clock):
            yield
        await bounces.close()

    return bounces, door


def wire_rehearsal(house: House, ledger: Ledger) -> None:
    """Who takes part in exercises, what they are told, and that they end."""
    rosters = Rosters(house.database, clock=house.clock, ledger=ledger)
    injects = InjectLetters(house.database, clock=house.clock, ledger=ledger)
    ended = EndedExercises(house.database, clock=house.clock, service=VOICE.service)
    rehearsal = RehearsalHandlers(ledger, rosters, ended, injects)
    house.jobs.every(FORGET_EVERY, RehearsalJobs(rosters).forget)
    house.bus.hears(RosterFrozen, rehearsal.on_roster_frozen)
    house.bus.hears(InjectFired, rehearsal.on_inject_fired)
    house.bus.hears(ExerciseEnded, rehearsal.on_exercise_ended)


def wire_audit(app: FastAPI, house: House) -> None:
    """What the staff did here. Names of persons are intake's alone: the page leads to theirs."""
    audit = AuditStore(house.database, clock=house.clock, tables=AUDIT)
    house.jobs.every(CHECK_AUDIT_EVERY, audit.check)

    async def names(ids: Collection[UUID]) -> dict[UUID, str]:
        async with house.database.read() as session:
            return await headlines(session, ids)

    app.include_router(AuditPages(audit, BOOK, names=names, actors=audit.choices, clock=house.clock).router())
    app.state.audit = audit


def wire_subscribers(app: FastAPI, house: House, subscribers: SubscriberStore, *, links: Links) -> None:
    """Subscribing, preferences, leaving."""
    house.jobs.every(FORGET_EVERY, subscribers.forget_unconfirmed)
    app.include_router(subscriber_pages(subscribers, links=links, erase=wire_erasure(app, house).erase_subscriber))
    wire_lists(app, house)
    app.state.links = links
    app.state.subscribers = subscribers


def wire_erasure(app: FastAPI, house: House) -> Erasure:
    """What is held of a person, and its erasure."""
    erasure = Erasure(house.database, clock=house.clock, secret=house.settings.secret.get_secret_value())
    house.jobs.every(SCRUB_EVERY, ErasureJobs(erasure).scrub)
    app.include_router(person_pages(erasure))
    app.state.erasure = erasure
    return erasure


def wire_lists(app: FastAPI, house: House) -> None:
    """Lists of subscribers, in and out; and how long what is kept."""
    lists = SubscriberFileStore(house.database, clock=house.clock, secret=house.settings.secret.get_secret_value())
    retention = RetentionStore(house.database, clock=house.clock)
    work = house.jobs.every(LOOK_EVERY, lists.work)
    house.jobs.every(FORGET_EVERY, lists.forget)
    house.jobs.every(FORGET_EVERY, RetentionJobs(retention).empty_letters)
    app.include_router(list_pages(lists, retention, clock=house.clock, wake=work.wake))
    app.state.subscriber_files = lists
    app.state.retention = retention


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
    wire_standing(app, house, guidance)
    wire_rehearsed(app, house, guidance, situations=situations)
    app.include_router(guidance_pages(Desk(guidance, situations, ledger)))
    app.include_router(trial_pages(broadcasts, guidance))
    app.include_router(guidance_live(guidance, clock=house.clock))
    app.state.guidance = guidance
    app.state.broadcasts = broadcasts
    return guidance


def wire_rehearsed(app: FastAPI, house: House, guidance: GuidanceStore, *, situations: SituationStore) -> None:
    """The guidance of exercises, which has no public door; its paths lie below those of guidance as well."""
    settings = house.settings
    issuer = Issuer(settings.mail_domain, settings.public_url, settings.phone)
    app.include_router(rehearsed_pages(guidance, situations, Releases(guidance, situations), issuer=issuer))


def wire_standing(app: FastAPI, house: House, guidance: GuidanceStore) -> None:
    """Models and checklists; their paths lie below those of guidance and are asked first."""
    standing = StandingStore(house.database, clock=house.clock)
    app.include_router(standing_pages(StandingDesk(standing, guidance, house.settings.public_url)))
    app.state.standing = standing


def wire_scheduling(app: FastAPI, house: House, guidance: GuidanceStore, *, situations: SituationStore) -> None:
    """Releases at a later moment."""
    schedule = Schedule(house.database, clock=house.clock, guidance=guidance)
    house.jobs.every(RELEASE_EVERY, schedule.release_due)
    app.include_router(scheduling_pages(SchedulingPages(schedule, guidance, situations, house.clock)))
    app.state.schedule = schedule


def wire_feeds(app: FastAPI, house: House, *, guidance: GuidanceStore, situations: SituationStore) -> None:
    """The public page, its feeds, its parts for other sites, its copy as plain files."""
    settings = house.settings
    issuer = Issuer(settings.mail_domain, settings.public_url, settings.phone)
    releases = Releases(guidance, situations)
    app.include_router(public_pages(guidance, app.state.standing, situations=situations, clock=house.clock))
    app.include_router(feeds(releases, issuer=issuer, clock=house.clock))
    app.include_router(
        embed_pages(
            releases,
            public_url=settings.public_url,
            framed_by=tuple(settings.framed_by.split()),
            clock=house.clock,
        )
    )
    app.state.releases = releases
    copies = Copies(releases, situations, app.state.standing, pages=house.pages, issuer=issuer, clock=house.clock)
    app.state.copies = copies
    if settings.mirror:
        guidance.on_release(house.jobs.every(COPY_EVERY, Copying(copies, settings.mirror).keep).wake)


def wire_channels(app: FastAPI, house: House, guidance: GuidanceStore) -> None:
    """Partners' webhooks and the operator's messengers, which are told of each release."""
    settings, clock = house.settings, house.clock
    secret = settings.secret.get_secret_value()
    channels = ChannelStore(house.database, clock=clock)
    endpoints = EndpointStore(house.database, clock=clock, channels=channels, secret=secret)
    webhooks = Endpoints(
        endpoints, reach=reach_of(settings), addresses=Addresses(settings.public_url), secret=secret, clock=clock
    )
    named = settings.channels.get_secret_value().split()
    people = {one.name: one for one in messengers(named, public_url=settings.public_url, secret=secret)}

    async def messenger(name: str) -> Channel | None:
        return people.get(name)

    openers = {Kind.WEBHOOK: webhooks.open, Kind.MESSENGER: messenger}
    courier = Courier(channels, openers=openers, messengers=sorted(people), guidance=guidance, clock=clock)
    for _ in range(COURIERS):
        courier.on_planned(house.jobs.every(TELL_EVERY, courier.unit).wake)
    guidance.on_release(house.jobs.every(TELL_EVERY, courier.plan).wake)
    house.jobs.every(FORGET_EVERY, channels.forget)
    services = {name: one.service for name, one in people.items()}
    app.include_router(channel_pages(ChannelDesk(endpoints, channels, courier, services, reach_of(settings), clock)))
    app.state.channels, app.state.endpoints, app.state.courier = channels, endpoints, courier


def reach_of(settings: Settings) -> Reach:
    """Where webhooks may go. Raises SettingsError."""
    try:
        return Reach(networks_of(settings.webhook_networks), trial=not settings.secure)
    except ValueError as error:
        raise SettingsError(f"VALMIUS_WEBHOOK_NETWORKS: {error}") from error
