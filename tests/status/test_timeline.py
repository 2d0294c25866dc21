"""The course of a situation: written in any language, read everywhere, and ended with a summary."""

from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.status.situation.model import Words
from services.status.timeline.model import TEXT_LENGTH, Flaw, Refused, Update, write_closing, write_update
from services.status.timeline.store import TimelineStore
from shared.identity import Role
from shared.ids import new_id
from shared.settings import Settings
from tests.fakes import STORM_EVENING, FakeClock
from tests.status.conftest import Stores
from tests.status.people import LIAISON, Desk, desk, storm


def update(words: Words) -> Update | Refused:
    return write_update(storm().situation, words, update_id=new_id(), by=LIAISON, now=STORM_EVENING)


def test_one_language_is_enough_and_stands_in_for_the_others() -> None:
    words = Words(sv="Elen är tillbaka")

    assert isinstance(update(words), Update)
    assert {words.of(locale) for locale in ("fi", "fi@selko", "sv", "en")} == {"Elen är tillbaka"}
    assert Words("Suomeksi", "På svenska").of("en") == "Suomeksi"


@given(st.builds(Words, *[st.text(max_size=TEXT_LENGTH + 5)] * 3))
def test_whatever_is_written_is_kept_plain_and_short_or_refused(words: Words) -> None:
    outcome, closing = update(words), write_closing(words)

    if isinstance(outcome, Update):
        assert outcome.words == closing
        assert any(vars(outcome.words).values())
        assert all(len(text) <= TEXT_LENGTH and "\x00" not in text for text in vars(outcome.words).values())
    else:
        assert set(outcome.flaws) <= {Flaw.TEXT_MISSING, Flaw.TEXT_TOO_LONG}


async def test_updates_are_kept_once_newest_first_until_the_situation_is_closed(
    stores: Stores, clock: FakeClock
) -> None:
    store, opened = TimelineStore(stores.database), storm()
    await stores.situations.open(opened)
    updates = [Update(new_id(), clock.move(minutes=1), LIAISON, Words(f"Nro {number}")) for number in range(3)]

    for one in (*updates, updates[0]):
        assert await store.add(opened.situation, one)
    await stores.situations.close(opened.situation, Words("Ohi on"))

    assert await store.newest(opened.situation, 2) == updates[:0:-1]
    assert not await store.add(opened.situation, Update(new_id(), clock.now(), LIAISON, Words("Liian myöhään")))
    closed = await stores.situations.one(opened.situation.id)
    assert closed.closing == Words("Ohi on")


@pytest.fixture
async def open_desk(settings: Settings, clock: FakeClock) -> AsyncIterator[Desk]:
    async with desk(settings, clock) as one:
        yield one


async def test_what_is_written_is_read_on_the_picture_in_reports_and_where_the_situation_is_closed(
    open_desk: Desk,
) -> None:
    opened = storm()
    await open_desk.app.state.situations.open(opened)
    open_desk.sign_in(Role.LIAISON)
    browser, path = open_desk.browser, f"/situations/{opened.situation.id}"

    empty = await browser.post(f"{path}/timeline?lang=en", data={"fi": " "})
    long = await browser.post(f"{path}/close?lang=en", data={"sv": "x" * (TEXT_LENGTH + 1)})
    done = await browser.post(f"{path}/timeline", data={"fi": "Sähköt <poikki>", "sv": "Strömavbrott"})
    pages = [(await browser.get(f"{path}{page}?lang=fi")).text for page in ("", "/timeline", "/close")]
    closed = await browser.post(f"{path}/close", data={"fi": "Kaikilla on taas sähköt"})
    after = await browser.get(f"{path}?lang=fi")
    await browser.post(f"{path}/reports/new", data={"report_id": str(new_id())})
    report = (await browser.get(f"{path}/reports/1?lang=fi")).text
    table = (await browser.get(f"{path}/reports/1/report.csv?lang=sv")).text
    late = await browser.post(f"{path}/timeline", data={"fi": "Vielä yksi"})

    assert (empty.status_code, long.status_code, late.status_code) == (422, 422, 422)
    assert 'href="#f-fi"' in empty.text
    assert 'href="#f-sv"' in long.text
    assert done.status_code == closed.status_code == 303
    assert all("Sähköt &lt;poikki&gt;" in page for page in (*pages, after.text, report))
    assert "Kaikilla on taas sähköt" in after.text
    assert "Kaikilla on taas sähköt" in report
    assert "Strömavbrott" in table


async def test_all_staff_read_the_course_and_only_some_write_it(open_desk: Desk) -> None:
    opened = storm()
    await open_desk.app.state.situations.open(opened)
    path = f"/situations/{opened.situation.id}/timeline"

    for role in Role:
        open_desk.sign_in(role)
        read, wrote = await open_desk.browser.get(path), await open_desk.browser.post(path, data={"fi": "Uutta"})
        may = role in {Role.LIAISON, Role.ADMINISTRATOR}
        assert (read.status_code, wrote.status_code) == (200, 303 if may else 403)
        assert ("<form" in read.text.partition("<main")[2]) is may
