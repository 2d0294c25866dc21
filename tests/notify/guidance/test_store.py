"""Guidance as it is kept: what two people are needed for, the database demands too."""

from datetime import timedelta

import pytest
from fastapi import FastAPI
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from services.notify.guidance.model import Approval, Draft, Kind, Refusal, Revision, State, Text
from services.notify.guidance.schema import BroadcastRow
from services.notify.guidance.store import GuidanceStore
from services.notify.subscribers.model import Audience, Matching
from services.notify.subscribers.store import SubscriberStore
from shared.i18n import Locale
from shared.ids import new_id
from shared.plumbing import OutboxRow
from shared.realm import LIVE, Realm
from tests.fakes import STORM_EVENING, FakeClock
from tests.notify.guidance.drafts import ALL_LANGUAGES, draft, in_exercise, present, published, resident, submitted


async def test_a_draft_comes_back_as_it_was_written(guidance: GuidanceStore) -> None:
    written = draft(ALL_LANGUAGES, situation_id=new_id(), valid_hours=6)
    editor = new_id()

    guidance_id = await guidance.write(written, by=editor)

    kept = await present(guidance, guidance_id)
    assert (kept.draft, kept.state, kept.edition) == (written, State.DRAFT, 1)
    assert (kept.written_by, kept.writers, kept.created_at) == (editor, frozenset({editor}), STORM_EVENING)
    assert await guidance.get(Realm("ex-1"), guidance_id) is None


async def test_a_release_is_one_act(app: FastAPI, guidance: GuidanceStore, subscribers: SubscriberStore) -> None:
    await resident(subscribers)
    revision = await submitted(guidance, draft(valid_hours=3))
    woken: list[bool] = []
    guidance.on_release(lambda: woken.append(True))
    approver = new_id()

    decided = await guidance.approve(LIVE, revision.guidance_id, by=approver, word="LIVE", edition=revision.edition)

    released = await present(guidance, revision.guidance_id)
    assert isinstance(decided, Approval)
    assert (released.state, released.approved_by) == (State.PUBLISHED, approver)
    assert released.expires_at == STORM_EVENING + timedelta(hours=3)
    async with app.state.house.database.read() as session:
        [broadcast] = (await session.execute(select(BroadcastRow))).scalars()
        [event] = (await session.execute(select(OutboxRow))).scalars()
    assert (broadcast.letter_id, broadcast.planned_at) == (revision.letter_id, None)
    assert event.subject == "notify.live.guidance_published"
    assert woken


async def test_a_refused_release_leaves_everything_as_it_was(
    guidance: GuidanceStore, subscribers: SubscriberStore
) -> None:
    editor = new_id()
    revision = await submitted(guidance, draft(), by=editor)
    nobody = await guidance.approve(LIVE, revision.guidance_id, by=new_id(), word="LIVE", edition=1)
    await resident(subscribers)
    own = await guidance.approve(LIVE, revision.guidance_id, by=editor, word="LIVE", edition=1)
    missing = await guidance.approve(LIVE, new_id(), by=editor, word="LIVE", edition=1)

    assert (nobody, own, missing) == (Refusal.REACHES_NOBODY, Refusal.OWN_TEXT, Refusal.NOT_SUBMITTED)
    assert await present(guidance, revision.guidance_id) == revision
    assert await guidance.progress(revision) is None


async def test_releasing_twice_sends_once(guidance: GuidanceStore, subscribers: SubscriberStore) -> None:
    await resident(subscribers)
    revision = await published(guidance)

    again = await guidance.approve(LIVE, revision.guidance_id, by=new_id(), word="LIVE", edition=revision.edition)

    assert again is Refusal.NOT_SUBMITTED


async def test_a_changed_text_must_be_submitted_again_and_its_writer_may_not_approve_it(
    guidance: GuidanceStore, subscribers: SubscriberStore
) -> None:
    await resident(subscribers)
    aino, bertta = new_id(), new_id()
    first = await submitted(guidance, draft(), by=aino)

    assert await guidance.rewrite(first, draft(ALL_LANGUAGES), by=bertta)

    changed = await present(guidance, first.guidance_id)
    assert (changed.state, changed.submitted_at, changed.edition) == (State.DRAFT, None, 2)
    assert await guidance.submit(changed)
    for writer in (aino, bertta):
        refused = await guidance.approve(LIVE, first.guidance_id, by=writer, word="LIVE", edition=2)
        assert refused is Refusal.OWN_TEXT


async def test_what_somebody_else_changed_is_not_overwritten_nor_submitted(guidance: GuidanceStore) -> None:
    stale = await present(guidance, await guidance.write(draft(), by=new_id()))
    assert await guidance.rewrite(stale, draft(ALL_LANGUAGES), by=new_id())

    assert not await guidance.rewrite(stale, draft(), by=new_id())
    assert not await guidance.submit(stale)
    assert (await present(guidance, stale.guidance_id)).draft == draft(ALL_LANGUAGES)


async def test_what_is_published_cannot_be_rewritten(guidance: GuidanceStore, subscribers: SubscriberStore) -> None:
    await resident(subscribers)
    released = await published(guidance)

    assert not await guidance.rewrite(released, draft(ALL_LANGUAGES), by=new_id())
    assert not await guidance.submit(released)


