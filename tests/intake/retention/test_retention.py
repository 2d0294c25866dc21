"""People's own words: kept until their situation has been over for ninety days, then removed, and it can be shown."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlmodel import col

from services.intake.calling.model import Attempt, Outcome
from services.intake.calling.store import CallRow
from services.intake.checkin.store import CheckInRow
from services.intake.invitation.store import Invitation
from services.intake.reply.schema import ReplyRow
from services.intake.retention import store as retention_store
from services.intake.retention.handlers import RetentionHandlers
from services.intake.retention.jobs import RetentionJobs
from services.intake.retention.model import KEPT
from services.intake.retention.store import RetentionStore
from shared.events.status import SituationClosed
from shared.ids import new_id
from shared.realm import LIVE, Realm
from tests.intake.house import AINO, BERTTA, Intake, Round
from tests.intake.reply.post import arrive, keys, written

AUTUMN = Realm("ex-autumn")


async def round_with_words(intake: Intake, *, realm: Realm) -> Round:
    """A round in which Aino answered by link and by letter, and Bertta was called, with a note."""
    opened = await intake.open_round(await intake.ids(), realm=realm)
    number = len(await intake.said("bulk")) - 2
    await intake.browser.post(await intake.link(number), data={"status": "normal", "note": "Ovi on auki"})
    await arrive(intake, written("2 mutta kylmä on"), key=(await keys(intake))[number])
    async with intake.database.read() as session:
        invitations = select(col(Invitation.id)).where(col(Invitation.round_id) == opened.round_id)
        called = (await session.execute(invitations.order_by(col(Invitation.id)))).scalars().all()[-1]
    attempt = Attempt(Outcome.NO_ANSWER, "Soittakaa illalla", None)
    await intake.app.state.calls.tried(called, attempt, person_id=new_id())
    return opened


@pytest.fixture
async def closed(intake: Intake) -> Round:
    """A round of a situation that is over, and one of an exercise that is not."""
    await intake.take_in(AINO, BERTTA)
    await round_with_words(intake, realm=AUTUMN)
    closed = await round_with_words(intake, realm=LIVE)
    event = SituationClosed(happened_at=intake.clock.now(), realm=LIVE, situation_id=closed.situation_id)
    for _ in range(2):
        await RetentionHandlers(retention(intake)).on_situation_closed(event)
    return closed


def retention(intake: Intake) -> RetentionStore:
    store: RetentionStore = intake.app.state.retention
    return store


async def remove_all(intake: Intake) -> int:
    """Have the job do all that there is; how often it was called."""
    jobs, calls = RetentionJobs(retention(intake)), 1
    while await jobs.remove():
        calls += 1
    return calls


async def words(intake: Intake) -> dict[str, list[str]]:
    """All that people wrote themselves, by realm."""
    found: dict[str, list[str]] = {LIVE.id: [], AUTUMN.id: []}
    async with intake.database.read() as session:
        for answer in (await session.execute(select(CheckInRow))).scalars():
            found[answer.realm].append(answer.note)
        for call in (await session.execute(select(CallRow))).scalars():
            found[call.realm].append(call.note)
        for letter in (await session.execute(select(ReplyRow))).scalars():
            found[letter.realm] += [letter.subject, letter.text, letter.words]
    return {realm: [text for text in texts if text] for realm, texts in found.items()}


async def test_nothing_is_removed_before_its_time(intake: Intake, closed: Round) -> None:
    before = await words(intake)

    intake.clock.move(days=KEPT.days, seconds=-1)
    await remove_all(intake)
    [kept] = await retention(intake).report()

    assert await words(intake) == before
    assert (kept.situation_id, kept.removed, kept.removed_at) == (closed.situation_id, 0, None)
    assert kept.present > 0
    assert kept.due(intake.clock.now()) == 0


@pytest.mark.usefixtures("closed")
async def test_all_words_go_in_time_and_everything_else_stays(intake: Intake) -> None:
    before = await words(intake)
    intake.clock.move(days=KEPT.days)
    [due] = await retention(intake).report()

    await remove_all(intake)

    [kept] = await retention(intake).report()
    assert await words(intake) == {LIVE.id: [], AUTUMN.id: before[AUTUMN.id]}
    assert (kept.present, kept.removed, kept.removed_at) == (0, due.present, intake.clock.now())
    assert due.due(intake.clock.now()) == due.present > 0
    async with intake.database.read() as session:
        statuses = (await session.execute(select(col(CheckInRow.status)).where(col(CheckInRow.realm) == LIVE.id))).all()
    assert {status for (status,) in statuses} >= {"normal"}
    assert await intake.count(ReplyRow) == 2


@pytest.mark.usefixtures("closed")
async def test_it_is_removed_in_bounded_batches(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention_store, "BATCH", 1)
    intake.clock.move(days=KEPT.days)

    calls = await remove_all(intake)

    assert calls > 1
    assert (await words(intake))[LIVE.id] == []


@pytest.mark.usefixtures("closed")
async def test_what_two_replicas_remove_is_counted_once(intake: Intake) -> None:
    [before] = await retention(intake).report()
    intake.clock.move(days=KEPT.days + 1)

    await asyncio.gather(*(remove_all(intake) for _ in range(3)))

    [kept] = await retention(intake).report()
    assert kept.removed == before.present


@pytest.mark.usefixtures("closed")
async def test_what_comes_afterwards_is_removed_too(intake: Intake) -> None:
    intake.clock.move(days=KEPT.days)
    await remove_all(intake)
    await arrive(intake, written("Hei, oletteko siellä?"), key=(await keys(intake))[2])
    [late] = await retention(intake).report()

    await remove_all(intake)

    assert late.due(intake.clock.now()) == 1
    assert (await words(intake))[LIVE.id] == []
    assert late.due_at == late.closed_at + timedelta(days=90)
