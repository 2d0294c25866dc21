"""The evaluation of an exercise: heard in any order and more than once, told the same on the page and in every file."""

import io
import random
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from python_calamine import CalamineWorkbook

from services.exercise.association.handlers import AssociationHandlers
from services.exercise.association.store import AssociationStore
from services.exercise.evaluation.handlers import EvaluationHandlers
from services.exercise.evaluation.model import AfterActionReport
from services.exercise.evaluation.report_html import alone_html
from services.exercise.evaluation.report_words import tell, written
from services.exercise.evaluation.store import EvaluationStore
from services.exercise.exercise.model import Exercise
from shared.events import Event
from shared.i18n import Locale
from shared.identity import Role
from shared.realm import LIVE
from shared.settings import Settings
from tests.exercise.conftest import Stage, signed_in
from tests.exercise.logs import Played, hear, registered
from tests.fakes import FakeClock
from tests.migrated import Migrated

MINUTE = timedelta(minutes=1)
DRAFT = {
    "sort": "to-improve",
    "text": "Warm rooms were found slowly.\n=1+1",
    "objective": "warm-rooms",
    "action": "Ask for rooms in the yearly survey.",
    "owner": "Secretariat of the council",
    "due": "2026-11-30",
}


@dataclass(frozen=True)
class Review:
    """The service with an exercise that is over, its log, and a browser of somebody with this role."""

    app: FastAPI
    clock: FakeClock
    stage: Stage
    browser: AsyncClient
    played: Played

    @property
    def url(self) -> str:
        return f"/exercises/{self.played.exercise.id}"

    async def hear(self, events: Sequence[Event]) -> None:
        store: EvaluationStore = self.app.state.evaluation
        await hear(events, AssociationHandlers(AssociationStore(self.stage.database)), EvaluationHandlers(store))

    async def report(self) -> AfterActionReport:
        store: EvaluationStore = self.app.state.evaluation
        return await store.report_of(self.played.exercise.id)

    async def page(self, path: str = "/report", language: str = "en") -> str:
        answer = await self.browser.get(f"{self.url}{path}?lang={language}")
        assert answer.status_code == 200, answer.text
        return answer.text


async def rehearsed(stage: Stage, *, answers: Sequence[float] = (2, 4, 10, 20)) -> Played:
    """A storm of forty real seconds at a minute a second, with a pause of half an hour, and twelve associations."""
    exercise = await stage.running(speed=60)
    await stage.run(11)
    played = Played(exercise, stage.clock.now(), 12, answers, declined=1, not_reached=2)
    await stage.run(5)
    await stage.exercises.pause(exercise.id)
    stage.clock.move(minutes=30)
    await stage.exercises.resume(exercise.id)
    await stage.run(24)
    ended = await stage.exercises.end(exercise.id)
    assert isinstance(ended, Exercise)
    return played


@pytest.fixture
async def review(settings: Settings, clock: FakeClock, migrated: Migrated) -> AsyncIterator[Review]:
    async with signed_in(settings, clock, migrated, Role.EXERCISE_LEADER) as (app, stage, browser):
        yield Review(app, clock, stage, browser, await rehearsed(stage, answers=(2, 4, 1810, 1815)))


