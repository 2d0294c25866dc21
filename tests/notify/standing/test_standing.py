"""Standing guidance: written by one, approved by another, read by everybody at any time, mailed to nobody."""

from html import unescape
from pathlib import Path
from uuid import UUID

import feedparser
import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from icalendar import Calendar
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from services.demo.standing import demo_standing, load_standing
from services.notify.delivery.schema import LetterRow
from services.notify.feeds.store import Copies
from services.notify.guidance.model import Refusal, Text
from services.notify.guidance.schema import BroadcastRow
from services.notify.guidance.store import GuidanceStore
from services.notify.plain_language.model import Hardness, findings
from services.notify.standing.model import Advice, Form, Stage, Standing
from services.notify.standing.store import StandingStore
from shared.i18n import Locale
from shared.identity import Role
from shared.ids import new_id
from shared.realm import LIVE, Realm
from tests.fakes import FakeClock
from tests.notify.conftest import signed_in, staff
from tests.notify.guidance.drafts import FORSSA, HATTULA

AINO, BERTTA = new_id(), new_id()
SUPPLIES = Advice(
    {Locale.FI: Text("Kotivara kerhotilaan", "- Vettä\n- Ruokaa"), Locale.SV: Text("Hemförråd", "- Vatten")},
    Form.CHECKLIST,
)
FORM = {
    "kind": "checklist",
    "headline_fi": "Kotivara",
    "text_fi": "- Vettä <b>",
    "edition": "0",
    "municipality": ["061"],
}


@pytest.fixture
def standing(app: FastAPI) -> StandingStore:
    store: StandingStore = app.state.standing
    return store


@pytest.fixture
def editor(app: FastAPI, clock: FakeClock) -> AsyncClient:
    return signed_in(app, staff(clock, Role.EDITOR))


@pytest.fixture
def approver(app: FastAPI, clock: FakeClock) -> AsyncClient:
    return signed_in(app, staff(clock, Role.APPROVER))


async def newest(store: StandingStore, standing_id: UUID) -> Standing:
    return (await store.newest(LIVE, standing_id))[0]


async def published(store: StandingStore, advice: Advice = SUPPLIES) -> Standing:
    """Written by Aino, approved by Bertta."""
    waiting = await newest(store, await store.write(advice, by=AINO))
    assert await store.approve(waiting, by=BERTTA, edition=waiting.edition) is None
    return await newest(store, waiting.standing_id)


async def test_the_public_keeps_the_old_text_until_another_person_approved_the_new_one(standing: StandingStore) -> None:
    old = await published(standing)
    new = Advice({Locale.FI: Text("Uusi", "- Vettä")}, Form.MODEL, frozenset({FORSSA}))

    assert await standing.follow(old, new, by=BERTTA)
    assert not await standing.follow(old, new, by=AINO)
    waiting = await newest(standing, old.standing_id)
    own = await standing.approve(waiting, by=BERTTA, edition=waiting.edition)
    unread = await standing.approve(waiting, by=AINO, edition=old.edition)
    before = await standing.current()
    approved = await standing.approve(waiting, by=AINO, edition=waiting.edition)

    assert (own, unread, approved) == (Refusal.OWN_TEXT, Refusal.CHANGED, None)
    assert before == [old]
    [now] = await standing.current()
    assert (now.advice, now.number, now.stage) == (new, 2, Stage.PUBLISHED)


async def test_whoever_changed_a_waiting_text_cannot_approve_it_either(standing: StandingStore) -> None:
    waiting = await newest(standing, await standing.write(SUPPLIES, by=AINO))
    assert await standing.follow(waiting, SUPPLIES, by=BERTTA)
    changed = await newest(standing, waiting.standing_id)

    assert (changed.number, changed.edition, changed.writers) == (1, 2, frozenset({AINO, BERTTA}))
    assert await standing.approve(changed, by=AINO, edition=2) is Refusal.OWN_TEXT
    assert await standing.approve(waiting, by=new_id(), edition=1) is Refusal.CHANGED
    assert not await standing.discard(waiting)
    assert await standing.discard(changed)
    assert await standing.all(LIVE) == []


async def test_a_withdrawal_needs_another_person_too(standing: StandingStore) -> None:
    old = await published(standing)
    withdrawal = Advice(SUPPLIES.texts, SUPPLIES.form, withdraws=True)
    await standing.follow(old, withdrawal, by=AINO)
    waiting = await newest(standing, old.standing_id)

    assert await standing.current() == [old]
    assert await standing.approve(waiting, by=BERTTA, edition=waiting.edition) is None
    assert await standing.current() == []
    assert (await newest(standing, old.standing_id)).stage is Stage.WITHDRAWN


async def test_the_database_itself_refuses_an_approval_by_the_writer(app: FastAPI, standing: StandingStore) -> None:
    await standing.write(SUPPLIES, by=AINO)

    for forgery in (
        "UPDATE standing SET approved_by = written_by, approved_at = written_at",
        "UPDATE standing SET approved_at = written_at",
    ):
        with pytest.raises(IntegrityError):
            async with app.state.house.database.write() as session:
                await session.execute(text(forgery))


