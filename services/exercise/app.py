"""App: the service `exercise`, made of its real parts."""

from pathlib import Path

from fastapi import FastAPI

from services.exercise import VOICE
from services.exercise.announcement.store import AnnouncementStore
from services.exercise.announcement.web import AnnouncementPages
from services.exercise.director.jobs import DirectorJobs
from services.exercise.director.store import DirectorStore
from services.exercise.director.web import BoardPages
from services.exercise.enrolment.jobs import EnrolmentJobs
from services.exercise.enrolment.store import EnrolmentStore
from services.exercise.enrolment.web import ParticipantPages, SignUpPages
from services.exercise.exercise.store import ExerciseStore
from services.exercise.exercise.web import ExercisePages
from services.exercise.schema import ExerciseTable
from shared.clock import Clock, SystemClock
from shared.house import House, build
from shared.settings import Settings

HERE = Path(__file__).parent
FORGET_EVERY = 600.0
LOOK_EVERY = 1.0
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

    app = house.app()
    app.include_router(ExercisePages(exercises, clock=clock).router())
    app.include_router(BoardPages(exercises, director=director, clock=clock).router())
    app.state.exercises, app.state.director = exercises, director
    _wire_joining(app, house, exercises)
    return app


def _wire_joining(app: FastAPI, house: House, exercises: ExerciseStore) -> None:
    """Announcing, signing up, and the list of those who take part."""
    database, clock, public_url = house.database, house.clock, house.settings.public_url
    announcements = AnnouncementStore(database, clock=clock)
    enrolment = EnrolmentStore(database, clock=clock, public_url=public_url)
    house.jobs.every(FORGET_EVERY, EnrolmentJobs(enrolment).forget)
    for pages in (
        AnnouncementPages(announcements, exercises=exercises, clock=clock, public_url=public_url),
        SignUpPages(enrolment, announcements),
        ParticipantPages(enrolment, exercises=exercises),
    ):
        app.include_router(pages.router())
    app.state.announcements, app.state.enrolment = announcements, enrolment
