"""The answer form: opening it changes nothing; sending records once, in the contact's language, and tells."""

import asyncio
import re
from collections.abc import Callable

import pytest
from sqlalchemy import select, update
from sqlmodel import col

from services.intake.checkin.model import NOTE_LIMIT
from services.intake.checkin.store import CheckInRow
from services.intake.invitation.store import InvitationToken
from shared.ids import new_id
from shared.realm import Realm
from shared.region import CAPABILITIES
from shared.web import HERE
from tests.intake.house import AINO, BERTTA, CECILIA, Intake

PAGE_LIMIT = 30_000
SHEET = re.compile(r'rel="stylesheet" href="/static/([^?]+)')
FORM_ID = re.compile(r'name="checkin_id" value="([0-9a-f-]{36})"')


@pytest.fixture
async def link(intake: Intake) -> str:
    """Aino's link in a round that also asks Bertta, who reads Swedish."""
    await intake.take_in(AINO, BERTTA)
    await intake.open_round(await intake.ids())
    return await intake.link(0)


async def rows(intake: Intake) -> list[CheckInRow]:
    async with intake.database.read() as session:
        return list((await session.execute(select(CheckInRow).order_by(col(CheckInRow.reported_at)))).scalars())


async def test_two_taps_and_the_answer_is_recorded_and_told(intake: Intake, link: str) -> None:
    form = await intake.browser.get(link)
    [form_id] = FORM_ID.findall(form.text)

    answer = await intake.browser.post(link, data={"checkin_id": form_id, "status": "limited"})

    [row] = await rows(intake)
    [event] = await intake.said("checkin_received")
    assert (form.status_code, answer.status_code) == (200, 200)
    assert "Kiitos, vastauksenne on tallennettu." in answer.text
    assert "Toimimme rajoitetusti" in answer.text
    assert (row.status, row.channel, str(row.form_id)) == ("limited", "link", form_id)
    assert (event["checkin_id"], event["status"]) == (str(row.id), "limited")


async def test_opening_the_link_changes_nothing_however_often(intake: Intake, link: str) -> None:
    await intake.forget_said()

    for _ in range(100):
        assert (await intake.browser.get(link)).status_code == 200
        head = await intake.browser.head(link)
        assert (head.status_code, head.content) == (200, b"")

    assert await rows(intake) == []
    assert await intake.said() == []


async def test_nothing_is_preselected_even_when_answered_before(intake: Intake, link: str) -> None:
    await intake.browser.post(link, data={"status": "suspended", "note": "Sähköt poikki"})

    form = await intake.browser.get(link)

    assert " checked" not in form.text
    assert "Viesti: Sähköt poikki" in form.text
    assert "Nykyinen vastauksenne: Toimintamme on keskeytynyt" in form.text
    assert "<script" not in form.text


async def test_without_a_choice_the_form_comes_back_with_what_was_written(intake: Intake, link: str) -> None:
    answer = await intake.browser.post(link, data={"note": "Sähköt <poikki>", "until": "today"})

    assert answer.status_code == 422
    assert "Valitkaa yksi vaihtoehto. Mitään ei ole vielä lähetetty." in answer.text
    assert 'href="#f-status"' in answer.text
    assert 'id="f-status"' in answer.text
    assert "autofocus" in answer.text
    assert "Sähköt &lt;poikki&gt;" in answer.text
    assert '<option value="today" selected>' in answer.text
    assert await rows(intake) == []


async def test_a_message_that_is_too_long_comes_back_whole_with_the_choice_kept(intake: Intake, link: str) -> None:
    answer = await intake.browser.post(link, data={"status": "normal", "note": "x" * (NOTE_LIMIT + 1)})

    assert answer.status_code == 422
    assert "x" * (NOTE_LIMIT + 1) in answer.text
    assert 'id="f-status-normal" checked' in answer.text
    assert await rows(intake) == []


