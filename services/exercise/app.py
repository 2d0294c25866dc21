"""App: the service `exercise`, made of its real parts."""

from pathlib import Path

from fastapi import FastAPI

from services.exercise import VOICE
from services.exercise.director.api import LiveBoard
from services.exercise.director.jobs import DirectorJobs
from services.exercise.director.store import DirectorStore
from services.exercise.director.web import BoardPages
from services.exercise.exercise.store import ExerciseStore
from services.exercise.exercise.web import ExercisePages
from services.exercise.schema import ExerciseTable
from shared.clock import Clock, SystemClock
from shared.house import build
from shared.live import Hub
from shared.settings import Settings

HERE = Path(__file__).parent
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

    boards = BoardPages(exercises, director=director, pages=house.pages, clock=clock)
    hub = Hub(boards.fragment, clock=clock)
    house.database.after_commit(hub.look_again)

    app = house.app(started=hub.running)
    app.router.routes.append(LiveBoard(hub, exercises=exercises, sessions=house.sessions, clock=clock).route())
    app.include_router(ExercisePages(exercises, clock=clock).router())
    app.include_router(boards.router())
    app.state.exercises, app.state.director, app.state.hub = exercises, director, hub
    return app
