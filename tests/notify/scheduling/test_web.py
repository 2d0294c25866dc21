"""The pages of scheduling: who may plan, what is told meanwhile, and what becomes of it."""

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from services.notify.guidance.model import ENDINGS, PlanState, Revision, State
from services.notify.guidance.store import GuidanceStore
from services.notify.scheduling.store import Schedule
from services.notify.subscribers.store import SubscriberStore
from shared.i18n import Locale, texts
from shared.identity import Role
from tests.fakes import FakeClock
from tests.notify.conftest import signed_in, staff
from tests.notify.guidance.drafts import ALL_LANGUAGES, draft, present, resident, submitted

FORM = {"day": "2026-11-22", "at": "08:00", "word": "TOSI", "edition": "1"}


@pytest.fixture
def approver(app: FastAPI, clock: FakeClock) -> AsyncClient:
    return signed_in(app, staff(clock, Role.APPROVER))


@pytest.fixture
def editor(app: FastAPI, clock: FakeClock) -> AsyncClient:
    return signed_in(app, staff(clock, Role.EDITOR))


@pytest.fixture
async def waiting(guidance: GuidanceStore, subscribers: SubscriberStore) -> Revision:
    """A text that waits for approval, with one resident whom it would reach."""
    await resident(subscribers)
    return await submitted(guidance, draft(ALL_LANGUAGES))


async def test_an_approver_plans_a_release_and_everybody_sees_it(
    approver: AsyncClient, editor: AsyncClient, browser: AsyncClient, waiting: Revision
) -> None:
    here = f"/guidance/{waiting.guidance_id}"
    form = await approver.get(f"{here}/schedule?lang=fi")

    planned = await approver.post(f"{here}/schedule", data=FORM)

    page = (await editor.get(f"{here}?lang=fi")).text
    listed = (await editor.get("/guidance?lang=fi")).text
    changed = await editor.post(f"{here}/edit?lang=fi", data={"edition": "1"})
    assert 'type="date"' in form.text
    assert "Kirjoita TOSI lähettääksesi 1 vastaanottajalle." in form.text
    assert (planned.status_code, planned.headers["location"]) == (303, here)
    assert "Hyväksytty. Julkaistaan 22.11.2026 8.00." in page
    assert f'action="{here}/schedule/take-back"' in page
    assert f'action="{here}/schedule/now"' not in page
    assert "22.11.2026 8.00" in listed
    assert changed.status_code == 409
    assert "Peru ensin julkaisu." in changed.text
    assert (await browser.get(here.replace("/guidance", "/g"))).status_code == 404
    assert "<entry>" not in (await browser.get("/feeds/all/fi/atom.xml")).text


async def test_a_correction_is_planned_too(
    app: FastAPI, approver: AsyncClient, editor: AsyncClient, waiting: Revision, clock: FakeClock
) -> None:
    here = f"/guidance/{waiting.guidance_id}"
    await approver.post(f"{here}/approve", data={"word": "TOSI", "edition": "1"})
    words = {"kind": "cancel", "note_fi": "Sähköt palasivat.", "edition": "1"}
    await editor.post(f"{here}/correct", data=words)

    planned = await approver.post(f"{here}/schedule", data={**FORM, "edition": "2"})

    page, listed = (await editor.get(f"{here}?lang=en")).text, (await editor.get("/guidance?lang=en")).text
    again = await editor.get(f"{here}/correct")
    assert planned.headers["location"] == f"{here}/correction"
    assert "A correction waits for its moment: 22/11/2026, 08:00." in page
    assert "Correction on 22/11/2026, 08:00" in listed
    assert again.status_code == 409
    clock.move(hours=12)
    await app.state.schedule.release_due()
    released = await editor.get(f"{here}?lang=en")
    assert "Planned for" in released.text


async def test_a_wrong_moment_or_word_comes_back_with_what_was_typed(
    approver: AsyncClient, guidance: GuidanceStore, waiting: Revision
) -> None:
    here = f"/guidance/{waiting.guidance_id}/schedule?lang=fi"

    past = await approver.post(here, data={**FORM, "day": "2026-11-20"})
    word = await approver.post(here, data={**FORM, "word": "JOO"})
    twice = await approver.post(here, data={**FORM, "day": "2026-10-25", "at": "03:30"})

    assert {answer.status_code for answer in (past, word, twice)} == {422}
    assert 'href="#f-at"' in past.text
    assert 'value="2026-11-20"' in past.text
    assert 'href="#f-word"' in word.text
    assert 'value="08:00"' in word.text
    assert 'name="which"' in twice.text
    assert await present(guidance, waiting.guidance_id) == waiting


async def test_whoever_wrote_it_cannot_plan_it(
    app: FastAPI, clock: FakeClock, guidance: GuidanceStore, subscribers: SubscriberStore
) -> None:
    await resident(subscribers)
    writer = staff(clock, Role.EDITOR, Role.APPROVER)
    revision = await submitted(guidance, draft(), by=writer.person_id)
    both = signed_in(app, writer)

    page = await both.get(f"/guidance/{revision.guidance_id}/schedule?lang=fi")
    forced = await both.post(f"/guidance/{revision.guidance_id}/schedule", data=FORM)

    assert "Et voi hyväksyä omaa tekstiäsi." in page.text
    assert 'name="word"' not in page.text
    assert forced.status_code == 403
    assert await present(guidance, revision.guidance_id) == revision


async def test_a_plan_is_taken_back_or_released_now_on_its_page(
    approver: AsyncClient, editor: AsyncClient, guidance: GuidanceStore, waiting: Revision
) -> None:
    here = f"/guidance/{waiting.guidance_id}"
    await approver.post(f"{here}/schedule", data=FORM)

    taken = await editor.post(f"{here}/schedule/take-back", data={"edition": "1"})
    late = await editor.post(f"{here}/schedule/take-back?lang=fi", data={"edition": "1"})
    page = await approver.get(f"{here}?lang=fi")
    await approver.post(f"{here}/schedule", data=FORM)
    wrong = await approver.post(f"{here}/schedule/now", data={"edition": "1", "word": "x"})
    now = await approver.post(f"{here}/schedule/now", data={"edition": "1", "word": "TOSI"})

    assert (taken.status_code, late.status_code, wrong.status_code, now.status_code) == (303, 409, 422, 303)
    assert "Suunniteltu julkaisu peruttiin." in page.text
    assert 'name="word"' in wrong.text
    assert (await present(guidance, waiting.guidance_id)).state is State.PUBLISHED


async def test_it_speaks_four_languages(
    app: FastAPI, approver: AsyncClient, waiting: Revision, clock: FakeClock
) -> None:
    here = f"/guidance/{waiting.guidance_id}"
    schedule: Schedule = app.state.schedule
    forms = [await approver.get(f"{here}/schedule", params={"lang": locale.value}) for locale in Locale]
    await approver.post(f"{here}/schedule", data=FORM)
    planned = [await approver.get(f"{here}/schedule", params={"lang": locale.value}) for locale in Locale]
    clock.move(hours=14)
    await schedule.release_due()
    late = [await approver.get("/guidance", params={"lang": locale.value}) for locale in Locale]

    for locale, *pages in zip(Locale, forms, planned, late, strict=True):
        assert {page.status_code for page in pages} == {200}
        assert all(f'<html lang="{locale.lang}">' in page.text for page in pages)
        assert texts(locale)(ENDINGS[PlanState.TOO_LATE]) in pages[-1].text
