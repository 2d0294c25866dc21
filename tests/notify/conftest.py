"""Fixtures of notify: the real application on SQLite, without a bus, and browsers at its door."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from sqlalchemy import select
from sqlmodel import col
from starlette.responses import Response

from services.notify.app import make_app
from services.notify.delivery.schema import DeliveryRow, LetterRow
from services.notify.guidance.store import GuidanceStore
from services.notify.subscribers.store import Subscriber, SubscriberStore
from shared.clock import Clock
from shared.house import House
from shared.identity import Role, Sessions, Staff
from shared.ids import new_id
from shared.settings import Settings
from tests.fakes import FakeClock
from tests.migrated import Migrated

HERE = "http://127.0.0.1:8000"


@pytest.fixture
async def app(settings: Settings, clock: FakeClock, migrated: Migrated) -> AsyncIterator[FastAPI]:
    """Notify with its real parts and tables; its jobs rest, the test does their work by hand."""
    await migrated.copy_to(settings.database_of("notify"), "notify")
    app = make_app(settings, clock=clock)
    house: House = app.state.house
    yield app
    await house.database.close()


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


@dataclass(frozen=True)
class Copy:
    """One recipient's copy of a letter, as the ledger holds it."""

    letter: LetterRow
    delivery: DeliveryRow


async def letters_to(app: FastAPI, recipient_id: UUID) -> list[Copy]:
    """The letters to one recipient, oldest first."""
    same = (col(LetterRow.realm) == col(DeliveryRow.realm)) & (col(LetterRow.letter_id) == col(DeliveryRow.letter_id))
    async with app.state.house.database.read() as session:
        rows = await session.execute(
            select(LetterRow, DeliveryRow)
            .join(DeliveryRow, same)
            .where(col(DeliveryRow.recipient_id) == recipient_id)
            .order_by(col(DeliveryRow.id))
        )
        return [Copy(letter, delivery) for letter, delivery in rows]


async def row_of(app: FastAPI, key: str) -> Subscriber:
    """The subscriber with this address."""
    async with app.state.house.database.read() as session:
        row: Subscriber = (
            await session.execute(select(Subscriber).where(col(Subscriber.email_key) == key))
        ).scalar_one()
        return row


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
