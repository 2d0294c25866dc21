"""Intake's application: the real parts, put together."""

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from fastapi import FastAPI

from services.intake import VOICE
from services.intake.access import web as access_web
from services.intake.access.jobs import AccessJobs
from services.intake.access.store import AccessStore
from services.intake.audit.model import BOOK
from services.intake.audit.store import AUDIT
from services.intake.calling import web as calling_web
from services.intake.calling.store import CallStore
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
from services.intake.invitation.jobs import InvitationJobs
from services.intake.invitation.store import InvitationStore
from services.intake.merger import web as merger_web
from services.intake.merger.store import MergerStore
from services.intake.networks import web as networks_web
from services.intake.networks.store import NetworkStore
from services.intake.paper import web as paper_web
from services.intake.paper.store import PaperStore
from services.intake.partner import api as partner_api
from services.intake.partner import web as partner_web
from services.intake.partner.store import PartnerStore
from services.intake.people import web as people_web
from services.intake.people.store import PeopleStore
from services.intake.register_file import web as register_file_web
from services.intake.register_file.store import RegisterFileStore
from services.intake.registry import web as registry_web
from services.intake.registry.store import RegistryStore
from services.intake.rehearsal.handlers import RehearsalHandlers
from services.intake.rehearsal.store import RehearsalStore
from services.intake.reminder.handlers import ReminderHandlers
from services.intake.reminder.store import ReminderStore
from services.intake.reply import web as reply_web
from services.intake.reply.mail import listening
from services.intake.reply.store import ReplyStore
from services.intake.retention.handlers import RetentionHandlers
from services.intake.retention.jobs import RetentionJobs
from services.intake.retention.store import RetentionStore
from services.intake.schema import IntakeTable
from services.intake.worklist import web as worklist_web
from services.intake.worklist.model import Tray
from services.intake.worklist.store import WorkListStore
from shared.audit_pages import AuditPages
from shared.audit_rows import AuditStore
from shared.clock import Clock, SystemClock
from shared.events.exercise import ExerciseEnded, ExerciseStarted, RosterFrozen, SimulatedNotReached
from shared.events.notify import LetterFailed, LetterReturned, PersonErased
from shared.events.status import RoundClosed, RoundOpened, RoundReminded, SituationClosed
from shared.house import House, build
from shared.i18n import N_
from shared.settings import Settings

HERE = Path(__file__).parent
HALF_A_MINUTE, MINUTE, HOUR = 30, 60, 3600


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
    calls = CallStore(house.database, clock=clock)
    worklist = WorkListStore(house.database, clock=clock)
    paper = PaperStore(house.database, clock=clock, secret=settings.secret.get_secret_value())
    reply = ReplyStore(house.database, clock=clock, public_url=settings.public_url)
    confirmation = ConfirmationStore(house.database, clock=clock, public_url=settings.public_url)
    reminders = ReminderStore(house.database, clock=clock, public_url=settings.public_url)
    _listen(house, invitation, confirmation, reminders)
    rehearsals = _rehearse(house, invitation)
    house.jobs.every(HOUR, AccessJobs(access).forget)
    retention = _forget(house)
    patience = timedelta(hours=settings.escalate_after_hours)
    house.jobs.every(MINUTE, InvitationJobs(invitation, escalate_after=patience).turn_silent)

    @asynccontextmanager
    async def started() -> AsyncIterator[None]:
        async with listening(reply, settings.inbound, domain=settings.mail_domain, clock=clock):
            yield
        await reply.close()
        await checkin.close()

    app = house.app(started=started)
    app.router.routes[:0] = checkin_web.routes(checkin, clock=clock, pages=house.pages)  # the busiest door first
    app.include_router(calling_web.pages(calls, checkin, clock=clock, rendered=house.pages))
    app.include_router(worklist_web.pages(worklist, _trays(calls, worklist, reply, registry)))
    app.include_router(paper_web.pages(paper, calls, checkin, clock=clock, settings=settings))
    app.include_router(access_web.pages(access, house.sessions, secure=settings.secure))
    app.include_router(history_web.pages(history, checkin.invited, clock=clock))
    _desk(app, house, registry, confirmation)
    _add_register_files(app, house, register_files)
    app.include_router(registry_web.pages(registry))
    _add_people_and_partners(app, house, access, checkin)
    app.include_router(reply_web.pages(reply))
    people = {"access": access, "checkin": checkin, "history": history, "invitation": invitation, "reply": reply}
    desk = {"registry": registry, "register_files": register_files, "calls": calls, "paper": paper}
    _keep(app, **people, **desk, worklist=worklist, reminders=reminders, retention=retention, rehearsals=rehearsals)
    return app


def _keep(app: FastAPI, **stores: object) -> None:
    """Commands and tests reach the stores by the application's state."""
    for name, store in stores.items():
        setattr(app.state, name, store)


