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
from services.status.audit.model import BOOK
from services.status.audit.store import AUDIT
from services.status.capability.store import CapabilityStore
from services.status.capability.web import CapabilityPages
from services.status.dispute.store import DisputeStore
from services.status.dispute.web import DisputePages
from services.status.geography.store import GeographyStore
from services.status.network.handlers import NetworkHandlers
from services.status.network.store import NetworkStore
from services.status.partner import api as partner_api
from services.status.partner.api import Kept, Sources
from services.status.partner.handlers import PartnerHandlers
from services.status.partner.store import PartnerStore
from services.status.picture.api import Hub, LiveEndpoint
from services.status.picture.store import PictureStore
from services.status.picture.web import PicturePages
from services.status.readiness.handlers import ReadinessHandlers
from services.status.readiness.jobs import ReadinessJobs
from services.status.readiness.store import ReadinessStore
from services.status.rehearsal.handlers import RehearsalHandlers
from services.status.rehearsal.store import RunningExercises
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
from services.status.suggestion.jobs import Suggesting
from services.status.suggestion.store import SuggestionStore
from services.status.suggestion.web import SuggestionPages
from services.status.timeline.store import TimelineStore
from services.status.timeline.web import TimelinePages
from shared.audit_pages import AuditPages
from shared.audit_rows import AuditStore
from shared.clock import Clock, SystemClock
from shared.events.exercise import ExerciseEnded, ExerciseStarted, InjectFired
from shared.events.intake import (
    AssociationChanged,
    AssociationDeclined,
    AssociationNotReached,
    CheckInReceived,
    NetworkChanged,
    PartnerKeyChanged,
)
from shared.events.status import ReadinessChanged
from shared.house import House, build
from shared.rehearsals import EndedExercises
from shared.settings import Settings

HERE = Path(__file__).parent
WARNINGS_EVERY = 120.0
CHECK_AUDIT_EVERY = 600.0


def make_app(settings: Settings, *, clock: Clock | None = None) -> FastAPI:
    """The service as a web application; its lifespan attaches it to the bus and runs its jobs."""
    clock = clock or SystemClock()
    house = _house(settings, clock)
    database, bus = house.database, house.bus

    situations = SituationStore(database, clock=clock)
    associations = AssociationStore(database)
    rounds = RoundStore(database, clock=clock)
    readiness = ReadinessStore(database, clock=clock)
    networks, timeline = NetworkStore(database), TimelineStore(database)
    geography, attention = GeographyStore(database), AttentionStore(database, clock=clock)
    aid, abilities, looks = AidStore(database, clock=clock), CapabilityStore(database), PictureStore(database)
    running = RunningExercises(database)
    pictures = _pictures(house, looks, situations, networks, timeline, geography, attention, running)
    press = Press(house.pages)
    reports, links = ReportStore(database, clock=clock, render=press), LinkStore(database, clock=clock)
    hub = Hub(pictures.fragment, clock=clock)

    kept = Kept(clock)
    keys = PartnerStore(database, clock=clock)
    _listen(house, readiness, networks, keys)
    _rehearse(house, situations, rounds, running)

    async def on_readiness_changed(event: ReadinessChanged) -> None:
        kept.look_again()
        await hub.on_readiness_changed(event)

    bus.overhears(ReadinessChanged, on_readiness_changed)
    database.after_commit(hub.look_again)
    database.after_commit(kept.look_again)
    _do_what_is_due(house, readiness, rounds, situations)
    house.jobs.every(10, AttentionJobs(attention).look)

    app = house.app(started=hub.running)
    live = LiveEndpoint(hub, situations=situations, sessions=house.sessions, clock=clock)
    app.router.routes.append(live.route())
    for topic in (
        SituationPages(situations, suggestions=_suggest(app, house, geography), running=running, clock=clock),
        TimelinePages(timeline, situations=situations, clock=clock),
        RoundPages(rounds, situations=situations, associations=associations, networks=networks, clock=clock),
        AidPages(aid, situations=situations),
        AttentionPages(attention, situations=situations, clock=clock),
        DisputePages(DisputeStore(database, clock=clock), situations=situations),
        CapabilityPages(abilities, situations=situations, networks=networks, clock=clock),
        ReportPages(reports, situations=situations, press=press, clock=clock),
        LinkPages(links, reports=reports, situations=situations, clock=clock, public_url=settings.public_url),
        pictures,
    ):
        app.include_router(topic.router())
    _audit(app, house, associations)
    read = Sources(situations, looks, networks, abilities, aid, reports, timeline, clock, geography.boundaries)
    app.state.partner_api = partner_api.api(keys, read, kept)
    app.mount(partner_api.BASE, app.state.partner_api)
    app.state.situations, app.state.associations, app.state.networks = situations, associations, networks
    app.state.geography, app.state.attention = geography, attention
    app.state.running = running
    app.state.reports, app.state.links, app.state.timeline = reports, links, timeline
    app.state.rounds, app.state.readiness, app.state.hub, app.state.partners = rounds, readiness, hub, keys
    return app


