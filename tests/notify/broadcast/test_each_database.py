"""The way from the subscription to the planned broadcast, on SQLite and on PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from services.notify.app import make_app
from services.notify.broadcast.store import PAGE, BroadcastStore
from services.notify.guidance.store import GuidanceStore
from services.notify.situations.store import SituationStore
from services.notify.subscribers.model import Audience, Consent, ImportedSubscriber, Matching, State, Wishes
from services.notify.subscribers.store import SubscriberStore
from shared.events.status import SituationClosed, SituationOpened
from shared.house import House
from shared.i18n import Locale
from shared.ids import new_id
from shared.plumbing import Plumbing
from shared.realm import LIVE
from shared.settings import Settings
from tests.fakes import STORM_EVENING, FakeClock
from tests.notify.conftest import row_of
from tests.notify.guidance.drafts import FORSSA, draft, published, resident, submitted

RESIDENT = Wishes(frozenset({Audience.RESIDENTS}), frozenset({FORSSA}), Locale.FI)
MATCHING = Matching(frozenset({Audience.RESIDENTS}), frozenset({FORSSA}))


@pytest.fixture
async def app(settings: Settings, clock: FakeClock, each_database: str) -> AsyncIterator[FastAPI]:
    """Notify on the database at hand, its jobs at rest."""
    app = make_app(settings.model_copy(update={"database": each_database}), clock=clock)
    house: House = app.state.house
    await house.database.create_tables(Plumbing.metadata, house.tables)
    yield app
    await house.database.close()


async def test_ten_who_ask_in_the_same_moment_are_one_subscriber(app: FastAPI, subscribers: SubscriberStore) -> None:
    asked = [subscribers.ask("aino@example.org", RESIDENT, consent=Consent("1", "")) for _ in range(10)]
    await asyncio.gather(*asked)
    aino = (await row_of(app, "aino@example.org")).id
    begun = await asyncio.gather(*(subscribers.confirm(aino) for _ in range(5)))

    assert sorted(begun) == [False, False, False, False, True]
    assert (await subscribers.reach(MATCHING)).total == 1


async def test_planners_side_by_side_reach_each_once(
    app: FastAPI, guidance: GuidanceStore, subscribers: SubscriberStore
) -> None:
    rows = [
        ImportedSubscriber(f"resident-{number}@example.org", Audience.RESIDENTS, (FORSSA,), Locale.FI)
        for number in range(PAGE + 200)
    ]
    await subscribers.import_many(rows)
    revision = await published(guidance)
    broadcasts: BroadcastStore = app.state.broadcasts

    await asyncio.gather(*(broadcasts.plan_page() for _ in range(6)))
    await broadcasts.plan_page()

    progress = await guidance.progress(revision)
    assert progress is not None
    assert (progress.counts.total, progress.planned) == (PAGE + 200, True)


async def test_the_database_wants_two_people(
    app: FastAPI, guidance: GuidanceStore, subscribers: SubscriberStore
) -> None:
    await resident(subscribers)
    await submitted(guidance, draft())

    for forgery in (
        "UPDATE revision SET approved_by = written_by, approved_at = submitted_at, expires_at = submitted_at",
        "UPDATE guidance SET state = 'published'",
    ):
        with pytest.raises(IntegrityError):
            async with app.state.house.database.write() as session:
                await session.execute(text(forgery))


async def test_the_unconfirmed_go_and_who_left_stays_away(
    app: FastAPI, subscribers: SubscriberStore, clock: FakeClock
) -> None:
    for name in ("aino", "bertta"):
        await subscribers.ask(f"{name}@example.org", RESIDENT, consent=Consent("1", ""))
    aino, bertta = await row_of(app, "aino@example.org"), await row_of(app, "bertta@example.org")
    await subscribers.leave(bertta.id)
    clock.move(hours=48)

    await subscribers.forget_unconfirmed()

    left = await subscribers.get(bertta.id)
    assert await subscribers.get(aino.id) is None
    assert left is not None
    assert left.state is State.LEFT


async def test_tellings_of_one_situation_may_come_at_once(app: FastAPI) -> None:
    situations: SituationStore = app.state.situations
    storm = new_id()
    opened = SituationOpened(
        happened_at=STORM_EVENING,
        realm=LIVE,
        situation_id=storm,
        kind="storm",
        names={"fi": "Myrsky"},
        municipalities=(),
    )

    await asyncio.gather(*(situations.tell(opened) for _ in range(5)))
    [known] = await situations.open_ones()
    await situations.close(SituationClosed(happened_at=STORM_EVENING, realm=LIVE, situation_id=storm))

    assert known.name("sv") == "Myrsky"
    assert await situations.open_ones() == []