@pytest.mark.parametrize(
    "forgery",
    [
        "UPDATE revision SET approved_by = written_by, approved_at = created, expires_at = created",
        "UPDATE revision SET approved_by = written_by",
        "UPDATE revision SET approved_at = created",
        "UPDATE guidance SET state = 'published'",
        "UPDATE guidance SET state = 'published', approved_by = :somebody",
        "UPDATE guidance SET approved_by = :somebody",
    ],
)
async def test_the_database_itself_refuses_what_no_second_person_approved(
    app: FastAPI, guidance: GuidanceStore, forgery: str
) -> None:
    await submitted(guidance, draft())
    statement = text(forgery.replace("= created", "= '2026-11-21 18:00:00'"))
    values = {"somebody": new_id().hex} if ":somebody" in forgery else {}

    with pytest.raises(IntegrityError):
        async with app.state.house.database.write() as session:
            await session.execute(statement, values)


async def test_the_database_refuses_to_name_another_approver_than_the_revision_has(
    app: FastAPI, guidance: GuidanceStore, subscribers: SubscriberStore
) -> None:
    await resident(subscribers)
    await published(guidance)

    for forgery in ("UPDATE guidance SET approved_by = :other", "UPDATE revision SET approved_by = :other"):
        with pytest.raises(IntegrityError):
            async with app.state.house.database.write() as session:
                await session.execute(text(forgery), {"other": new_id().hex})


async def test_the_public_sees_what_is_published_and_in_force_newest_first(
    guidance: GuidanceStore, subscribers: SubscriberStore, clock: FakeClock
) -> None:
    await resident(subscribers)
    waiting = await submitted(guidance, draft())
    long = await published(guidance, draft(valid_hours=24))
    clock.move(hours=1)
    short = await published(guidance, draft(valid_hours=3))

    assert _ids(await guidance.current(clock.now())) == _ids([short, long])
    assert _ids(await guidance.current(clock.move(hours=3))) == _ids([long])
    assert waiting.guidance_id in _ids(await guidance.newest(LIVE))
    assert len(await guidance.newest(LIVE)) == 3


async def test_guidance_of_an_exercise_is_never_public(
    app: FastAPI, guidance: GuidanceStore, subscribers: SubscriberStore
) -> None:
    await resident(subscribers)

    await in_exercise(app, Realm("ex-1"))

    assert await guidance.current(STORM_EVENING) == []
    assert await guidance.newest(LIVE) == []


async def test_a_missing_language_is_kept_missing(guidance: GuidanceStore) -> None:
    kept = await present(guidance, await guidance.write(draft(), by=new_id()))

    assert set(kept.draft.texts) == {Locale.FI}


async def test_guidance_expires_and_can_then_still_be_corrected(
    guidance: GuidanceStore, subscribers: SubscriberStore, clock: FakeClock
) -> None:
    await resident(subscribers)
    revision = await published(guidance, draft(valid_hours=3))

    clock.move(hours=2)
    await guidance.expire()
    before = (await present(guidance, revision.guidance_id)).state
    clock.move(hours=1)
    await guidance.expire()
    expired = await present(guidance, revision.guidance_id)

    assert (before, expired.state) == (State.PUBLISHED, State.EXPIRED)
    assert await guidance.correct(expired, Kind.UPDATE, CORRECTED, by=new_id(), edition=expired.edition)


async def test_two_corrections_of_the_same_text_cannot_both_begin(
    guidance: GuidanceStore, subscribers: SubscriberStore
) -> None:
    await resident(subscribers)
    revision = await published(guidance)

    first = await guidance.correct(revision, Kind.UPDATE, CORRECTED, by=new_id(), edition=revision.edition)
    second = await guidance.correct(revision, Kind.CANCEL, CORRECTED, by=new_id(), edition=revision.edition)

    assert (first, second) == (True, False)
    assert (await guidance.corrections(LIVE)).keys() == {revision.guidance_id}


async def test_whoever_wrote_a_correction_cannot_release_it_even_past_the_model(
    app: FastAPI, guidance: GuidanceStore, subscribers: SubscriberStore
) -> None:
    await resident(subscribers)
    revision, editor = await published(guidance), new_id()
    await guidance.correct(revision, Kind.CANCEL, CORRECTED, by=editor, edition=revision.edition)

    refused = await guidance.approve(LIVE, revision.guidance_id, by=editor, word="TOSI", edition=revision.edition + 1)

    assert refused is Refusal.OWN_TEXT
    forged = "UPDATE revision SET approved_by = written_by, approved_at = submitted_at, expires_at = submitted_at"
    for statement in (f"{forged} WHERE number = 2", f"{forged}, alone_because = '' WHERE number = 2"):
        with pytest.raises(IntegrityError):
            async with app.state.house.database.write() as session:
                await session.execute(text(statement))


async def test_the_revisions_of_guidance_are_kept_and_named_in_their_order(
    guidance: GuidanceStore, subscribers: SubscriberStore, clock: FakeClock
) -> None:
    await resident(subscribers)
    revision = await published(guidance)
    clock.move(hours=1)
    await guidance.correct(revision, Kind.UPDATE, CORRECTED, by=new_id(), edition=1)
    await guidance.approve(LIVE, revision.guidance_id, by=new_id(), word="TOSI", edition=2)

    history = await guidance.history(LIVE, revision.guidance_id)
    before = await guidance.earlier(LIVE, [revision.guidance_id])

    assert [(one.number, one.state) for one in history] == [(2, State.PUBLISHED), (1, State.UPDATED)]
    assert [(one.number, one.kind, one.sent_at) for one in before[revision.guidance_id]] == [
        (1, Kind.ALERT, STORM_EVENING)
    ]
    assert history[0].draft.matching == history[1].draft.matching


CORRECTED = Draft(
    {Locale.FI: Text("Uusi", "Teksti", "Syy")}, Matching(frozenset({Audience.MEMBERS}), frozenset()), valid_hours=6
)


def _ids(revisions: list[Revision]) -> list[object]:
    return [revision.guidance_id for revision in revisions]