async def test_it_stands_on_the_public_page_by_municipality_and_language_and_in_no_feed(
    browser: AsyncClient, standing: StandingStore
) -> None:
    one = await published(standing)
    await published(standing, Advice({Locale.FI: Text("Hattulan malli", "x")}, Form.MODEL, frozenset({HATTULA})))
    await standing.write(SUPPLIES, by=AINO, realm=Realm("ex-1"))
    here = f"/prepare/{one.standing_id}"

    front, forssa, whole = [(await browser.get(path)).text for path in ("/?lang=sv", f"/m/{FORSSA}", "/prepare")]
    page = await browser.get(f"{here}?lang=sv")
    missing = (await browser.get(f"{here}?lang=en")).text

    assert f'href="{here}?lang=sv">Hemförråd</a>' in front
    assert "Hattulan malli" in front
    assert "Hattulan malli" not in forssa
    assert whole.count('<li><a href="/prepare/') == 2
    assert '<article class="checklist"' in page.text
    assert "<li>Vatten</li>" in page.text
    assert page.headers["cache-control"] == "public, max-age=30"
    assert "This guidance is available only in Finnish." in missing
    assert feedparser.parse((await browser.get("/feeds/all/fi/atom.xml")).content).entries == []
    assert feedparser.parse((await browser.get("/feeds/all/cap.xml")).content).entries == []
    assert (await browser.get("/feeds/all/fi/feed.json")).json()["items"] == []
    assert Calendar.from_ical((await browser.get("/feeds/all/fi/calendar.ics")).content).walk("VEVENT") == []
    assert (await browser.get(f"/prepare/{new_id()}")).status_code == 404


async def test_it_is_in_the_copy_of_plain_files(app: FastAPI, standing: StandingStore, tmp_path: Path) -> None:
    one = await published(standing)
    copies: Copies = app.state.copies

    await copies.write(tmp_path / "copy", await copies.told())

    text = (tmp_path / f"copy/sv/prepare/{one.standing_id}.html").read_text()
    assert "<li>Vatten</li>" in text
    assert 'href="../../sv/index.html"' in text
    assert f"prepare/{one.standing_id}.html" in (tmp_path / f"copy/fi/{FORSSA}.html").read_text()


async def test_it_is_written_approved_told_of_and_withdrawn_at_the_desk(
    app: FastAPI, editor: AsyncClient, approver: AsyncClient, browser: AsyncClient, guidance: GuidanceStore
) -> None:
    wrong = await editor.post("/guidance/standing/new?lang=fi", data={**FORM, "kind": "", "headline_fi": ""})
    preview = await editor.post("/guidance/standing/new", data={**FORM, "preview": "1"})
    here = (await editor.post("/guidance/standing/new", data=FORM)).headers["location"]
    public = here.replace("/guidance/standing", "/prepare")
    waiting = await approver.get(f"{here}?lang=en")
    early = await browser.get(public)
    approved = await approver.post(f"{here}/approve", data={"edition": "1"})
    told = await editor.post(f"{here}/tell")
    await editor.post(f"{here}/withdraw", data={"edition": "1"})
    still = await browser.get(public)
    await approver.post(f"{here}/approve", data={"edition": "2"})

    assert (wrong.status_code, preview.status_code, early.status_code, approved.status_code) == (422, 200, 404, 303)
    assert 'href="#f-kind"' in wrong.text
    assert "Approve for the public page" in waiting.text
    assert "&lt;b&gt;" in still.text
    assert (await browser.get(public)).status_code == 404
    [draft] = await guidance.newest(LIVE)
    assert told.headers["location"] == f"/guidance/{draft.guidance_id}/edit"
    assert f"{public}?lang=fi>" in draft.draft.texts[Locale.FI].text
    async with app.state.house.database.read() as session:
        assert list((await session.execute(select(BroadcastRow))).scalars()) == []
        assert list((await session.execute(select(LetterRow))).scalars()) == []


async def test_nobody_approves_her_own_and_a_change_of_another_is_not_lost(
    app: FastAPI, clock: FakeClock, editor: AsyncClient, standing: StandingStore
) -> None:
    both = signed_in(app, staff(clock, Role.EDITOR, Role.APPROVER))
    here = (await both.post("/guidance/standing/new", data=FORM)).headers["location"]
    forced = await both.post(f"{here}/approve?lang=fi", data={"edition": "1"})
    await both.post(f"{here}/edit", data={**FORM, "headline_fi": "Toisen", "edition": "1"})
    late = await editor.post(f"{here}/edit?lang=fi", data={**FORM, "headline_fi": "Oma", "edition": "1"})

    assert forced.status_code == 403
    assert "Et voi hyväksyä omaa tekstiäsi." in forced.text
    assert late.status_code == 422
    assert 'value="Oma"' in late.text
    assert await standing.current() == []


async def test_the_demonstrations_texts_are_whole_and_every_page_speaks_four_languages(
    editor: AsyncClient, browser: AsyncClient, standing: StandingStore
) -> None:
    await load_standing(standing, writer=AINO, approver=BERTTA)
    known = await standing.current()
    here = f"/guidance/standing/{known[0].standing_id}"

    for locale, one in [(locale, one) for locale in Locale for one in known]:
        words = one.advice.texts[locale]
        assert {found.hardness for found in findings(words.headline, words.text, locale)} <= {Hardness.NOTHING_TO_DO}
        assert "112" in words.text
    for locale, path, reader in zip(
        Locale, ("/guidance/standing", f"{here}/edit", here, "/prepare"), (editor, editor, editor, browser), strict=True
    ):
        page = await reader.get(path, params={"lang": locale.value})
        assert page.status_code == 200
        assert known[0].advice.texts[locale].headline in unescape(page.text)
    assert len(known) == len(demo_standing()) == 3
