"""App: the service `status`, made of its real parts."""

from pathlib import Path

from fastapi import FastAPI

from services.status import VOICE
from services.status.aid.store import AidStore
from services.status.aid.web import AidPages
from services.status.association.store import AssociationStore
from services.status.attention.jobs import AttentionJobs
from services.status.attention.store import AttentionStore
from services.status.attention.web import AttentionPages
from services.status.capability.store import CapabilityStore
from services.status.capability.web import CapabilityPages
from services.status.geography.store import GeographyStore
from services.status.picture.api import Hub, LiveEndpoint
from services.status.picture.store import PictureStore
from services.status.picture.web import PicturePages
from services.status.readiness.handlers import ReadinessHandlers
from services.status.readiness.jobs import ReadinessJobs
from services.status.readiness.store import ReadinessStore
from services.status.report.press import Press
from services.status.report.store import ReportStore
from services.status.report.web import ReportPages
from services.status.round.jobs import RoundJobs
from services.status.round.store import RoundStore
from services.status.round.web import RoundPages
from services.status.schema import StatusTable
from services.status.sharing.store import LinkStore
from services.status.sharing.web import LinkPages
from services.status.situation.jobs import SituationJobs
from services.status.situation.store import SituationStore
from services.status.situation.web import SituationPages
from shared.clock import Clock, SystemClock
from shared.events.intake import AssociationChanged, AssociationNotReached, CheckInReceived
from shared.events.status import ReadinessChanged
from shared.house import build
from shared.settings import Settings

HERE = Path(__file__).parent


def make_app(settings: Settings, *, clock: Clock | None = None) -> FastAPI:
    """The service as a web application; its lifespan attaches it to the bus and runs its jobs."""
    clock = clock or SystemClock()
    house = build(
        VOICE,
        settings,
        clock=clock,
        tables=StatusTable.metadata,
        migrations=HERE / "migrations",
        templates=(HERE / "templates",),
    )
    database, bus, jobs = house.database, house.bus, house.jobs

    situations = SituationStore(database, clock=clock)
    associations = AssociationStore(database)
    rounds = RoundStore(database, clock=clock)
    readiness = ReadinessStore(database, clock=clock)
    geography, attention = GeographyStore(database), AttentionStore(database, clock=clock)
    pictures = PicturePages(
        PictureStore(database),
        geography=geography,
        attention=attention,
        situations=situations,
        pages=house.pages,
        clock=clock,
    )
    press = Press(house.pages)
    reports, links = ReportStore(database, clock=clock, render=press), LinkStore(database, clock=clock)
    hub = Hub(pictures.fragment, clock=clock)

    news = ReadinessHandlers(readiness)
    bus.hears(AssociationChanged, news.on_association_changed)
    bus.hears(CheckInReceived, news.on_checkin_received)
    bus.hears(AssociationNotReached, news.on_association_not_reached)
    bus.overhears(ReadinessChanged, hub.on_readiness_changed)
    database.after_commit(hub.look_again)
    jobs.every(30, ReadinessJobs(readiness).sweep_stale)
    jobs.every(10, AttentionJobs(attention).look)
    jobs.every(15, RoundJobs(rounds).remind)
    jobs.every(15, SituationJobs(situations).close_due_rounds)

    app = house.app(started=hub.running)
    live = LiveEndpoint(hub, situations=situations, sessions=house.sessions, clock=clock)
    app.router.routes.append(live.route())
    app.include_router(SituationPages(situations, clock=clock).router())
    app.include_router(RoundPages(rounds, situations=situations, associations=associations, clock=clock).router())
    app.include_router(AidPages(AidStore(database, clock=clock), situations=situations).router())
    app.include_router(AttentionPages(attention, situations=situations, clock=clock).router())
    able = CapabilityPages(CapabilityStore(database), situations=situations, clock=clock)
    app.include_router(able.router())
    app.include_router(ReportPages(reports, situations=situations, press=press, clock=clock).router())
    shared_links = LinkPages(links, reports=reports, situations=situations, clock=clock, public_url=settings.public_url)
    app.include_router(shared_links.router())
    app.include_router(pictures.router())
    app.state.situations, app.state.associations = situations, associations
    app.state.reports, app.state.links = reports, links
    app.state.geography, app.state.attention = geography, attention
    app.state.rounds, app.state.readiness, app.state.hub = rounds, readiness, hub
    return app
