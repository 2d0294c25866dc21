"""The guidance desk: writing, approving, and who may do which."""

import re

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from services.notify.guidance.model import State
from services.notify.guidance.store import GuidanceStore
from services.notify.situations.store import SituationStore
from services.notify.subscribers.store import SubscriberStore
from shared.events.status import SituationOpened
from shared.i18n import Locale
from shared.identity import Role
from shared.ids import new_id
from shared.realm import LIVE
from tests.fakes import STORM_EVENING, FakeClock
from tests.notify.conftest import signed_in, staff
from tests.notify.guidance.drafts import ALL_LANGUAGES, draft, present, published, resident, submitted

FORM = {
    "headline_fi": "Sähköt poikki",
    "text_fi": "Varautukaa **kylmään**. <script>alert(1)</script>",
    "audience": ["residents", "members"],
    "municipality": ["061"],
    "valid_hours": "24",
    "edition": "0",
}


@pytest.fixture
def editor(app: FastAPI, clock: FakeClock) -> AsyncClient:
    return signed_in(app, staff(clock, Role.EDITOR))


@pytest.fixture
def approver(app: FastAPI, clock: FakeClock) -> AsyncClient:
    return signed_in(app, staff(clock, Role.APPROVER))


@pytest.fixture
def both(app: FastAPI, clock: FakeClock) -> AsyncClient:
    """One person with both roles."""
    return signed_in(app, staff(clock, Role.EDITOR, Role.APPROVER))


async def test_guidance_is_written_by_one_and_released_by_another(
    editor: AsyncClient, approver: AsyncClient, subscribers: SubscriberStore, guidance: GuidanceStore
) -> None:
    await resident(subscribers)

    written = await editor.post("/guidance/new", data=FORM)
    here = written.headers["location"]
    preview = await editor.get(f"{here}?lang=fi")
    await editor.post(f"{here}/submit", data={"edition": "1"})
    asked = await approver.get(f"{here}?lang=fi")
    released = await approver.post(f"{here}/approve", data={"edition": "1", "word": "TOSI"})
    progress = await approver.get(f"{here}?lang=fi")

    assert written.status_code == released.status_code == 303
    assert "Näiden kielten lukijat saavat suomenkielisen tekstin: Selkosuomi, Svenska, English." in preview.text
    assert "Sähköt poikki – Varautukaa kylmään." in preview.text
    assert "Kirjoita TOSI lähettääksesi 1 vastaanottajalle." in asked.text
    assert "<progress" in progress.text
    [revision] = await guidance.newest(LIVE)
    assert revision.state is State.PUBLISHED


async def test_nobody_approves_her_own_text_even_with_both_roles(
    both: AsyncClient, subscribers: SubscriberStore, guidance: GuidanceStore
) -> None:
    await resident(subscribers)
    here = (await both.post("/guidance/new", data=FORM)).headers["location"]
    await both.post(f"{here}/submit", data={"edition": "1"})

    page = await both.get(f"{here}?lang=fi")
    forced = await both.post(f"{here}/approve?lang=fi", data={"edition": "1", "word": "TOSI"})

    assert "Et voi hyväksyä omaa tekstiäsi. Pyydä toista henkilöä." in page.text
    assert page.text.count('name="word"') == page.text.count('name="alone_because"') == 1
    assert forced.status_code == 403
    assert "Et voi hyväksyä omaa tekstiäsi. Pyydä toista henkilöä." in forced.text
    [revision] = await guidance.newest(LIVE)
    assert revision.state is State.IN_REVIEW


@pytest.mark.parametrize(("word", "edition"), [("KYLLÄ", "1"), ("", "1"), ("TOSI", "7"), ("TOSI", "x")])
async def test_a_wrong_word_or_a_text_not_read_is_refused_and_the_page_says_why(
    approver: AsyncClient, subscribers: SubscriberStore, guidance: GuidanceStore, word: str, edition: str
) -> None:
    await resident(subscribers)
    revision = await submitted(guidance, draft())

    answer = await approver.post(f"/guidance/{revision.guidance_id}/approve", data={"word": word, "edition": edition})

    assert answer.status_code == 422
    assert 'id="error"' in answer.text
    assert await present(guidance, revision.guidance_id) == revision


