"""Fixtures of notify: the real application on SQLite, without a bus, and browsers at its door."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from starlette.responses import Response

from services.notify.app import make_app
from services.notify.guidance.store import GuidanceStore
from services.notify.subscribers.store import SubscriberStore
from shared.clock import Clock
from shared.identity import Role, Sessions, Staff
from shared.ids import new_id
from shared.settings import Settings
from tests.fakes import FakeClock

HERE = "http://127.0.0.1:8000"


@pytest.fixture
async def app(settings: Settings, clock: FakeClock) -> AsyncIterator[FastAPI]:
    """Notify, running."""
    app = make_app(settings, clock=clock)
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def browser(app: FastAPI) -> AsyncIterator[AsyncClient]:
    """The browser of somebody who is not known to us."""
    async with AsyncClient(transport=ASGITransport(app=app), base_url=HERE) as client:
        yield client


@pytest.fixture
def subscribers(app: FastAPI) -> SubscriberStore:
    store: SubscriberStore = app.state.subscribers
    return store


@pytest.fixture
def guidance(app: FastAPI) -> GuidanceStore:
    store: GuidanceStore = app.state.guidance
    return store


def staff(clock: Clock, *roles: Role) -> Staff:
    """Somebody of the staff, signed in until tomorrow."""
    return Staff(new_id(), new_id(), frozenset(roles), clock.now() + timedelta(days=1))


def signed_in(app: FastAPI, person: Staff) -> AsyncClient:
    """A browser in which this person is signed in."""
    sessions: Sessions = app.state.sessions
    response = Response()
    sessions.sign_in(response, person)
    cookie = response.headers["set-cookie"].partition(";")[0]
    return AsyncClient(transport=ASGITransport(app=app), base_url=HERE, headers={"cookie": cookie})
