"""Guidance in an exercise: written, approved, corrected and sent as in earnest, to the roster and to nobody else."""

from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from sqlalchemy import select
from sqlmodel import col

from services.notify.broadcast.model import Trial
from services.notify.broadcast.store import BroadcastStore
from services.notify.delivery.model import Kind as Letters
from services.notify.delivery.schema import DeliveryRow, LetterRow
from services.notify.guidance.model import Approval, Kind, PlanState, Refusal, Revision
from services.notify.guidance.store import GuidanceStore
from services.notify.scheduling.store import Schedule
from services.notify.subscribers.store import SubscriberStore
from shared.i18n import Locale
from shared.identity import Role
from shared.ids import new_id
from shared.realm import LIVE
from tests.fakes import FakeClock
from tests.notify.conftest import signed_in, staff
from tests.notify.guidance.drafts import resident
from tests.notify.guidance.test_web import FORM
from tests.notify.rehearsal.play import (
    ENDED,
    INJECT,
    REALM,
    STORM,
    TOLD,
    approve,
    begun,
    frozen,
    handlers_of,
    rehearsed,
    released,
)

AINO, BERTTA, CECILIA = "aino@example.org", "bertta@example.org", "cecilia@example.org"


@pytest.fixture
def broadcasts(app: FastAPI) -> BroadcastStore:
    store: BroadcastStore = app.state.broadcasts
    return store


FRAME = (Letters.EXERCISE_STARTED, Letters.EXERCISE_ENDED)


async def addressed(app: FastAPI) -> list[tuple[str, str, str]]:
    """All that the ledger holds but what tells of the beginning and the end: realm, address and kind."""
    same = (col(LetterRow.realm) == DeliveryRow.realm) & (col(LetterRow.letter_id) == DeliveryRow.letter_id)
    async with app.state.house.database.read() as session:
        rows = await session.execute(
            select(col(DeliveryRow.realm), col(DeliveryRow.address), col(LetterRow.kind)).join(LetterRow, same)
        )
        return sorted((realm, address, kind) for realm, address, kind in rows if kind not in FRAME)


async def test_it_is_written_at_the_desk_and_every_page_and_word_says_exercise(app: FastAPI, clock: FakeClock) -> None:
    await begun(app, AINO, BERTTA)
    editor, approver = (signed_in(app, staff(clock, role)) for role in (Role.EDITOR, Role.APPROVER))
    form = {**FORM, "situation": str(STORM)}

    blank = await editor.get("/guidance/new?lang=fi")
    preview = await editor.post("/guidance/new?lang=fi", data={**form, "preview": "1"})
    here = (await editor.post("/guidance/new", data=form)).headers["location"]
    await editor.post(f"{here}/submit", data={"edition": "1"})
    asked = await approver.get(f"{here}?lang=fi")
    refused = await approver.post(f"{here}/approve?lang=fi", data={"edition": "1", "word": "TOSI"})
    done = await approver.post(f"{here}/approve", data={"edition": "1", "word": "HARJOITUS"})
    pages = [await editor.get(f"{here}{part}?lang=fi") for part in ("", "/correct", "/trial")]

    assert f"HARJOITUS: Myrsky {TOLD}" in blank.text
    assert "HARJOITUS – tämä ei ole todellinen tilanne" not in blank.text
    assert "Viesti tavoittaisi 2 vastaanottajaa." in preview.text
    assert "Kirjoita HARJOITUS lähettääksesi 2 harjoituksen osallistujalle." in asked.text
    assert "Kirjoita TOSI" not in asked.text
    assert refused.status_code == 422
    assert done.status_code == 303
    for page in (preview, asked, refused, *pages[:2]):
        assert "HARJOITUS – tämä ei ole todellinen tilanne" in page.text
    [revision] = await app.state.guidance.rehearsed()
    assert revision.realm == REALM


async def test_it_stays_in_its_exercise_when_it_is_edited(app: FastAPI, clock: FakeClock) -> None:
    await begun(app, AINO)
    editor = signed_in(app, staff(clock, Role.EDITOR))
    here = (await editor.post("/guidance/new", data={**FORM, "situation": str(STORM)})).headers["location"]

    page = await editor.get(f"{here}/edit?lang=en")
    without = await editor.post(f"{here}/edit?lang=en", data={**FORM, "edition": "1"})

    assert "No situation" not in page.text
    assert without.status_code == 422
    assert "Choose the situation of the exercise." in without.text


async def test_it_goes_to_the_roster_and_its_correction_too(
    app: FastAPI, guidance: GuidanceStore, subscribers: SubscriberStore, broadcasts: BroadcastStore
) -> None:
    await resident(subscribers, AINO)
    await resident(subscribers, CECILIA)
    handlers = await begun(app, AINO, BERTTA)
    first = await released(guidance)
    while await broadcasts.plan_page():
        pass
    await handlers.on_roster_frozen(frozen("dora@example.org"))
    corrected = await rehearsed(guidance, Kind.UPDATE, first)

    reach = await guidance.reach(corrected)
    assert isinstance(await approve(guidance, corrected), Approval)
    while await broadcasts.plan_page():
        pass

    assert reach.total == 2
    waiting = [(realm, address) for realm, address, _ in await addressed(app) if address]
    assert waiting == [(REALM, AINO), (REALM, BERTTA)]
    progress = await guidance.progress(corrected)
    assert progress is not None
    assert (progress.counts.total, progress.planned) == (2, True)