def _audit(app: FastAPI, house: House, associations: AssociationStore) -> None:
    """What the staff did here. Names of persons are intake's alone: the page leads to theirs."""
    audit = AuditStore(house.database, clock=house.clock, tables=AUDIT)
    house.jobs.every(CHECK_AUDIT_EVERY, audit.check)
    pages = AuditPages(audit, BOOK, names=associations.names, actors=audit.choices, clock=house.clock)
    app.include_router(pages.router())
    app.state.audit = audit


def _listen(house: House, readiness: ReadinessStore, networks: NetworkStore, keys: PartnerStore) -> None:
    """What this service hears, and who takes it."""
    news, bus = ReadinessHandlers(readiness), house.bus
    bus.hears(AssociationChanged, news.on_association_changed)
    bus.hears(CheckInReceived, news.on_checkin_received)
    bus.hears(AssociationNotReached, news.on_association_not_reached)
    bus.hears(AssociationDeclined, news.on_association_declined)
    bus.hears(NetworkChanged, NetworkHandlers(networks).on_network_changed)
    bus.hears(PartnerKeyChanged, PartnerHandlers(keys).on_partner_key_changed)


def _rehearse(house: House, situations: SituationStore, rounds: RoundStore, running: RunningExercises) -> None:
    """What exercises open and end in their realms, and which of them run."""
    ended = EndedExercises(house.database, clock=house.clock, service=VOICE.service)
    rehearsal = RehearsalHandlers(situations, rounds, ended, running=running)
    house.bus.hears(ExerciseStarted, rehearsal.on_exercise_started)
    house.bus.hears(InjectFired, rehearsal.on_inject_fired)
    house.bus.hears(ExerciseEnded, rehearsal.on_exercise_ended)


def _do_what_is_due(house: House, readiness: ReadinessStore, rounds: RoundStore, situations: SituationStore) -> None:
    """What is done by the clock."""
    house.jobs.every(30, ReadinessJobs(readiness).sweep_stale)
    house.jobs.every(15, RoundJobs(rounds).remind)
    house.jobs.every(15, RoundJobs(rounds).repeat)
    house.jobs.every(15, SituationJobs(situations).close_due_rounds)


def _suggest(app: FastAPI, house: House, geography: GeographyStore) -> SuggestionStore:
    """Warnings are read where the operator has named a feed, and on command."""
    sources = house.settings.cap_sources.split()
    suggestions = SuggestionStore(house.database, clock=house.clock)
    suggesting = Suggesting(suggestions, geography, sources=sources)
    if sources:
        house.jobs.every(WARNINGS_EVERY, suggesting.look)
    app.include_router(SuggestionPages(suggestions).router())
    app.state.suggestions, app.state.suggesting = suggestions, suggesting
    return suggestions


def _house(settings: Settings, clock: Clock) -> House:
    return build(
        VOICE,
        settings,
        clock=clock,
        tables=StatusTable.metadata,
        migrations=HERE / "migrations",
        templates=(HERE / "templates",),
    )


def _pictures(
    house: House,
    looks: PictureStore,
    situations: SituationStore,
    networks: NetworkStore,
    timeline: TimelineStore,
    geography: GeographyStore,
    attention: AttentionStore,
    running: RunningExercises,
) -> PicturePages:
    return PicturePages(
        looks,
        situations,
        networks=networks,
        timeline=timeline,
        geography=geography,
        attention=attention,
        running=running,
        pages=house.pages,
        clock=house.clock,
    )
