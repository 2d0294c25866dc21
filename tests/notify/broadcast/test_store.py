"""An approved revision reaches everybody whom it concerns, once, whatever dies on the way."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest
from fastapi import FastAPI
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from services.notify.broadcast.model import NotReleasedError, letter_of
from services.notify.broadcast.store import PAGE, BroadcastStore
from services.notify.delivery.model import Kind, Lane, Letter, Recipient
from services.notify.delivery.model import State as Sent
from services.notify.delivery.schema import DeliveryRow, RosterRow
from services.notify.delivery.store import Ledger
from services.notify.guidance.schema import BroadcastRow
from services.notify.guidance.store import GuidanceStore
from services.notify.subscribers.model import Audience, ImportedSubscriber
from services.notify.subscribers.store import SubscriberStore
from shared.clock import Clock
from shared.db import Database
from shared.i18n import Locale
from shared.plumbing import OutboxRow
from shared.realm import Realm
from shared.settings import Settings
from tests.fakes import FakeClock
from tests.notify.conftest import letters_to, row_of
from tests.notify.guidance.drafts import ALL_LANGUAGES, draft, in_exercise, present, published, resident, submitted

MANY = 2 * PAGE + 300


class DyingLedger(Ledger):
    """A ledger whose process dies after it has written and before the commit."""

    async def add(self, session: AsyncSession, letter: Letter, *, recipients: Sequence[Recipient]) -> int:
        await super().add(session, letter, recipients=recipients)
        raise KeyboardInterrupt


@pytest.fixture
def broadcasts(app: FastAPI) -> BroadcastStore:
    store: BroadcastStore = app.state.broadcasts
    return store


async def test_a_broadcast_is_planned_page_by_page_to_each_once(
    app: FastAPI, guidance: GuidanceStore, subscribers: SubscriberStore, broadcasts: BroadcastStore
) -> None:
    await crowd(subscribers, MANY)
    revision = await published(guidance)

    pages = [await broadcasts.plan_page() for _ in range(5)]

    assert pages == [True, True, True, False, False]
    progress = await guidance.progress(revision)
    assert progress is not None
    assert (progress.counts.waiting, progress.counts.total, progress.planned) == (MANY, MANY, True)
    assert await distinct_recipients(app) == MANY


async def test_a_process_that_dies_while_planning_has_neither_skipped_nor_doubled(
    app: FastAPI, guidance: GuidanceStore, subscribers: SubscriberStore, broadcasts: BroadcastStore, clock: FakeClock
) -> None:
    await crowd(subscribers, MANY)
    revision = await published(guidance)
    dying = planner(app.state.house.database, clock, ledger=DyingLedger, subscribers=subscribers)

    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            await dying.plan_page()
        await broadcasts.plan_page()

    progress = await guidance.progress(revision)
    assert progress is not None
    assert (progress.counts.total, progress.planned) == (MANY, True)
    assert await distinct_recipients(app) == MANY


async def test_two_planners_share_the_work(
    app: FastAPI, guidance: GuidanceStore, subscribers: SubscriberStore, settings: Settings, clock: FakeClock
) -> None:
    await crowd(subscribers, MANY)
    revision = await published(guidance)
    other_process = Database(settings.database_of("notify"))
    planners = [
        planner(database, clock, ledger=Ledger, subscribers=subscribers)
        for database in (app.state.house.database, other_process)
    ]

    await asyncio.gather(*(drain(one) for one in planners))

    progress = await guidance.progress(revision)
    assert progress is not None
    assert (progress.counts.total, progress.planned) == (MANY, True)
    assert await distinct_recipients(app) == MANY
    await other_process.close()


async def test_who_confirms_later_or_has_left_gets_nothing(
    app: FastAPI, guidance: GuidanceStore, subscribers: SubscriberStore, broadcasts: BroadcastStore, clock: FakeClock
) -> None:
    for name in ("aino", "bertta"):
        await resident(subscribers, f"{name}@example.org")
    await published(guidance)
    aino, bertta = await row_of(app, "aino@example.org"), await row_of(app, "bertta@example.org")
    await subscribers.leave(bertta.id)
    clock.move(seconds=1)
    await resident(subscribers, "cecilia@example.org")

    await broadcasts.plan_page()

    assert len(await letters_to(app, aino.id)) == 1
    assert await letters_to(app, bertta.id) == []
    assert await letters_to(app, (await row_of(app, "cecilia@example.org")).id) == []


async def test_the_letter_carries_every_language_and_no_script(
    guidance: GuidanceStore, subscribers: SubscriberStore, app: FastAPI, broadcasts: BroadcastStore
) -> None:
    await resident(subscribers)
    revision = await published(guidance, draft(ALL_LANGUAGES, valid_hours=6))
    await broadcasts.plan_page()

    [copy] = await letters_to(app, (await row_of(app, "aino@example.org")).id)

    letter = copy.letter
    assert (letter.kind, letter.lane, letter.letter_id) == (Kind.GUIDANCE, Lane.BULK, revision.letter_id)
    assert letter.not_after == revision.expires_at
    assert letter.shared["headline.sv"] == "Strömavbrott i Forssa"
    assert letter.shared["html.sv"] == "<p>Förbered er på <strong>kyla</strong>.</p>\n"
    assert letter.shared["text.sv"] == "Förbered er på kyla."
    assert letter.shared["areas.fi@selko"] == "Forssa"
    assert letter.shared["page"] == f"http://127.0.0.1:8000/g/{revision.guidance_id}"


async def test_nothing_is_sent_that_nobody_approved(
    app: FastAPI, guidance: GuidanceStore, subscribers: SubscriberStore, broadcasts: BroadcastStore
) -> None:
    await resident(subscribers)
    revision = await submitted(guidance, draft())
    async with app.state.house.database.write() as session:
        session.add(
            BroadcastRow(
                realm=revision.realm, guidance_id=revision.guidance_id, revision=1, letter_id=revision.letter_id
            )
        )

    with pytest.raises(NotReleasedError):
        await broadcasts.plan_page()
    with pytest.raises(NotReleasedError):
        letter_of(revision, page="")

    assert await distinct_recipients(app) == 0


async def test_a_broadcast_is_finished_when_every_recipient_has_a_final_state(
    app: FastAPI, guidance: GuidanceStore, subscribers: SubscriberStore, broadcasts: BroadcastStore
) -> None:
    await crowd(subscribers, 3)
    revision = await published(guidance)
    await broadcasts.finish()
    await broadcasts.plan_page()
    await broadcasts.finish()
    assert await finished_events(app) == []

    await settle(app, Sent.SENT, up_to=2)
    await settle(app, Sent.FAILED, up_to=3)
    again = [await broadcasts.finish() for _ in range(2)]

    progress = await guidance.progress(revision)
    assert again == [False, False]
    assert progress is not None
    assert (progress.finished, progress.settled) == (True, 3)
    [event] = await finished_events(app)
    assert b'"sent":2,"failed":1' in event.body


async def test_a_broadcast_of_an_exercise_goes_to_its_roster_and_to_no_subscriber(
    app: FastAPI, subscribers: SubscriberStore, broadcasts: BroadcastStore
) -> None:
    await resident(subscribers)
    await resident(subscribers, "bertta@example.org")
    exercise = Realm("ex-1")
    await in_exercise(app, exercise)

    await broadcasts.plan_page()

    async with app.state.house.database.read() as session:
        aino = (await session.execute(select(col(RosterRow.recipient_id)))).scalar_one()
    [copy] = await letters_to(app, aino)
    assert copy.delivery.realm == copy.letter.realm == "ex-1"
    assert "page" not in copy.letter.shared
    assert await distinct_recipients(app) == 1


async def test_the_letter_of_a_revision_is_always_the_same(
    guidance: GuidanceStore, subscribers: SubscriberStore
) -> None:
    await resident(subscribers)
    revision = await published(guidance)

    assert letter_of(revision, page="x") == letter_of(await present(guidance, revision.guidance_id), page="x")
    assert letter_of(revision, page="x").not_after - revision.created_at == timedelta(hours=24)


async def crowd(subscribers: SubscriberStore, size: int) -> None:
    """So many residents of Forssa."""
    await subscribers.import_many(
        [
            ImportedSubscriber(f"resident-{number}@example.org", Audience.RESIDENTS, ("061",), Locale.FI)
            for number in range(size)
        ]
    )


def planner(database: Database, clock: Clock, *, ledger: type[Ledger], subscribers: SubscriberStore) -> BroadcastStore:
    return BroadcastStore(
        database,
        clock=clock,
        ledger=ledger(database, clock=clock),
        subscribers=subscribers,
        public_url="http://127.0.0.1:8000",
    )


async def drain(broadcasts: BroadcastStore) -> None:
    more = True
    while more:
        more = await broadcasts.plan_page()


async def distinct_recipients(app: FastAPI) -> int:
    async with app.state.house.database.read() as session:
        found = await session.execute(select(func.count(func.distinct(col(DeliveryRow.recipient_id)))))
        return int(found.scalar_one())


async def settle(app: FastAPI, state: Sent, *, up_to: int) -> None:
    """Give the first deliveries, as far as they wait, this final state."""
    async with app.state.house.database.write() as session:
        waits = (col(DeliveryRow.state) == Sent.WAITING) & (col(DeliveryRow.id) <= up_to)
        await session.execute(update(DeliveryRow).where(waits).values(state=state))


async def finished_events(app: FastAPI) -> list[OutboxRow]:
    async with app.state.house.database.read() as session:
        told = select(OutboxRow).where(col(OutboxRow.subject) == "notify.live.broadcast_finished")
        return list((await session.execute(told)).scalars())