async def test_a_report_is_the_same_in_whatever_order_and_however_often_it_was_heard(review: Review) -> None:
    events = [*registered(12, review.clock.now()), *review.played.events(), *review.played.guidance(1830)]
    rng = random.Random(5)  # noqa: S311 - any order
    rng.shuffle(events)

    await review.hear(events)
    once = await review.report()
    await review.hear([*rng.sample(events, len(events) // 2), *reversed(events)])

    assert await review.report() == once
    whole = once.whole
    assert (whole.asked, whole.answered, whole.declined, whole.not_reached, whole.silent) == (12, 4, 1, 2, 5)
    assert (whole.first, whole.half, whole.ninety) == (2 * MINUTE, 4 * MINUTE, 15 * MINUTE)
    assert whole.half_asked is None
    assert [action.number for action in once.actions if action.done_at] == []
    assert [part.code for part in once.parts[list(once.parts)[2]]] == ["silta"]


async def test_nothing_of_the_live_realm_is_noted(review: Review) -> None:
    live = [event.model_copy(update={"realm": LIVE}) for event in review.played.events()]

    await review.hear(live)

    assert (await review.report()).whole.asked == 0
    async with review.stage.database.read() as session:
        connection = await session.connection()
        [count] = await connection.exec_driver_sql("SELECT (SELECT count(*) FROM heard) + (SELECT count(*) FROM noted)")
    assert count[0] == 0


@pytest.mark.slow
async def test_the_page_and_the_workbook_say_the_figures_of_the_report(review: Review) -> None:
    await review.hear([*registered(12, review.clock.now()), *review.played.events()])
    await review.browser.post(f"{review.url}/observations/new", data=DRAFT)
    report = await review.report()
    told = tell(report, Locale.EN)

    page = await review.page()
    book = CalamineWorkbook.from_filelike(
        io.BytesIO((await review.browser.get(f"{review.url}/report.xlsx?lang=en")).content)
    )

    rows = [told.whole, *(row for group in told.groups for row in group.rows)]
    for row in rows:
        cells = "".join(f'<td class="num">{written(cell, Locale.EN)}</td>' for cell in row.cells)
        assert f'<th scope="row">{row.name}</th>{cells}' in page
    figures = book.get_sheet_by_name("Figures").to_python(skip_empty_area=False)[2:]
    assert [(line[1], *map(plain, line[2:])) for line in figures] == [
        (row.name, *map(plain, row.cells)) for row in rows
    ]
    assert all(
        sheet[0][0] == told.banner for sheet in (book.get_sheet_by_name(n).to_python() for n in book.sheet_names)
    )
    seen = book.get_sheet_by_name("Observations").to_python()[2]
    assert seen[1] == "Warm rooms were found slowly.\n=1+1"
    assert page.count("EXERCISE") >= 3


def plain(cell: object) -> float | str:
    """A cell of a report, or of a workbook, as a number of whole minutes, a count or a share."""
    if isinstance(cell, timedelta):
        return round(cell / MINUTE)
    if cell is None or cell == "":
        return ""
    if hasattr(cell, "hour") and hasattr(cell, "minute"):
        return float(cell.hour * 60 + cell.minute)
    return round(float(cell), 6) if isinstance(cell, int | float) else str(cell)


@pytest.mark.parametrize(("language", "mark"), [("fi", "HARJOITUS"), ("sv", "ÖVNING"), ("en", "EXERCISE")])
async def test_a_file_of_its_own_needs_nothing_and_says_that_it_was_an_exercise(
    review: Review, language: str, mark: str
) -> None:
    await review.hear([*registered(12, review.clock.now()), *review.played.events()])

    answer = await review.browser.get(f"{review.url}/report.html?lang={language}")

    assert answer.headers["content-disposition"].startswith('attachment; filename="exercise-report-winter-storm-')
    assert "<style>" in answer.text
    assert re.findall(r"(?:src|href)=|url\(|@import|https?://", answer.text) == []
    assert answer.text.count(mark) >= 3
    assert alone_html(review.app.state.pages, await review.report(), Locale(language)) == answer.text


@pytest.mark.slow
async def test_the_report_is_printed_where_it_can_be(review: Review) -> None:
    pytest.importorskip("weasyprint")
    await review.hear([*registered(12, review.clock.now()), *review.played.events()])

    answer = await review.browser.get(f"{review.url}/report.pdf?lang=fi")

    assert answer.status_code == 200
    assert answer.content.startswith(b"%PDF-1.")
    assert (await review.browser.get(f"{review.url}/report.docx")).status_code == 404


async def test_an_action_is_judged_by_hand_and_left_to_the_log_again(review: Review) -> None:
    await review.hear(review.played.events())
    form = f"{review.url}/actions/2"

    unsaid = await review.browser.post(form, data={"verdict": "perhaps", "note": "x" * 1001})
    saved = await review.browser.post(form, data={"verdict": "done", "note": "Most  answered\nby telephone."})
    judged = await review.page()
    kept = (await review.browser.get(form)).text
    await review.browser.post(form, data={"verdict": "log"})

    assert unsaid.status_code == 422
    assert unsaid.text.count('class="wrong"') == 2
    assert "x" * 1001 in unsaid.text
    assert saved.status_code == 303
    assert saved.headers["location"].endswith("/report?said=judged#action-2")
    assert "Judged by who led." in judged
    assert "Most answered by telephone." in judged
    assert 'value="done" id="f-verdict-done" checked' in kept
    assert "Judged by who led." not in await review.page()
    assert (await review.browser.get(f"{review.url}/actions/98")).status_code == 404


async def test_an_observation_is_written_once_changed_closed_and_removed(review: Review) -> None:
    new = (await review.browser.get(f"{review.url}/observations/new")).text
    [hidden] = re.findall(r'name="observation_id" value="([^"]+)"', new)
    one = f"{review.url}/observations/{hidden}"
    wrong = await review.browser.post(f"{review.url}/observations/new", data=DRAFT | {"owner": "aino@example.org"})
    for _ in range(2):
        saved = await review.browser.post(f"{review.url}/observations/new", data=DRAFT | {"observation_id": hidden})
        assert saved.status_code == 303
    await review.browser.post(one, data=DRAFT | {"text": "Rooms were found late."})
    changed = await review.report()
    listed = (await review.browser.get("/exercises/reports?lang=en")).text
    await review.browser.post(f"{one}/close")
    after = (await review.browser.get("/exercises/reports?lang=en")).text
    done = await review.page()
    await review.browser.post(f"{one}/reopen")
    reopened = await review.report()
    await review.browser.post(f"{one}/remove")

    assert wrong.status_code == 422
    assert "aino@example.org" in wrong.text
    assert 'href="#f-owner"' in wrong.text
    assert [seen.text for seen in changed.observations] == ["Rooms were found late."]
    assert "Ask for rooms in the yearly survey." in listed
    assert "Due 30/11/2026" in listed
    assert "Ask for rooms in the yearly survey." not in after
    assert "Done 21/11/2026" in done
    assert reopened.observations[0].open_action
    assert (await review.report()).observations == ()
    assert (await review.browser.get(one)).status_code == 404


async def test_exercises_are_compared_by_the_same_measures(review: Review) -> None:
    await review.hear([*registered(12, review.clock.now()), *review.played.events()])
    other = await rehearsed(review.stage)
    await review.hear(other.events())
    ids = [str(review.played.exercise.id), str(other.exercise.id)]

    one = await review.browser.get("/exercises/compare", params={"exercise": ids[:1]})
    both = await review.browser.get("/exercises/compare", params={"exercise": ids, "lang": "en"})

    assert one.status_code == 422
    assert both.status_code == 200
    assert both.text.count("4 of 12 asked") == 2
    assert both.text.count(">33%<") + both.text.count(">33 %<") >= 2


async def test_a_liaison_reads_and_changes_nothing(settings: Settings, clock: FakeClock, migrated: Migrated) -> None:
    async with signed_in(settings, clock, migrated, Role.LIAISON) as (app, stage, browser):
        review = Review(app, clock, stage, browser, await rehearsed(stage))
        page = await review.page()
        refused = await browser.post(f"{review.url}/actions/2", data={"verdict": "done"})

        assert (await browser.get("/exercises/reports")).status_code == 200
        assert "/actions/2" not in page
        assert "/observations/new" not in page
        assert refused.status_code == 403


async def test_an_exercise_that_has_not_begun_has_a_report_and_nothing_to_observe(review: Review) -> None:
    planned = await review.stage.planned()

    report = await review.browser.get(f"/exercises/{planned.id}/report?lang=en")
    observed = await review.browser.post(f"/exercises/{planned.id}/observations/new", data=DRAFT)

    assert "No association was asked in this exercise." in report.text
    assert observed.status_code == 409