async def test_a_message_of_the_length_that_browsers_allow_is_taken(intake: Intake, link: str) -> None:
    note = "a\r\n" * (NOTE_LIMIT // 2)

    answer = await intake.browser.post(link, data={"status": "normal", "note": note})

    assert answer.status_code == 200


async def test_what_was_told_besides_is_recorded_shown_and_kept_here(intake: Intake, link: str) -> None:
    answer = await intake.browser.post(
        link, data={"status": "limited", "until": "tomorrow", "note": "<b>Kylä\x00talo</b> auki"}
    )

    [row] = await rows(intake)
    [event] = await intake.said("checkin_received")
    assert row.note == "<b>Kylätalo</b> auki"
    assert "&lt;b&gt;Kylätalo&lt;/b&gt; auki" in answer.text
    assert "22.11.2026 23.59" in answer.text
    assert event["until"] == "2026-11-22T21:59:00Z"
    assert "Kylätalo" not in str(event)


async def test_a_form_sent_twice_is_recorded_once_and_answered_alike(intake: Intake, link: str) -> None:
    sent = {"checkin_id": str(new_id()), "status": "normal"}

    first = await intake.browser.post(link, data=sent)
    intake.clock.move(seconds=1)
    second = await intake.browser.post(link, data=sent)

    assert first.text == second.text
    assert len(await rows(intake)) == len(await intake.said("checkin_received")) == 1


async def test_a_form_sent_many_times_at_once_is_recorded_once(intake: Intake, link: str) -> None:
    sent = {"checkin_id": str(new_id()), "status": "normal"}

    answers = await asyncio.gather(*(intake.browser.post(link, data=sent) for _ in range(20)))

    assert {answer.status_code for answer in answers} == {200}
    assert len(await rows(intake)) == len(await intake.said("checkin_received")) == 1


async def test_a_later_answer_stands_beside_the_earlier_one_and_is_shown(intake: Intake, link: str) -> None:
    await intake.browser.post(link, data={"status": "normal"})
    intake.clock.move(minutes=5)
    await intake.browser.post(link, data={"status": "suspended"})

    assert [row.status for row in await rows(intake)] == ["normal", "suspended"]
    assert [event["status"] for event in await intake.said("checkin_received")] == ["normal", "suspended"]
    assert "Toimintamme on keskeytynyt" in (await intake.browser.get(f"{link}?lang=fi")).text


async def test_a_crowd_that_answers_at_once_is_recorded_each_under_its_name(intake: Intake) -> None:
    await intake.take_in(*(f"Seura {n};{n};Hattula;;;s{n}@example.org" for n in range(1, 61)))
    await intake.open_round(await intake.ids())
    links = [await intake.link(number) for number in range(60)]

    answers = await asyncio.gather(
        *(intake.browser.post(path, data={"status": "normal", "note": path}) for path in (*links, "/c/unknown"))
    )

    assert [answer.status_code for answer in answers] == [200] * 60 + [404]
    recorded = {row.note: row.association_id for row in await rows(intake)}
    assert sorted(recorded) == sorted(links)
    assert sorted(recorded.values()) == await intake.ids()
    assert len(await intake.said("checkin_received")) == 60
    assert all(f"Seura {number}<" in answers[number - 1].text for number in range(1, 61))


async def test_the_page_speaks_the_contacts_language_unless_another_is_asked_for(intake: Intake, link: str) -> None:
    berttas = await intake.link(1)

    assert "Hur verkar Forssa Byalag just nu?" in (await intake.browser.get(berttas)).text
    assert "Tack, ert svar har sparats." in (await intake.browser.post(berttas, data={"status": "normal"})).text
    easy = await intake.browser.get(f"{link}?lang=fi@selko")
    english = await intake.browser.post(f"{link}?lang=en", data={"status": "normal"})
    assert "Toimimme vain osittain" in easy.text
    assert easy.headers["content-language"] == "fi"
    assert "Thank you, your answer is recorded." in english.text
    assert f'href="{link}?lang=en"' in english.text
    assert f'href="{link}?lang=sv"' in english.text


async def test_links_that_are_not_good_any_more_are_answered_alike(intake: Intake, link: str) -> None:
    berttas = await intake.link(1)
    async with intake.database.write() as session:
        await session.execute(update(InvitationToken).values(revoked_at=intake.clock.now()))
    revoked = await intake.browser.get(link)
    unknown = await intake.browser.get("/c/" + "x" * 43)
    async with intake.database.write() as session:
        await session.execute(update(InvitationToken).values(revoked_at=None))
    intake.clock.move(hours=24)
    expired = await intake.browser.get(berttas)
    posted = await intake.browser.post(link, data={"status": "normal"})
    chosen_nothing = await intake.browser.post(link)
    history = [await intake.browser.get(f"{path}/history") for path in (link, "/c/" + "x" * 43)]
    declined = [await intake.browser.post(f"{path}/not-this-time") for path in (link, "/c/" + "x" * 43)]

    pages = (revoked, unknown, expired, posted, chosen_nothing, *history, *declined)
    assert {page.status_code for page in pages} == {404}
    assert len({re.sub(r"/c/[\w-]+(/[a-z-]+)?", "", page.text) for page in pages}) == 1
    assert "Linkki ei ole enää voimassa. Soittakaa +358 40 000 0000, niin kirjaamme vastauksenne." in expired.text
    assert await rows(intake) == []


async def test_an_exercise_says_so_on_every_page(intake: Intake) -> None:
    await intake.take_in(AINO)
    await intake.open_round(await intake.ids(), realm=Realm("ex-autumn"))
    link = await intake.link()

    form = await intake.browser.get(link)
    thanks = await intake.browser.post(link, data={"status": "normal"})

    [event] = await intake.said("checkin_received")
    assert all("HARJOITUS" in page.text for page in (form, thanks))
    assert event["realm"] == "ex-autumn"
    assert [row.realm for row in await rows(intake)] == ["ex-autumn"]


@pytest.mark.parametrize("lang", ["fi", "fi@selko", "sv", "en"])
async def test_the_page_and_its_style_are_light(intake: Intake, link: str, lang: str) -> None:
    style = len((HERE / "static" / "app.css").read_bytes())
    all_of_it = {which: [one.code for one in CAPABILITIES] for which in ("offer", "need")}
    amounts = {f"{which}-{code}": "1000" for which, codes in all_of_it.items() for code in codes}

    form = await intake.browser.get(f"{link}?lang={lang}")
    thanks = await intake.browser.post(f"{link}?lang={lang}", data={"status": "normal", **all_of_it, **amounts})
    again = await intake.browser.get(f"{link}?lang={lang}")
    history = await intake.browser.get(f"{link}/history?lang={lang}")

    pages = (form, thanks, again, history)
    assert {page.status_code for page in pages} == {200}
    assert max(len(page.content) for page in pages) + style <= PAGE_LIMIT
    assert {sheet for page in pages for sheet in SHEET.findall(page.text)} == {"app.css"}
    assert not any("<script" in page.text for page in pages)


async def test_the_link_is_kept_out_of_referers_caches_and_logs(
    intake: Intake, link: str, logged: Callable[[], str]
) -> None:
    answers = [
        await intake.browser.get(link),
        await intake.browser.post(link),
        await intake.browser.post(link, data={"status": "normal", "note": "Yksityistä"}),
        await intake.browser.get("/c/unknown"),
        await intake.browser.get(f"{link}/history"),
        await intake.browser.post(f"{link}/not-this-time"),
        await intake.browser.get(f"{link}/not-this-time"),
        await intake.browser.get(f"{link}/nothing"),
    ]

    for answer in answers:
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
    assert link.removeprefix("/c/").casefold() not in logged()
    assert "yksityistä" not in logged()


async def test_a_database_that_fails_puts_no_words_and_no_link_into_the_log(
    intake: Intake, link: str, logged: Callable[[], str]
) -> None:
    async with intake.database.engine.begin() as connection:
        await connection.exec_driver_sql("DROP TABLE checkin")

    with pytest.raises(Exception, match="checkin") as raised:
        await intake.browser.post(link, data={"status": "normal", "note": "Yksityistä"})

    assert "Yksityistä" not in str(raised.value)
    assert link.removeprefix("/c/") not in str(raised.value)
    assert "yksityistä" not in logged()


async def test_a_post_from_another_site_is_refused(intake: Intake, link: str) -> None:
    elsewhere = {"sec-fetch-site": "cross-site"}
    answer = await intake.browser.post(link, data={"status": "normal"}, headers=elsewhere)
    declined = await intake.browser.post(f"{link}/not-this-time", headers=elsewhere)

    assert (answer.status_code, declined.status_code) == (403, 403)
    assert await rows(intake) == []


async def test_an_association_without_an_address_has_no_link(intake: Intake) -> None:
    await intake.take_in(CECILIA)
    await intake.open_round(await intake.ids())

    assert await intake.count(InvitationToken) == 0


async def test_a_name_with_marks_is_shown_as_text(intake: Intake) -> None:
    await intake.take_in("<b>A&O</b> gap0note0gap;1;Hattula;;;a@example.org")
    await intake.open_round(await intake.ids())
    link = await intake.link()

    thanks = await intake.browser.post(link, data={"status": "normal", "note": "gap0token0gap"})

    assert "&lt;b&gt;A&amp;O&lt;/b&gt; gap0note0gap" in thanks.text
    assert "gap0token0gap" in thanks.text
    assert "<b>A" not in thanks.text


async def test_a_link_takes_thirty_answers_a_minute_and_is_read_for_ever(intake: Intake) -> None:
    await intake.take_in(AINO, BERTTA)
    await intake.open_round(await intake.ids())
    path, other = await intake.link(0), await intake.link(1)

    answers = [await intake.browser.post(f"{path}?lang=en", data={"status": "normal"}) for _ in range(31)]

    assert [answer.status_code for answer in answers[-2:]] == [200, 429]
    assert answers[-1].headers["retry-after"] == "60"
    assert "Nothing was recorded this time." in answers[-1].text
    assert (await intake.browser.get(path)).status_code == 200
    assert (await intake.browser.post(other, data={"status": "normal"})).status_code == 200