async def test_guidance_that_reaches_nobody_cannot_be_released(approver: AsyncClient, guidance: GuidanceStore) -> None:
    revision = await submitted(guidance, draft())

    page = await approver.get(f"/guidance/{revision.guidance_id}?lang=en")
    forced = await approver.post(
        f"/guidance/{revision.guidance_id}/approve?lang=en", data={"word": "LIVE", "edition": "1"}
    )

    assert "This would reach nobody" in page.text
    assert 'name="word"' not in page.text
    assert forced.status_code == 422


async def test_a_form_with_mistakes_comes_back_with_everything_that_was_typed(editor: AsyncClient) -> None:
    answer = await editor.post(
        "/guidance/new?lang=fi", data={**FORM, "headline_fi": "", "text_sv": "El & <värme>", "valid_hours": "5"}
    )

    assert answer.status_code == 422
    for field in ("headline_fi", "headline_sv", "valid_hours"):
        assert f'href="#f-{field}"' in answer.text
        assert f'id="f-{field}"' in answer.text
    assert "El &amp; &lt;värme&gt;" in answer.text
    assert re.search(r'value="061"[^>]* checked', answer.text)
    assert "Kirjoita otsikko." in answer.text


async def test_a_text_that_somebody_else_changed_is_not_lost(
    editor: AsyncClient, app: FastAPI, clock: FakeClock, guidance: GuidanceStore
) -> None:
    other = signed_in(app, staff(clock, Role.EDITOR))
    here = (await editor.post("/guidance/new", data=FORM)).headers["location"]
    await other.post(f"{here}/edit", data={**FORM, "headline_fi": "Toisen", "edition": "1"})

    late = await editor.post(f"{here}/edit?lang=fi", data={**FORM, "headline_fi": "Oma", "edition": "1"})
    again = await editor.post(f"{here}/edit", data={**FORM, "headline_fi": "Oma", "edition": "2"})

    assert late.status_code == 422
    assert "Joku toinen on muuttanut tekstiä sillä välin." in late.text
    assert 'value="Oma"' in late.text
    assert 'name="edition" value="2"' in late.text
    assert again.status_code == 303
    [revision] = await guidance.newest(LIVE)
    assert revision.draft.texts[Locale.FI].headline == "Oma"


async def test_what_is_published_is_not_edited(
    editor: AsyncClient, subscribers: SubscriberStore, guidance: GuidanceStore
) -> None:
    await resident(subscribers)
    revision = await published(guidance)

    opened = await editor.get(f"/guidance/{revision.guidance_id}/edit")
    posted = await editor.post(f"/guidance/{revision.guidance_id}/edit", data={**FORM, "edition": "1"})

    assert (opened.status_code, posted.status_code) == (409, 409)


async def test_an_open_situation_can_be_named(app: FastAPI, editor: AsyncClient) -> None:
    situations: SituationStore = app.state.situations
    storm = new_id()
    await situations.tell(
        SituationOpened(
            happened_at=STORM_EVENING,
            realm=LIVE,
            situation_id=storm,
            kind="storm",
            names={"fi": "Syysmyrsky", "sv": "Höststormen"},
            municipalities=("061",),
        )
    )

    form = await editor.get("/guidance/new?lang=sv")
    here = (await editor.post("/guidance/new", data={**FORM, "situation": str(storm)})).headers["location"]

    assert "Höststormen" in form.text
    assert "Syysmyrsky" in (await editor.get(f"{here}?lang=fi")).text


async def test_markdown_can_do_no_harm_on_the_desk(editor: AsyncClient) -> None:
    here = (await editor.post("/guidance/new", data=FORM)).headers["location"]

    page = (await editor.get(here)).text

    assert "<script>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        (Role.EDITOR, {"read", "write", "submit"}),
        (Role.APPROVER, {"read", "approve"}),
        (Role.LIAISON, {"read"}),
        (Role.ADMINISTRATOR, {"read"}),
        (Role.VIEWER, set()),
        (Role.CLERK, set()),
    ],
)
async def test_each_role_does_its_own_part(
    app: FastAPI, clock: FakeClock, guidance: GuidanceStore, role: Role, allowed: set[str]
) -> None:
    here = f"/guidance/{await guidance.write(draft(), by=new_id())}"
    browser = signed_in(app, staff(clock, role))
    acts = {
        "read": [("GET", "/guidance"), ("GET", here)],
        "write": [
            ("GET", "/guidance/new"),
            ("POST", "/guidance/new"),
            ("GET", f"{here}/edit"),
            ("POST", f"{here}/edit"),
        ],
        "submit": [("POST", f"{here}/submit")],
        "approve": [("POST", f"{here}/approve")],
    }

    for act, doors in acts.items():
        for method, path in doors:
            answer = await browser.request(method, path)
            assert (answer.status_code != 403) is (act in allowed), (method, path)


