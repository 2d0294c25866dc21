"""Planned releases: released once at their moment, or given up with a reason; never by whoever wrote the text."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from services.notify.app import make_app
from services.notify.guidance.model import Approval, Kind, Plan, PlanState, Refusal, Revision, State, Text
from services.notify.guidance.schema import BroadcastRow
from services.notify.guidance.store import GuidanceStore
from services.notify.scheduling.store import Schedule
from services.notify.situations.store import SituationStore
from services.notify.subscribers.store import SubscriberStore
from shared.db import Database
from shared.events.status import SituationClosed, SituationOpened
from shared.i18n import Locale
from shared.ids import new_id
from shared.migrate import migrate
from shared.plumbing import OutboxRow
from shared.realm import LIVE
from shared.settings import Settings
from tests.fakes import STORM_EVENING, FakeClock
from tests.notify.guidance.drafts import draft, present, published, resident, submitted

MORNING = STORM_EVENING + timedelta(hours=12)


@pytest.fixture
def schedule(app: FastAPI) -> Schedule:
    found: Schedule = app.state.schedule
    return found


async def planned(
    app: FastAPI, *, at: datetime = MORNING, by: UUID | None = None, **what: Any
) -> tuple[Revision, Plan | Refusal]:
    """A draft that is submitted, and approved for that moment; somebody must match it."""
    revision = await submitted(app.state.guidance, draft(**what))
    return revision, await approve_for(app, revision, at=at, by=by)


async def approve_for(
    app: FastAPI, revision: Revision, *, at: datetime = MORNING, by: UUID | None = None, word: str = "TOSI"
) -> Plan | Refusal:
    schedule: Schedule = app.state.schedule
    return await schedule.plan(
        LIVE, revision.guidance_id, release_at=at, by=by or new_id(), word=word, edition=revision.edition
    )


async def count(app: FastAPI, table: type[Any]) -> int:
    async with app.state.house.database.read() as session:
        return int((await session.execute(select(func.count()).select_from(table))).scalar_one())


async def test_it_is_released_at_its_moment_and_once(
    app: FastAPI, guidance: GuidanceStore, subscribers: SubscriberStore, schedule: Schedule, clock: FakeClock
) -> None:
    await resident(subscribers)
    approver = new_id()
    revision, plan = await planned(app, by=approver, valid_hours=3)
    assert isinstance(plan, Plan)
    waiting = await present(guidance, revision.guidance_id)
    clock.move(hours=11, minutes=59)
    assert not await schedule.release_due()
    assert await guidance.current(clock.now()) == []
    await resident(subscribers, "bertta@example.org")
    woken: list[bool] = []
    guidance.on_release(lambda: woken.append(True))

    clock.move(minutes=10)
    assert await schedule.release_due()
    assert not await schedule.release_due()

    released = await present(guidance, revision.guidance_id)
    assert (waiting.state, released.state) == (State.APPROVED, State.PUBLISHED)
    assert (released.approved_by, released.approved_at) == (approver, MORNING + timedelta(minutes=9))
    assert released.expires_at == MORNING + timedelta(hours=3)
    assert released.plan is not None
    assert (released.plan.state, released.plan.expected, released.plan.reached) == (PlanState.RELEASED, 1, 2)
    assert (await count(app, BroadcastRow), await count(app, OutboxRow), woken) == (1, 1, [True])


async def test_after_a_restart_it_is_released_once_by_whoever_comes_first(
    app: FastAPI, settings: Settings, subscribers: SubscriberStore, clock: FakeClock
) -> None:
    await resident(subscribers)
    await planned(app)
    clock.move(hours=12)
    replicas = [make_app(settings, clock=clock) for _ in range(2)]

    await asyncio.gather(*(replica.state.schedule.release_due() for replica in replicas))

    assert (await count(app, BroadcastRow), await count(app, OutboxRow)) == (1, 1)
    for replica in replicas:
        await replica.state.house.database.close()


@pytest.mark.parametrize(("late", "becomes"), [(60, State.PUBLISHED), (61, State.IN_REVIEW)])
async def test_after_a_standstill_it_is_still_right_for_an_hour_and_then_asks_again(
    app: FastAPI,
    guidance: GuidanceStore,
    subscribers: SubscriberStore,
    schedule: Schedule,
    clock: FakeClock,
    late: int,
    becomes: State,
) -> None:
    await resident(subscribers)
    revision, _ = await planned(app)

    clock.move(hours=12, minutes=late)
    await schedule.release_due()

    after = await present(guidance, revision.guidance_id)
    assert after.state is becomes
    if becomes is State.IN_REVIEW:
        assert after.plan is not None
        assert after.plan.state is PlanState.TOO_LATE
        assert await count(app, BroadcastRow) == 0
        assert isinstance(await approve_for(app, after, at=clock.now() + timedelta(hours=1)), Plan)


@pytest.mark.parametrize(("kind", "becomes"), [(None, State.IN_REVIEW), (Kind.CANCEL, State.CANCELLED)])
async def test_when_its_situation_was_closed_only_a_withdrawal_is_released(
    app: FastAPI,
    guidance: GuidanceStore,
    subscribers: SubscriberStore,
    schedule: Schedule,
    clock: FakeClock,
    kind: Kind | None,
    becomes: State,
) -> None:
    await resident(subscribers)
    situations: SituationStore = app.state.situations
    storm = new_id()
    told = {"realm": LIVE, "situation_id": storm}
    await situations.tell(
        SituationOpened(
            happened_at=STORM_EVENING, kind="storm", names={"fi": "Myrsky"}, municipalities=("061",), **told
        )
    )
    if kind:
        revision = await published(guidance, draft(situation_id=storm))
        withdrawal = draft({Locale.FI: Text("x", "x", "Ohi.")})
        await guidance.correct(revision, kind, withdrawal, by=new_id(), edition=revision.edition)
        waiting = await guidance.unreleased(LIVE, revision.guidance_id)
        assert waiting is not None
        assert isinstance(await approve_for(app, waiting), Plan)
    else:
        revision, _ = await planned(app, situation_id=storm)
    await situations.close(SituationClosed(happened_at=clock.now(), **told))

    clock.move(hours=12)
    await schedule.release_due()

    after = await present(guidance, revision.guidance_id)
    assert after.state is becomes
    assert after.plan is not None
    assert after.plan.state is (PlanState.RELEASED if kind else PlanState.SITUATION_OVER)


async def test_what_reaches_nobody_at_its_moment_waits_for_approval_again(
    app: FastAPI, guidance: GuidanceStore, subscribers: SubscriberStore, schedule: Schedule, clock: FakeClock
) -> None:
    await resident(subscribers)
    revision, _ = await planned(app)
    async with app.state.house.database.write() as session:
        await session.execute(text("DELETE FROM subscription"))

    clock.move(hours=12)
    await schedule.release_due()

    after = await present(guidance, revision.guidance_id)
    assert after.plan is not None
    assert (after.state, after.plan.state) == (State.IN_REVIEW, PlanState.REACHES_NOBODY)


async def test_what_is_planned_is_neither_changed_nor_released_twice_until_it_is_taken_back(
    app: FastAPI, guidance: GuidanceStore, subscribers: SubscriberStore, schedule: Schedule, clock: FakeClock
) -> None:
    await resident(subscribers)
    revision, _ = await planned(app)
    who: dict[str, Any] = {"by": new_id(), "edition": revision.edition}

    changed = await guidance.rewrite(revision, draft(valid_hours=6), by=new_id())
    again = await approve_for(app, revision)
    approved = await guidance.approve(LIVE, revision.guidance_id, word="TOSI", **who)
    stale = await schedule.take_back(LIVE, revision.guidance_id, by=new_id(), edition=7)
    taken = await schedule.take_back(LIVE, revision.guidance_id, **who)
    twice = await schedule.take_back(LIVE, revision.guidance_id, **who)
    clock.move(hours=12)
    due = await schedule.release_due()

    assert (changed, again, approved) == (False, Refusal.NOT_SUBMITTED, Refusal.NOT_SUBMITTED)
    assert (stale, taken, twice, due) == (False, True, False, False)
    after = await present(guidance, revision.guidance_id)
    assert after.state is State.IN_REVIEW
    assert await guidance.rewrite(after, draft(valid_hours=6), by=new_id())
    assert (await present(guidance, revision.guidance_id)).plan is None


async def test_it_can_be_released_before_its_moment_under_the_same_rules(
    app: FastAPI, guidance: GuidanceStore, subscribers: SubscriberStore, schedule: Schedule
) -> None:
    await resident(subscribers)
    revision, _ = await planned(app)
    here = {"edition": revision.edition}

    own = await schedule.release_now(LIVE, revision.guidance_id, by=revision.written_by, word="TOSI", **here)
    wrong = await schedule.release_now(LIVE, revision.guidance_id, by=new_id(), word="", **here)
    kept = await present(guidance, revision.guidance_id)
    right = await schedule.release_now(LIVE, revision.guidance_id, by=new_id(), word="TOSI", **here)
    again = await schedule.release_now(LIVE, revision.guidance_id, by=new_id(), word="TOSI", **here)

    assert (own, wrong, kept.state) == (Refusal.OWN_TEXT, Refusal.WRONG_WORD, State.APPROVED)
    assert isinstance(right, Approval)
    assert again is Refusal.NOT_SUBMITTED
    assert (await present(guidance, revision.guidance_id)).expires_at == STORM_EVENING + timedelta(hours=24)
    assert await count(app, BroadcastRow) == 1


async def test_whoever_wrote_it_cannot_plan_its_release_nor_somebody_without_the_word(
    app: FastAPI, guidance: GuidanceStore, subscribers: SubscriberStore
) -> None:
    editor = new_id()
    revision = await submitted(guidance, draft(), by=editor)
    nobody = await approve_for(app, revision)
    await resident(subscribers)

    own = await approve_for(app, revision, by=editor)
    wrong = await approve_for(app, revision, word="KYLLÄ")

    assert (nobody, own, wrong) == (Refusal.REACHES_NOBODY, Refusal.OWN_TEXT, Refusal.WRONG_WORD)
    assert (await present(guidance, revision.guidance_id)).state is State.IN_REVIEW


@pytest.fixture
async def database(each_database: str) -> AsyncIterator[tuple[FastAPI, FakeClock]]:
    """Notify on each database."""
    clock = FakeClock()
    settings = Settings.model_validate({"database": each_database, "secret": "x" * 32, "nats": {"url": "nats://x:1"}})
    app = make_app(settings, clock=clock)
    house = app.state.house
    await migrate(house.database, house.migrations)
    yield app, clock
    await house.database.close()


async def test_the_database_itself_holds_what_was_approved(database: tuple[FastAPI, FakeClock]) -> None:
    app, clock = database
    await resident(app.state.subscribers)
    revision, plan = await planned(app)
    assert isinstance(plan, Plan)
    own = "UPDATE release_plan SET planned_by = written_by"

    for forgery in (
        own,
        f"{own}, written_by = planned_by",
        "UPDATE revision SET edition = edition + 1",
        "UPDATE revision SET written_by = (SELECT planned_by FROM release_plan)",
        "UPDATE release_plan SET holds = NULL",
        "UPDATE release_plan SET edition = 9, holds = 9",
        "DELETE FROM revision",
    ):
        with pytest.raises(IntegrityError):
            await carry_out(app.state.house.database, forgery)
    clock.move(hours=12)
    both = await asyncio.gather(app.state.schedule.release_due(), app.state.schedule.release_due())

    assert any(both)
    assert await count(app, BroadcastRow) == 1
    assert (await present(app.state.guidance, revision.guidance_id)).state is State.PUBLISHED


async def carry_out(database: Database, statement: str) -> None:
    async with database.write() as session:
        await session.execute(text(statement))
