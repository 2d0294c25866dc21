"""App: the service `exercise`, made of its real parts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI

from services.exercise import VOICE
from services.exercise.announcement.store import AnnouncementStore
from services.exercise.announcement.web import AnnouncementPages
from services.exercise.association.handlers import AssociationHandlers
from services.exercise.association.store import AssociationStore
from services.exercise.director.api import LiveBoard
from services.exercise.director.jobs import DirectorJobs
from services.exercise.director.store import DirectorStore
from services.exercise.director.web import BoardPages
from services.exercise.enrolment.handlers import EnrolmentHandlers
from services.exercise.enrolment.jobs import EnrolmentJobs
from services.exercise.enrolment.store import EnrolmentStore
from services.exercise.enrolment.web import ParticipantPages, SignUpPages
from services.exercise.evaluation.handlers import EvaluationHandlers
from services.exercise.evaluation.store import EvaluationStore, Sources
from services.exercise.evaluation.web import EvaluationPages
from services.exercise.exercise.store import ExerciseStore
from services.exercise.exercise.web import ExercisePages
from services.exercise.expectation.store import ExpectationStore
from services.exercise.expectation.web import ExpectationPages
from services.exercise.observation.store import ObservationStore
from services.exercise.observation.web import ObservationPages
from services.exercise.schema import ExerciseTable
from services.exercise.simulated.handlers import SimulatedHandlers
from services.exercise.simulated.jobs import SimulatedJobs
from services.exercise.simulated.store import SimulatedStore
from shared.answer_door import AnswerDoor
from shared.clock import Clock, SystemClock
from shared.events.intake import (
    AnswersRehearsed,
    AssociationChanged,
    AssociationDeclined,
    AssociationNotReached,
    NetworkChanged,
    SimulatedAsked,
)
from shared.events.notify import BroadcastFinished, GuidancePublished, PersonErased
from shared.events.status import RoundClosed, RoundOpened, SituationOpened
from shared.house import House, build
from shared.live import Hub
from shared.settings import Settings

HERE = Path(__file__).parent
FORGET_EVERY = 600.0
LOOK_EVERY = 1.0
TELL_EVERY = 60.0
ANSWERING = 2
"""Batches of simulated answers on their way: while one is settled, another is sent."""
"""Seconds between two looks at the clocks of running exercises."""


def make_app(settings: Settings, *, clock: Clock | None = None) -> FastAPI:
    """The service as a web application; its lifespan attaches it to the bus and directs what runs."""
    clock = clock or SystemClock()
    house = build(
        VOICE,
        settings,
        clock=clock,
        tables=ExerciseTable.metadata,
        migrations=HERE / "migrations",
        templates=(HERE / "templates",),
    )
    exercises = ExerciseStore(house.database, clock=clock)
    director = DirectorStore(house.database, clock=clock)
    house.jobs.every(LOOK_EVERY, DirectorJobs(director).direct)
    simulated = SimulatedStore(house.database, clock=clock)
    door = AnswerDoor(settings.form_url or settings.public_url)
    _simulate(house, simulated, door)

    sources = Sources(exercises, director, ExpectationStore(house.database), ObservationStore(house.database))
    evaluation = EvaluationStore(house.database, sources, clock=clock)
    boards = BoardPages(
        exercises,
        director=director,
        simulated=simulated,
        answers=evaluation.answers,
        pages=house.pages,
        clock=clock,
    )
    hub = Hub(boards.fragment, clock=clock)
    house.database.after_commit(hub.look_again)

    @asynccontextmanager
    async def started() -> AsyncIterator[None]:
        async with door, hub.running():
            yield

    app = house.app(started=started)
    app.router.routes.append(LiveBoard(hub, exercises=exercises, sessions=house.sessions, clock=clock).route())
    app.include_router(ExercisePages(exercises, clock=clock).router())
    app.include_router(boards.router())
    app.state.exercises, app.state.director, app.state.hub = exercises, director, hub
    app.state.simulated = simulated
    _evaluate(app, house, evaluation, sources)
    _wire_joining(app, house, exercises)
    return app


def _evaluate(app: FastAPI, house: House, evaluation: EvaluationStore, sources: Sources) -> None:
    """What happens in exercises is noted, and what they showed is told."""
    database, bus, clock = house.database, house.bus, house.clock
    exercises, expectations, observations = sources.exercises, sources.expectations, sources.observations
    registry, notes = AssociationHandlers(AssociationStore(database)), EvaluationHandlers(evaluation)
    bus.hears(AssociationChanged, registry.on_association_changed)
    bus.hears(NetworkChanged, registry.on_network_changed)
    bus.hears(SituationOpened, notes.on_situation_opened)
    bus.hears(RoundOpened, notes.on_round_opened)
    bus.hears(RoundClosed, notes.on_round_closed)
    bus.hears(AnswersRehearsed, notes.on_answers_rehearsed)
    bus.hears(AssociationNotReached, notes.on_association_not_reached)
    bus.hears(AssociationDeclined, notes.on_association_declined)
    bus.hears(GuidancePublished, notes.on_guidance_published)
    bus.hears(BroadcastFinished, notes.on_broadcast_finished)
    for topic in (
        EvaluationPages(evaluation, exercises=exercises, observations=observations, clock=clock),
        ExpectationPages(expectations, exercises=exercises, clock=clock),
        ObservationPages(observations, exercises=exercises, clock=clock),
    ):
        app.include_router(topic.router())
    app.state.evaluation, app.state.observations = evaluation, observations


def _simulate(house: House, simulated: SimulatedStore, door: AnswerDoor) -> None:
    """Those whom nobody plays answer at the public door."""
    house.bus.hears(SimulatedAsked, SimulatedHandlers(simulated).on_simulated_asked)
    for _ in range(ANSWERING):
        house.jobs.every(LOOK_EVERY, SimulatedJobs(simulated, door, clock=house.clock).answer)


def _wire_joining(app: FastAPI, house: House, exercises: ExerciseStore) -> None:
    """Announcing, signing up, and the list of those who take part."""
    database, clock, public_url = house.database, house.clock, house.settings.public_url
    announcements = AnnouncementStore(database, clock=clock)
    secret = house.settings.secret.get_secret_value()
    enrolment = EnrolmentStore(database, clock=clock, public_url=public_url, secret=secret)
    house.bus.hears(PersonErased, EnrolmentHandlers(enrolment).on_person_erased)
    jobs = EnrolmentJobs(enrolment)
    house.jobs.every(FORGET_EVERY, jobs.forget)
    house.jobs.every(TELL_EVERY, jobs.tell)
    for pages in (
        AnnouncementPages(announcements, exercises=exercises, clock=clock, public_url=public_url),
        SignUpPages(enrolment, announcements),
        ParticipantPages(enrolment, exercises=exercises),
    ):
        app.include_router(pages.router())
    app.state.announcements, app.state.enrolment = announcements, enrolment
