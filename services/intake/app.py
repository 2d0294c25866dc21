"""Intake's application: the real parts, put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI

from services.intake import VOICE
from services.intake.access import web as access_web
from services.intake.access.jobs import AccessJobs
from services.intake.access.store import AccessStore
from services.intake.audit.store import AuditStore
from services.intake.capabilities import web as capabilities_web
from services.intake.capabilities.store import CapabilityStore
from services.intake.checkin import web as checkin_web
from services.intake.checkin.store import CheckInStore
from services.intake.confirmation import web as confirmation_web
from services.intake.confirmation.handlers import ConfirmationHandlers
from services.intake.confirmation.jobs import ConfirmationJobs
from services.intake.confirmation.store import ConfirmationStore
from services.intake.contacts import web as contacts_web
from services.intake.contacts.store import ContactStore
from services.intake.editing import web as editing_web
from services.intake.editing.store import EditingStore
from services.intake.history import web as history_web
from services.intake.history.store import HistoryStore
from services.intake.invitation.handlers import InvitationHandlers
from services.intake.invitation.store import InvitationStore
from services.intake.merger import web as merger_web
from services.intake.merger.store import MergerStore
from services.intake.networks import web as networks_web
from services.intake.networks.store import NetworkStore
from services.intake.register_file import web as register_file_web
from services.intake.register_file.jobs import RegisterFileJobs
from services.intake.register_file.store import RegisterFileStore
from services.intake.registry import web as registry_web
from services.intake.registry.store import RegistryStore
from services.intake.schema import IntakeTable
from shared.clock import Clock, SystemClock
from shared.events.notify import LetterFailed
from shared.events.status import RoundClosed, RoundOpened
from shared.house import House, build
from shared.settings import Settings

HERE = Path(__file__).parent
HOUR = 3600
MINUTE = 60


def make_app(settings: Settings, *, clock: Clock | None = None) -> FastAPI:
    """The service, ready to be started; nothing runs before its lifespan is entered."""
    clock = clock or SystemClock()
    house = build(
        VOICE,
        settings,
        clock=clock,
        tables=IntakeTable.metadata,
        migrations=HERE / "migrations",
        templates=(HERE / "templates",),
    )
    registry = RegistryStore(house.database, clock=clock)
    register_files = RegisterFileStore(house.database, clock=clock)
    access = AccessStore(house.database, clock=clock, public_url=settings.public_url)
    checkin = CheckInStore(house.database)
    history = HistoryStore(house.database)
    invitation = InvitationStore(house.database, clock=clock, public_url=settings.public_url)
    confirmation = ConfirmationStore(house.database, clock=clock, public_url=settings.public_url)
    _listen(house, InvitationHandlers(invitation), ConfirmationHandlers(confirmation))
    _confirm(house, ConfirmationJobs(confirmation))
    house.jobs.every(HOUR, AccessJobs(access).forget)
    house.jobs.every(HOUR, RegisterFileJobs(register_files).forget_uploads)

    @asynccontextmanager
    async def started() -> AsyncIterator[None]:
        yield
        await checkin.close()

    app = house.app(started=started)
    app.router.routes[:0] = checkin_web.routes(checkin, clock=clock, pages=house.pages)  # the busiest door first
    app.include_router(access_web.pages(access, house.sessions, secure=settings.secure))
    app.include_router(history_web.pages(history, checkin.invited, clock=clock))
    app.include_router(register_file_web.pages(register_files))
    _desk(app, house, registry)
    app.include_router(confirmation_web.pages(confirmation, automatic=settings.confirm_twice_a_year))
    app.include_router(registry_web.pages(registry))
    app.state.registry = registry
    app.state.register_files = register_files
    app.state.access = access
    app.state.audit = AuditStore(house.database)
    app.state.checkin = checkin
    app.state.confirmation = confirmation
    app.state.history = history
    app.state.invitation = invitation
    return app


def _desk(app: FastAPI, house: House, registry: RegistryStore) -> None:
    """The register's other pages; a test or a command reaches their stores by the application's state."""
    editing = EditingStore(house.database, clock=house.clock)
    merger = MergerStore(house.database, clock=house.clock)
    networks = NetworkStore(house.database, clock=house.clock)
    app.include_router(editing_web.pages(registry, editing))
    app.include_router(contacts_web.pages(registry, ContactStore(house.database, clock=house.clock)))
    app.include_router(merger_web.pages(registry, merger))
    app.include_router(networks_web.pages(registry, networks))
    app.include_router(capabilities_web.pages(CapabilityStore(house.database, clock=house.clock)))
    app.state.editing = editing
    app.state.merger = merger
    app.state.networks = networks


def _confirm(house: House, jobs: ConfirmationJobs) -> None:
    house.jobs.every(MINUTE, jobs.ask)
    if house.settings.confirm_twice_a_year:
        house.jobs.every(HOUR, jobs.begin)


def _listen(house: House, handlers: InvitationHandlers, confirmation: ConfirmationHandlers) -> None:
    async def on_letter_failed(event: LetterFailed) -> None:
        await handlers.on_letter_failed(event)
        await confirmation.on_letter_failed(event)

    house.bus.hears(RoundOpened, handlers.on_round_opened)
    house.bus.hears(RoundClosed, handlers.on_round_closed)
    house.bus.hears(LetterFailed, on_letter_failed)