def _rehearse(house: House, invitation: InvitationStore) -> RehearsalStore:
    """Exercises: who takes part in them, and those whom they simulate."""
    secret = house.settings.secret.get_secret_value()
    rehearsals = RehearsalStore(house.database, clock=house.clock, secret=secret)
    rosters, rounds = RehearsalHandlers(rehearsals), InvitationHandlers(invitation)

    async def on_exercise_ended(event: ExerciseEnded) -> None:
        await rosters.on_exercise_ended(event)
        await rounds.on_exercise_ended(event)

    house.bus.hears(RosterFrozen, rosters.on_roster_frozen)
    house.bus.hears(PersonErased, rosters.on_person_erased)
    house.bus.hears(ExerciseStarted, rosters.on_exercise_started)
    house.bus.hears(ExerciseEnded, on_exercise_ended)
    house.bus.hears(SimulatedNotReached, rounds.on_simulated_not_reached)
    return rehearsals


def _forget(house: House) -> RetentionStore:
    """People's own words are removed when their situation has been over for long."""
    retention = RetentionStore(house.database, clock=house.clock)
    house.bus.hears(SituationClosed, RetentionHandlers(retention).on_situation_closed)
    house.jobs.every(HOUR, RetentionJobs(retention).remove)
    return retention


def _trays(calls: CallStore, worklist: WorkListStore, reply: ReplyStore, registry: RegistryStore) -> list[Tray]:
    """What waits for a clerk, one line for each place where it is done."""
    return [
        Tray(N_("To be called"), "/calls", calls.outstanding),
        Tray(N_("Email replies to be read"), "/replies", reply.waiting_count),
        Tray(N_("Wishes of contacts"), "/registry/proposals", registry.proposed),
        Tray(N_("Addresses that failed"), "/work-list/failed", worklist.failed_count),
        Tray(N_("Wrong telephone numbers"), "/calls", worklist.wrong_numbers),
        Tray(N_("Associations that nobody can reach"), "/work-list/unreachable", worklist.unreachable_count),
    ]


def _add_register_files(app: FastAPI, house: House, files: RegisterFileStore) -> None:
    """Lists in and out, and the job that reads them."""
    house.jobs.every(HOUR, files.forget)
    reading = house.jobs.every(HALF_A_MINUTE, files.work)
    app.include_router(register_file_web.pages(files, clock=house.clock, wake=reading.wake))


def _desk(app: FastAPI, house: House, registry: RegistryStore, confirmation: ConfirmationStore) -> None:
    """The register's other pages; a test or a command reaches their stores by the application's state."""
    editing = EditingStore(house.database, clock=house.clock)
    merger = MergerStore(house.database, clock=house.clock)
    networks = NetworkStore(house.database, clock=house.clock)
    app.include_router(editing_web.pages(registry, editing))
    app.include_router(contacts_web.pages(registry, ContactStore(house.database, clock=house.clock)))
    app.include_router(merger_web.pages(registry, merger))
    app.include_router(networks_web.pages(registry, networks))
    app.include_router(capabilities_web.pages(CapabilityStore(house.database, clock=house.clock)))
    app.include_router(confirmation_web.pages(confirmation, automatic=house.settings.confirm_twice_a_year))
    app.state.confirmation = confirmation
    app.state.editing = editing
    app.state.merger = merger
    app.state.networks = networks


def _listen(
    house: House, invitation: InvitationStore, confirmation: ConfirmationStore, reminders: ReminderStore
) -> None:
    rounds, details = InvitationHandlers(invitation), ConfirmationHandlers(confirmation)
    jobs = ConfirmationJobs(confirmation)

    async def on_letter_failed(event: LetterFailed) -> None:
        await rounds.on_letter_failed(event)
        await details.on_letter_failed(event)

    async def on_letter_returned(event: LetterReturned) -> None:
        await rounds.on_letter_returned(event)
        await details.on_letter_returned(event)

    house.bus.hears(RoundOpened, rounds.on_round_opened)
    house.bus.hears(RoundReminded, ReminderHandlers(reminders).on_round_reminded)
    house.bus.hears(RoundClosed, rounds.on_round_closed)
    house.bus.hears(LetterFailed, on_letter_failed)
    house.bus.hears(LetterReturned, on_letter_returned)
    house.jobs.every(MINUTE, jobs.ask)
    if house.settings.confirm_twice_a_year:
        house.jobs.every(HOUR, jobs.begin)


def _add_people_and_partners(app: FastAPI, house: House, access: AccessStore, checkin: CheckInStore) -> None:
    """Who may come in, persons and programs, and what was written down of them."""
    people = PeopleStore(house.database, clock=house.clock)
    partners = PartnerStore(house.database, clock=house.clock)
    audit = AuditStore(house.database, clock=house.clock, tables=AUDIT)
    house.jobs.every(10 * MINUTE, audit.check)

    async def names(ids: Collection[UUID]) -> dict[UUID, str]:
        return {**await partners.names(ids), **await people.names(ids)}

    async def actors() -> list[tuple[str, str]]:
        return [(str(known.person_id), known.entry.name) for known in await people.everybody()]

    app.include_router(people_web.pages(people, access))
    app.include_router(partner_web.pages(partners, clock=house.clock))
    app.include_router(AuditPages(audit, BOOK, names=names, actors=actors, clock=house.clock).router())
    api = partner_api.api(partners, checkin, clock=house.clock)
    app.mount(partner_api.BASE, api)
    app.state.people = people
    app.state.partners = partners
    app.state.partner_api = api
    app.state.audit = audit