async def test_one_person_alone_releases_it_with_words_of_its_own(app: FastAPI, guidance: GuidanceStore) -> None:
    await begun(app, AINO)
    revision = await rehearsed(guidance)
    asked: dict[str, Any] = {
        "by": revision.written_by,
        "edition": revision.edition,
        "alone_because": "Kukaan muu ei vastaa",
    }

    live = await guidance.approve(REALM, revision.guidance_id, word="TOSI YKSIN", **asked)
    done = await guidance.approve(REALM, revision.guidance_id, word="HARJOITUS YKSIN", **asked)

    assert live is Refusal.WRONG_WORD
    assert isinstance(done, Approval)
    assert (done.event.realm, done.event.alone) == (REALM, True)


async def test_nothing_of_it_is_released_once_it_is_over(
    app: FastAPI, guidance: GuidanceStore, broadcasts: BroadcastStore, clock: FakeClock
) -> None:
    handlers = await begun(app, AINO)
    before = await released(guidance)
    draft, correction, planned = (
        await rehearsed(guidance),
        await rehearsed(guidance, Kind.CANCEL, before),
        await rehearsed(guidance),
    )
    schedule: Schedule = app.state.schedule
    later: dict[str, Any] = {"by": new_id(), "word": "HARJOITUS", "edition": planned.edition}
    await schedule.plan(REALM, planned.guidance_id, release_at=clock.now() + timedelta(hours=1), **later)

    await handlers.on_exercise_ended(ENDED)
    await handlers.on_roster_frozen(frozen(AINO, BERTTA))

    assert await approve(guidance, draft) is Refusal.EXERCISE_OVER
    assert await approve(guidance, correction) is Refusal.EXERCISE_OVER
    assert await schedule.release_now(REALM, planned.guidance_id, **later) is Refusal.EXERCISE_OVER
    clock.move(hours=1)
    assert await schedule.release_due()
    given_up = await guidance.unreleased(REALM, planned.guidance_id)
    assert given_up is not None
    assert given_up.plan is not None
    assert given_up.plan.state is PlanState.EXERCISE_OVER
    while await broadcasts.plan_page():
        pass
    assert await addressed(app) == []
    page = await signed_in(app, staff(clock, Role.APPROVER)).get(f"/guidance/{draft.guidance_id}?lang=fi")
    assert "Harjoitus on päättynyt." in page.text
    assert 'name="word"' not in page.text


async def test_a_test_letter_goes_only_to_who_takes_part(
    app: FastAPI, guidance: GuidanceStore, broadcasts: BroadcastStore
) -> None:
    await begun(app, AINO)
    revision = await rehearsed(guidance)

    outcomes = [
        await broadcasts.send_trial(revision, by=new_id(), address=address, locale=Locale.FI)
        for address in (BERTTA, AINO)
    ]

    assert outcomes == [Trial.NOT_TAKING_PART, Trial.SENT]
    assert await addressed(app) == [(REALM, AINO, "guidance")]


async def test_an_inject_is_one_letter_to_each_of_the_roster_whatever_is_heard_first(app: FastAPI) -> None:
    handlers = handlers_of(app)

    await handlers.on_roster_frozen(frozen(AINO))
    await handlers.on_inject_fired(INJECT)
    await handlers.on_inject_fired(INJECT)
    await handlers.on_roster_frozen(frozen(BERTTA))

    assert await addressed(app) == [(REALM, AINO, "inject"), (REALM, BERTTA, "inject")]


async def test_no_other_inject_is_mailed_and_none_after_the_end(app: FastAPI) -> None:
    handlers = await begun(app, AINO)

    await handlers.on_inject_fired(INJECT.model_copy(update={"mailed": False}))
    await handlers.on_exercise_ended(ENDED)
    await handlers.on_inject_fired(INJECT)

    assert await addressed(app) == []


async def test_who_was_erased_is_not_brought_back_by_what_is_told_again(app: FastAPI) -> None:
    handlers, told = handlers_of(app), frozen(AINO, BERTTA)
    await handlers.on_roster_frozen(told)
    await app.state.erasure.erase(AINO, by=new_id())

    await handlers.on_roster_frozen(told)

    assert await app.state.ledger.roster([(REALM, AINO), (REALM, BERTTA)]) == {(REALM, BERTTA)}


async def test_the_live_desk_does_not_change(app: FastAPI, browser: AsyncClient, guidance: GuidanceStore) -> None:
    await begun(app, AINO)
    revision: Revision = await released(guidance)

    assert await guidance.newest(LIVE) == []
    assert await guidance.get(LIVE, revision.guidance_id) is None
    assert (await browser.get(f"/g/{revision.guidance_id}")).status_code == 404
