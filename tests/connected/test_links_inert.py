"""Links are inert: mail programs and scanners open every one of them, often and with scripts, and nothing changes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from sqlalchemy import select
from sqlmodel import col

from services.exercise.announcement.model import Draft as AnnouncementDraft
from services.exercise.announcement.model import announce
from services.exercise.app import make_app as make_exercise
from services.exercise.enrolment.model import Asked
from services.exercise.exercise.model import Draft as ExerciseDraft
from services.exercise.exercise.model import Planned, plan
from services.intake.access.model import PersonEntry
from services.intake.app import make_app as make_intake
from services.notify.app import make_app as make_notify
from services.notify.subscribers.model import Audience, Links, Wishes, consent
from services.notify.subscribers.store import Subscriber, SubscriberStore
from shared.clock import SystemClock
from shared.db import Database
from shared.events.notify import UrgentLetterRequested
from shared.house import House
from shared.i18n import Locale, texts
from shared.identity import Role
from shared.ids import new_id
from shared.migrate import migrate
from shared.plumbing import OutboxRow
from shared.settings import Settings
from tests.exercise.conftest import AINO, STORM
from tests.faults.dump import dump
from tests.faults.evening import ADDRESS, HATTULA, ask, database_of

pytestmark = pytest.mark.connected

TIMES = 1000
AT_ONCE = 10


async def assert_inert(app: FastAPI, path: str, *, times: int = TIMES, answer: int = 200) -> None:
    """Open this path by GET and HEAD in turn, so many times in all: each is answered so, and not one row differs."""
    database = database_of(app)
    before = await dump(database)

    async with AsyncClient(transport=ASGITransport(app=app), base_url=ADDRESS) as scanner:
        for _ in range(times // AT_ONCE):
            methods = ["GET", "HEAD"] * (AT_ONCE // 2)
            replies = await asyncio.gather(*(scanner.request(method, path) for method in methods))
            assert {reply.status_code for reply in replies} == {answer}

    assert await dump(database) == before


@asynccontextmanager
async def resting(app: FastAPI) -> AsyncIterator[FastAPI]:
    """The service with its tables and doors; bus and jobs rest, so that only a visitor could change anything."""
    house: House = app.state.house
    await migrate(house.database, house.migrations)
    try:
        yield app
    finally:
        await house.database.close()


@pytest.mark.slow
async def test_opening_a_check_in_link_a_thousand_times_changes_nothing(settings: Settings) -> None:
    evening = await ask(settings, 1)
    [path] = evening.links.values()

    async with resting(make_intake(settings)) as intake:
        async with AsyncClient(transport=ASGITransport(app=intake), base_url=ADDRESS) as door:
            await assert_inert(intake, path, times=10)
            assert await evening.answer_all(door) == {200: 1}
        await assert_inert(intake, path)
        await assert_inert(intake, f"{path}/history", times=100)


@pytest.mark.slow
async def test_opening_a_sign_in_link_a_thousand_times_does_not_use_it(settings: Settings) -> None:
    async with resting(make_intake(settings)) as intake:
        await intake.state.access.add_person(PersonEntry("Aino", "aino@example.org", frozenset({Role.LIAISON})))
        link = await intake.state.access.operator_link("aino@example.org", timedelta(minutes=15))
        path = link.removeprefix(ADDRESS)

        await assert_inert(intake, path)

        async with AsyncClient(transport=ASGITransport(app=intake), base_url=ADDRESS) as aino:
            assert (await aino.post(path)).status_code == 303


@pytest.mark.slow
@pytest.mark.parametrize("place", ["", "/confirm", "/one-click"])
async def test_opening_a_subscriber_s_link_a_thousand_times_neither_confirms_nor_leaves(
    settings: Settings, place: str
) -> None:
    async with resting(make_notify(settings)) as notify:
        path = await subscriber_path(notify)

        await assert_inert(notify, f"{path}{place}")


@pytest.mark.slow
async def test_opening_the_link_of_a_sign_up_a_thousand_times_neither_confirms_nor_leaves(settings: Settings) -> None:
    async with resting(make_exercise(settings)) as exercise:
        announced, path = await sign_up_path(exercise)

        for place in ("/exercise/announced", announced, f"{announced}/sent", f"{announced}/calendar.ics"):
            await assert_inert(exercise, place, times=50)
        await assert_inert(exercise, path)
        async with AsyncClient(transport=ASGITransport(app=exercise), base_url=ADDRESS) as bertta:
            assert (await bertta.post(f"{path}/confirm")).status_code == 303
        await assert_inert(exercise, path, times=100)


async def sign_up_path(exercise: FastAPI) -> tuple[str, str]:
    """Bertta asks to take part; the paths of the exercise's page and of her link."""
    now = SystemClock().now()
    drawn = plan(ExerciseDraft(STORM, 60, ""), exercise_id=new_id(), situation_id=new_id(), leader=AINO, now=now)
    assert isinstance(drawn, Planned)
    await exercise.state.exercises.plan(drawn, new_id)
    day = (now + timedelta(days=9)).date().isoformat()
    draft = AnnouncementDraft(day, "10:00", "3:00", {"fi": "Harjoittelemme."}, announced=True)
    await exercise.state.announcements.change(drawn.exercise.id, lambda present: announce(draft, present, now=now))
    await exercise.state.enrolment.ask(drawn.exercise.id, Asked("bertta@example.org", "Martat", Locale.SV))
    async with database_of(exercise).read() as session:
        wish = UrgentLetterRequested.model_validate_json(
            (await session.execute(select(col(OutboxRow.body)))).scalar_one()
        )
    return f"/exercise/announced/{drawn.exercise.id}", wish.personal["link"].removeprefix(ADDRESS)


async def subscriber_path(notify: FastAPI) -> str:
    """Bertta asks to subscribe; the path of her links."""
    subscribers: SubscriberStore = notify.state.subscribers
    wishes = Wishes(frozenset({Audience.RESIDENTS}), frozenset({HATTULA}), Locale.SV)
    await subscribers.ask("bertta@example.org", wishes, consent=consent(texts(Locale.SV)))
    database: Database = database_of(notify)
    async with database.read() as session:
        bertta = (await session.execute(select(Subscriber))).scalar_one()
    links: Links = notify.state.links
    return links.preferences(bertta.id).removeprefix(ADDRESS)
