"""Report pages: made, read, downloaded and compared, by the right roles, and unchanged for ever."""

import re
from datetime import timedelta

import pytest
from starlette.responses import Response

from services.status.report.press import files
from shared.events.intake import OperatingStatus
from shared.i18n import HELSINKI, Locale
from shared.identity import Role, Staff
from shared.ids import new_id
from tests.fakes import STORM_EVENING, FakeClock
from tests.status.people import LIAISON, TAMMELA, Desk, association, checkin
from tests.status.reports import EXERCISE, asked, note, situation_of
from tests.status.test_pages import text_of

SUSPENDED = OperatingStatus.SUSPENDED
ARTICLE = re.compile(r'<article class="report.*?</article>', re.DOTALL)


def article(html: str) -> str:
    """The part of a page that is frozen."""
    [found] = ARTICLE.findall(html)
    return str(found)


async def test_a_liaison_makes_a_report_and_reads_what_it_says(open_desk: Desk) -> None:
    round_ = await asked(open_desk, "Aino", "Bertta")
    await open_desk.app.state.readiness.hear(checkin("Aino", round_, SUSPENDED))
    open_desk.sign_in(Role.LIAISON)
    here = f"/situations/{round_.situation_id}/reports"
    next_at = (STORM_EVENING + timedelta(hours=4)).astimezone(HELSINKI)

    form = await open_desk.browser.get(f"{here}/new?lang=en")
    report_id = re.search(r'name="report_id" value="([^"]+)"', form.text)
    assert report_id
    written = {
        "report_id": report_id[1],
        "summary": "Power is out.\r\n<b>Tammela</b> is cold.",
        "next_at": next_at.strftime("%Y-%m-%dT%H:%M"),
    }
    made = await open_desk.browser.post(f"{here}/new", data=written)
    twice = await open_desk.browser.post(f"{here}/new", data=written)
    shown = await open_desk.browser.get(f"{made.headers['location']}&lang=en")
    words = text_of(shown.text)

    assert "1 of 2 answered, 0 out of date, 0 not reached" in text_of(form.text)
    assert made.status_code == 303
    assert made.headers["location"] == twice.headers["location"] == f"{here}/1?said=frozen"
    assert "Situation report 1: November storm" in words
    assert "Power is out. <b>Tammela</b> is cold." in words
    assert "<b>Tammela" not in shown.text
    assert "Next report expected 22/11/2026, 00:00" in words
    assert "Compiled by Security Forum liaison" in words
    assert "This is the first report" in words
    assert "silta" in words
    assert "transport" in words
    assert str(LIAISON) not in shown.text


async def test_a_bad_form_comes_back_with_what_was_written(open_desk: Desk) -> None:
    round_ = await asked(open_desk, "Aino")
    open_desk.sign_in(Role.LIAISON)
    here = f"/situations/{round_.situation_id}/reports"

    answer = await open_desk.browser.post(f"{here}/new?lang=en", data={"summary": "x" * 4001, "next_at": "soon"})
    listed = await open_desk.browser.get(f"{here}?lang=en")

    assert answer.status_code == 422
    assert 'href="#f-summary"' in answer.text
    assert 'href="#f-next_at"' in answer.text
    assert "x" * 4001 in answer.text
    assert 'value="soon"' in answer.text
    assert "No report has been made" in listed.text


async def test_a_week_later_every_language_is_the_same_to_the_byte(open_desk: Desk, clock: FakeClock) -> None:
    round_ = await asked(open_desk, "Aino", "Bertta")
    situation = await situation_of(open_desk, round_)
    open_desk.sign_in(Role.LIAISON)
    await open_desk.app.state.reports.freeze(situation, note("Hiljaista."))
    path = f"/situations/{situation.id}/reports/1"
    forms = [path, *(f"{path}/report.{form}" for form in ("csv", "xlsx"))]

    async def everything() -> dict[tuple[str, Locale], bytes]:
        answers = {
            (form, locale): await open_desk.browser.get(form, params={"lang": locale})
            for form in forms
            for locale in Locale
        }
        assert {answer.status_code for answer in answers.values()} == {200}
        return {key: answer.content for key, answer in answers.items()}

    before = await everything()
    await open_desk.app.state.readiness.hear(checkin("Aino", round_, SUSPENDED))
    await open_desk.app.state.readiness.know(association("Aino", "061", version=2))
    await open_desk.app.state.situations.close(situation)
    clock.move(days=7)
    open_desk.sign_in(Role.LIAISON)

    assert await everything() == before
    assert len({article(before[path, locale].decode()) for locale in Locale}) == len(Locale)


async def test_files_say_what_they_are_and_an_unknown_form_is_said_in_words(open_desk: Desk) -> None:
    round_ = await asked(open_desk, "Aino", realm=EXERCISE)
    await open_desk.app.state.reports.freeze(await situation_of(open_desk, round_), note())
    open_desk.sign_in(Role.VIEWER)
    path = f"/situations/{round_.situation_id}/reports/1"

    table = await open_desk.browser.get(f"{path}/report.csv?lang=fi@selko")
    book = await open_desk.browser.head(f"{path}/report.xlsx?lang=sv")
    wrong = await open_desk.browser.get(f"{path}/report.docx")

    assert table.headers["content-type"] == "text/csv; charset=utf-8"
    assert table.headers["content-disposition"] == ('attachment; filename="exercise-situation-report-1.fi-selko.csv"')
    assert table.headers["content-language"] == "fi"
    assert table.headers["cache-control"] == "no-store"
    assert book.status_code == 200
    assert wrong.status_code == 404