async def test_strangers_are_led_to_sign_in(browser: AsyncClient, guidance: GuidanceStore) -> None:
    here = f"/guidance/{await guidance.write(draft(), by=new_id())}"

    for path in ("/guidance", "/guidance/new", here, f"{here}/edit", f"{here}/live"):
        answer = await browser.get(path)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/sign-in?next=")


@pytest.mark.parametrize("locale", list(Locale))
async def test_the_desk_speaks_four_languages(
    both: AsyncClient, guidance: GuidanceStore, subscribers: SubscriberStore, locale: Locale
) -> None:
    await resident(subscribers)
    revision = await published(guidance, draft(ALL_LANGUAGES))
    waiting = await submitted(guidance, draft(ALL_LANGUAGES))

    for path in ("", "/new", f"/{revision.guidance_id}", f"/{waiting.guidance_id}", f"/{waiting.guidance_id}/edit"):
        page = await both.get(f"/guidance{path}", params={"lang": locale.value})
        assert page.status_code == 200
        assert f'<html lang="{locale.lang}">' in page.text
    listed = await both.get("/guidance", params={"lang": locale.value})
    assert ALL_LANGUAGES[locale].headline in listed.text


async def test_guidance_is_corrected_on_one_page_and_released_by_another(
    editor: AsyncClient, approver: AsyncClient, subscribers: SubscriberStore, guidance: GuidanceStore
) -> None:
    await resident(subscribers)
    revision = await published(guidance, draft(ALL_LANGUAGES))
    here = f"/guidance/{revision.guidance_id}"

    form = await editor.get(f"{here}/correct?lang=fi")
    typed = {**CORRECTION, "edition": str(revision.edition)}
    asked = await editor.post(f"{here}/correct", data=typed)
    waiting = await approver.get(f"{asked.headers['location']}?lang=en")
    listed = await approver.get("/guidance?lang=en")
    await approver.post(f"{here}/approve", data={"edition": str(revision.edition + 1), "word": "LIVE"})

    assert 'value="Sähköt poikki Forssassa"' in form.text
    assert asked.status_code == 303
    assert "Kello oli väärin." in waiting.text
    assert "Korjattu: Sähköt palaavat – Kello oli väärin." in waiting.text
    assert "Correction waits for approval" in listed.text
    assert "Earlier texts" in (await editor.get(f"{here}?lang=en")).text
    assert (await present(guidance, revision.guidance_id)).draft.texts[Locale.FI].headline == "Sähköt palaavat"


async def test_what_the_public_had_is_withdrawn_and_shown_with_its_reason(
    editor: AsyncClient,
    approver: AsyncClient,
    browser: AsyncClient,
    subscribers: SubscriberStore,
    guidance: GuidanceStore,
) -> None:
    await resident(subscribers)
    revision = await published(guidance, draft(ALL_LANGUAGES))
    here = f"/guidance/{revision.guidance_id}"
    typed = {"kind": "cancel", "note_fi": "Sähköt palasivat.", "note_sv": "Strömmen är tillbaka.", "edition": "1"}

    await editor.post(f"{here}/correct", data=typed)
    await approver.post(f"{here}/approve", data={"edition": "2", "word": "TOSI"})

    front = await browser.get("/?lang=sv")
    one = await browser.get(f"/g/{revision.guidance_id}?lang=fi")
    assert "Strömmen är tillbaka." in front.text
    assert "Anvisningen är återkallad." in front.text
    assert "Sähköt palasivat." in one.text
    assert "Ohje on peruttu." in one.text
    assert "Varautukaa" not in one.text
    assert (await editor.get(f"{here}/correct")).status_code == 409


