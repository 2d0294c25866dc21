"""Nobody releases what she wrote: whichever way she tries, the page, the door or the database refuses."""

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI
from httpx import AsyncClient
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from services.notify.guidance.model import Kind, Refusal, Revision, Text
from services.notify.guidance.store import GuidanceStore
from services.notify.scheduling.store import Schedule
from shared.i18n import Locale
from shared.identity import Role, Staff
from shared.realm import LIVE
from tests.fakes import FakeClock
from tests.notify.conftest import signed_in, staff
from tests.notify.guidance.drafts import draft, published, resident, submitted

REASON = "Kukaan muu ei vastaa puhelimeen."
FORM = {"edition": "1", "word": "TOSI", "day": "2026-11-22", "at": "08:00"}
Try = Callable[[FastAPI, AsyncClient, Revision, Staff], Awaitable[bool]]


async def by_the_page(_app: FastAPI, both: AsyncClient, own: Revision, _aino: Staff) -> bool:
    pages = [await both.get(f"/guidance/{own.guidance_id}{path}?lang=en") for path in ("", "/schedule")]
    hidden = all("Approve and send" not in page.text and "Approve for that moment" not in page.text for page in pages)
    return hidden and all("You cannot approve your own text." in page.text for page in pages)


async def by_the_door(_app: FastAPI, both: AsyncClient, own: Revision, _aino: Staff) -> bool:
    return (await both.post(f"/guidance/{own.guidance_id}/approve", data=FORM)).status_code == 403


async def by_the_door_with_a_word_for_one(_app: FastAPI, both: AsyncClient, own: Revision, _aino: Staff) -> bool:
    form = {**FORM, "alone_because": REASON}
    return (await both.post(f"/guidance/{own.guidance_id}/approve", data=form)).status_code == 422


async def by_the_door_for_later(_app: FastAPI, both: AsyncClient, own: Revision, _aino: Staff) -> bool:
    form = {**FORM, "alone_because": REASON}
    return (await both.post(f"/guidance/{own.guidance_id}/schedule", data=form)).status_code == 403


async def before_the_moment_that_another_planned(app: FastAPI, both: AsyncClient, own: Revision, _aino: Staff) -> bool:
    bertta = signed_in(app, staff(app.state.house.clock, Role.APPROVER))
    planned = await bertta.post(f"/guidance/{own.guidance_id}/schedule", data=FORM)
    now = await both.post(f"/guidance/{own.guidance_id}/schedule/now", data=FORM)
    taken = await both.post(f"/guidance/{own.guidance_id}/schedule/take-back", data=FORM)
    return (planned.status_code, now.status_code, taken.status_code) == (303, 403, 303)


async def past_every_page(app: FastAPI, _both: AsyncClient, own: Revision, aino: Staff) -> bool:
    guidance: GuidanceStore = app.state.guidance
    schedule: Schedule = app.state.schedule
    who: dict[str, Any] = {"by": aino.person_id, "edition": own.edition}
    now = await guidance.approve(LIVE, own.guidance_id, word="TOSI", **who)
    later = app.state.house.clock.now().replace(hour=23)
    planned = await schedule.plan(LIVE, own.guidance_id, release_at=later, word="TOSI", **who)
    return now is planned is Refusal.OWN_TEXT


async def past_every_line_of_code(app: FastAPI, _both: AsyncClient, _own: Revision, _aino: Staff) -> bool:
    plan = (
        "INSERT INTO release_plan (realm, guidance_id, number, edition, holds, written_by, planned_by, planned_at, "
        "release_at, expected, state) SELECT realm, guidance_id, number, edition, edition, written_by, {}, "
        "'2026-11-21', '2026-11-22', 1, 'waiting' FROM revision WHERE approved_by IS NULL"
    )
    forgeries = (
        "UPDATE revision SET approved_by = written_by, approved_at = submitted_at, expires_at = submitted_at",
        "UPDATE guidance SET state = 'published', approved_by = (SELECT written_by FROM revision LIMIT 1)",
        plan.format("written_by"),
        plan.format("written_by").replace("edition, written_by, written_by", "edition, randomblob(16), written_by"),
    )
    return [await refused(app, forgery) for forgery in forgeries] == [True] * len(forgeries)


async def refused(app: FastAPI, statement: str) -> bool:
    try:
        async with app.state.house.database.write() as session:
            await session.execute(text(statement))
    except IntegrityError:
        return True
    return False


ATTEMPTS: tuple[Try, ...] = (
    by_the_page,
    by_the_door,
    by_the_door_with_a_word_for_one,
    by_the_door_for_later,
    before_the_moment_that_another_planned,
    past_every_page,
    past_every_line_of_code,
)


async def test_nobody_releases_what_she_wrote(app: FastAPI, clock: FakeClock) -> None:
    await resident(app.state.subscribers)
    aino = staff(clock, Role.EDITOR, Role.APPROVER)
    own = await submitted(app.state.guidance, draft(), by=aino.person_id)

    for attempt in ATTEMPTS:
        assert await attempt(app, signed_in(app, aino), own, aino), attempt.__name__
        assert await app.state.guidance.current(clock.now()) == []
        assert await app.state.guidance.progress(own) is None


async def test_nor_a_correction_that_she_wrote(app: FastAPI, clock: FakeClock) -> None:
    await resident(app.state.subscribers)
    guidance: GuidanceStore = app.state.guidance
    aino = staff(clock, Role.EDITOR, Role.APPROVER)
    first = await published(guidance)
    change = draft({Locale.FI: Text("Uusi", "x", "Syy")})
    await guidance.correct(first, Kind.UPDATE, change, by=aino.person_id, edition=first.edition)
    both = signed_in(app, aino)

    answers = [
        await both.post(f"/guidance/{first.guidance_id}/{door}", data={**FORM, "edition": "2"})
        for door in ("approve", "schedule")
    ]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert await guidance.current(clock.now()) == [first]