async def test_a_pdf_is_offered_where_it_can_be_made_and_the_browsers_print_where_not(open_desk: Desk) -> None:
    round_ = await asked(open_desk, "Aino")
    await open_desk.app.state.reports.freeze(await situation_of(open_desk, round_), note())
    open_desk.sign_in(Role.VIEWER)
    path = f"/situations/{round_.situation_id}/reports/1"
    possible = "pdf" in files()

    page = (await open_desk.browser.get(f"{path}?lang=en")).text
    file = await open_desk.browser.get(f"{path}/report.pdf")

    assert ("report.pdf" in page) == possible
    assert ("use your browser" in page) != possible
    assert file.status_code == (200 if possible else 404)
    assert file.content.startswith(b"%PDF-") == possible


@pytest.mark.slow
async def test_an_exercise_is_named_on_every_page_of_it(open_desk: Desk) -> None:
    round_ = await asked(open_desk, "Aino", realm=EXERCISE)
    await open_desk.app.state.reports.freeze(await situation_of(open_desk, round_), note())
    open_desk.sign_in(Role.LIAISON)
    here = f"/situations/{round_.situation_id}/reports"

    for path in (here, f"{here}/new", f"{here}/1", f"{here}/1/since", f"{here}/links"):
        assert "ÖVNING – detta är inte" in (await open_desk.browser.get(path, params={"lang": "sv"})).text
    frozen = article((await open_desk.browser.get(f"{here}/1?lang=fi")).text)
    assert "HARJOITUS – tämä ei ole todellinen tilanne" in frozen
    assert "HARJOITUS: Tilanneraportti 1" in frozen


async def test_what_changed_since_a_report_is_shown_up_to_now_and_up_to_another(open_desk: Desk) -> None:
    round_ = await asked(open_desk, "Aino", "Bertta")
    situation = await situation_of(open_desk, round_)
    reports = open_desk.app.state.reports
    await reports.freeze(situation, note())
    await reports.freeze(situation, note())
    await open_desk.app.state.readiness.hear(checkin("Aino", round_, SUSPENDED))
    open_desk.sign_in(Role.VIEWER)
    since = f"/situations/{situation.id}/reports/1/since"

    now = text_of((await open_desk.browser.get(since, params={"lang": "en"})).text)
    until = text_of((await open_desk.browser.get(since, params={"lang": "en", "until": "2"})).text)
    nonsense = [await open_desk.browser.get(since, params={"until": text}) for text in ("x", "1", "-7", "99999999")]
    unknown = await open_desk.browser.get(since, params={"until": "9"})

    assert "Tammela: Suspended (was: Not known)" in now
    assert "Tammela 0 +1 0 0 +1 0 −1 0 0" in now
    assert "No change in any figure since report 1" in until
    assert {answer.status_code for answer in nonsense} == {200}
    assert unknown.status_code == 404


async def test_all_staff_read_reports_and_only_liaisons_make_them(open_desk: Desk) -> None:
    round_ = await asked(open_desk, "Aino")
    await open_desk.app.state.reports.freeze(await situation_of(open_desk, round_), note())
    here = f"/situations/{round_.situation_id}/reports"

    for role in Role:
        open_desk.sign_in(role)
        read = [
            (await open_desk.browser.get(path)).status_code
            for path in (here, f"{here}/1", f"{here}/1/since", f"{here}/1/report.csv")
        ]
        form = (await open_desk.browser.get(f"{here}/new")).status_code
        button = "reports/new" in (await open_desk.browser.get(here)).text

        assert read == [200] * 4
        assert form == (200 if role is Role.LIAISON else 403)
        assert button == (role is Role.LIAISON)
    made = await open_desk.app.state.reports.list_all(await situation_of(open_desk, round_))
    assert [one.number for one in made] == [1]


async def test_a_liaison_of_one_municipality_reads_and_is_told_why_not_more(open_desk: Desk) -> None:
    round_ = await asked(open_desk, "Aino")
    await open_desk.app.state.reports.freeze(await situation_of(open_desk, round_), note())
    limited(open_desk)
    here = f"/situations/{round_.situation_id}/reports"

    read = await open_desk.browser.get(f"{here}/1")
    refused = [
        await open_desk.browser.get(f"{here}/new?lang=en"),
        await open_desk.browser.post(f"{here}/new?lang=en", data={}),
        await open_desk.browser.post(f"{here}/links?lang=en", data={"purpose": "x"}),
    ]

    assert read.status_code == 200
    assert {answer.status_code for answer in refused} == {403}
    assert all("limited to a part of it" in answer.text for answer in refused)


def limited(one: Desk) -> None:
    """Sign in a liaison who sees one municipality only."""
    sessions = one.app.state.sessions
    until = one.app.state.house.clock.now() + timedelta(hours=1)
    staff = Staff(new_id(), LIAISON, frozenset({Role.LIAISON}), until, municipalities=frozenset({TAMMELA}))
    response = Response()
    sessions.sign_in(response, staff)
    one.browser.cookies.clear()
    one.browser.cookies.set(sessions.cookie, response.headers["set-cookie"].split("=", 1)[1].split(";", 1)[0])


async def test_what_does_not_exist_is_said_in_plain_words(open_desk: Desk) -> None:
    round_ = await asked(open_desk, "Aino")
    open_desk.sign_in(Role.LIAISON)
    here = f"/situations/{round_.situation_id}/reports"

    for path in (f"{here}/1", f"{here}/1/since", f"{here}/1/report.csv", f"/situations/{new_id()}/reports"):
        assert (await open_desk.browser.get(path)).status_code == 404


async def test_the_picture_leads_to_the_reports(open_desk: Desk) -> None:
    round_ = await asked(open_desk, "Aino")
    here = f"/situations/{round_.situation_id}"
    open_desk.sign_in(Role.LIAISON)

    picture = (await open_desk.browser.get(here)).text

    assert f'href="{here}/reports"' in picture
    assert f'href="{here}/reports/new"' in picture