async def test_a_correction_with_mistakes_comes_back_and_a_waiting_one_is_written_anew_or_discarded(
    editor: AsyncClient, subscribers: SubscriberStore, guidance: GuidanceStore
) -> None:
    await resident(subscribers)
    revision = await published(guidance)
    here = f"/guidance/{revision.guidance_id}"

    wrong = await editor.post(f"{here}/correct?lang=en", data={**CORRECTION, "note_fi": "", "edition": "1"})
    await editor.post(f"{here}/correct", data={**CORRECTION, "edition": "1"})
    late = await editor.post(f"{here}/correct?lang=en", data={**CORRECTION, "edition": "1"})
    anew = await editor.post(f"{here}/correct", data={**CORRECTION, "kind": "cancel", "edition": "2"})
    await editor.post(f"{here}/correction/discard", data={"edition": "3"})

    assert wrong.status_code == 422
    assert 'href="#f-note_fi"' in wrong.text
    assert 'value="Sähköt palaavat"' in wrong.text
    assert late.status_code == 422
    assert anew.status_code == 303
    assert await guidance.unreleased(LIVE, revision.guidance_id) is None
    assert (await present(guidance, revision.guidance_id)).edition == 3


async def test_one_person_alone_releases_only_with_a_reason_and_the_page_shows_it(
    both: AsyncClient, subscribers: SubscriberStore
) -> None:
    await resident(subscribers)
    here = (await both.post("/guidance/new", data=FORM)).headers["location"]
    await both.post(f"{here}/submit", data={"edition": "1"})
    reason = "Kukaan muu ei vastaa puhelimeen."

    refused = [
        await both.post(f"{here}/approve?lang=en", data={"edition": "1", "word": word, "alone_because": why})
        for word, why in (("TOSI", reason), ("TOSI YKSIN", "kiire"), ("TOSI YKSIN", " "))
    ]
    released = await both.post(f"{here}/approve", data={"edition": "1", "word": "tosi  yksin", "alone_because": reason})
    page = await both.get(f"{here}?lang=en")

    assert [answer.status_code for answer in refused] == [422, 422, 403]
    assert reason in refused[0].text
    assert released.status_code == 303
    assert "One person alone wrote and released this." in page.text
    assert reason in page.text


async def test_a_preview_keeps_nothing_and_tells_what_is_hard(
    editor: AsyncClient, subscribers: SubscriberStore, guidance: GuidanceStore
) -> None:
    await resident(subscribers)
    hard = {**FORM, "text_fi": "Toimikaa viipymättä, mikäli sähköt katkeavat.", "preview": "1"}

    page = await editor.post("/guidance/new?lang=en", data=hard)

    assert page.status_code == 200
    assert "It would reach 1 recipient." in page.text
    assert "On a phone, the first 80 characters" in page.text
    assert "mikäli" in page.text.partition("<form")[0] + page.text.partition("plain-language")[2]
    assert await guidance.newest(LIVE) == []


@pytest.mark.parametrize("words", ["Tämä on vaaratiedote.", "Tämä ei ole harjoitus!", "Menkää paikkaan [paikka]."])
async def test_reserved_words_and_places_left_open_are_refused(
    editor: AsyncClient, guidance: GuidanceStore, words: str
) -> None:
    answer = await editor.post("/guidance/new?lang=en", data={**FORM, "text_fi": words})

    assert answer.status_code == 422
    assert 'href="#f-text_fi"' in answer.text
    assert "Must be changed:" in answer.text
    assert await guidance.newest(LIVE) == []


async def test_a_ready_text_fills_the_form_in_every_language(editor: AsyncClient) -> None:
    page = await editor.get("/guidance/new?ready=boil_water&lang=en")

    assert "Boil your drinking water in [area]" in page.text
    for begins in ("Keittäkää juomavesi", "Keitä vesi", "Koka vatten", "Boil water"):
        assert begins in page.text


CORRECTION = {
    "kind": "update",
    "note_fi": "Kello oli väärin.",
    "headline_fi": "Sähköt palaavat",
    "text_fi": "Odottakaa **kello 21** asti.",
    "valid_hours": "6",
}
