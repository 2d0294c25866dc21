"""The calendar: the same items as the page and the other feeds, read by a program that is not ours."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import feedparser
import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from services.notify.feeds.addresses import Addresses
from services.notify.feeds.calendar_ics import calendar_ics
from services.notify.feeds.model import Announced, Channel, channel
from services.notify.feeds.store import Releases
from services.notify.guidance.model import Kind, Text
from services.notify.guidance.store import GuidanceStore
from services.notify.subscribers.store import SubscriberStore
from shared import region
from shared.i18n import Locale
from shared.ids import new_id
from shared.realm import LIVE
from tests.fakes import STORM_EVENING, FakeClock
from tests.notify.feeds.test_api import corrected
from tests.notify.guidance.drafts import ALL_LANGUAGES, FORSSA, HATTULA, draft, published, resident, submitted


@pytest.fixture
async def somebody(subscribers: SubscriberStore) -> None:
    await resident(subscribers, "aino@example.org", *(place.code for place in region.MUNICIPALITIES))


async def events(browser: AsyncClient, place: str = "all", language: str = "fi") -> list[Any]:
    answer = await browser.get(f"/feeds/{place}/{language}/calendar.ics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/calendar")
    return list(Calendar.from_ical(answer.content).walk("VEVENT"))


@pytest.mark.usefixtures("somebody")
async def test_the_calendar_has_the_items_of_atom_and_of_the_page(
    browser: AsyncClient, guidance: GuidanceStore, clock: FakeClock
) -> None:
    await published(guidance, draft({Locale.FI: Text("Vanhentunut", "x")}, valid_hours=3))
    clock.move(hours=4)
    await published(
        guidance, draft({Locale.FI: Text("Hattulan; ohje, heti", "Rivi\n\n- toinen")}, areas=frozenset({HATTULA}))
    )
    clock.move(minutes=1)
    gone = await published(guidance, draft({Locale.FI: Text("Peruttava", "x")}, areas=frozenset()))
    await corrected(guidance, gone, Kind.CANCEL, draft({Locale.FI: Text("x", "x", "Ohi.")}))
    await submitted(guidance, draft({Locale.FI: Text("Luonnos", "x")}))

    for place in ("all", HATTULA, FORSSA):
        entries = await events(browser, place)
        atom = feedparser.parse((await browser.get(f"/feeds/{place}/fi/atom.xml")).content).entries
        page = (await browser.get("/" if place == "all" else f"/m/{place}")).text

        assert [(str(one["uid"]), str(one["summary"])) for one in entries] == [(e.id, e.title) for e in atom]
        assert all(str(one["summary"]).removeprefix("Peruttu: ") in page for one in entries)
        assert f'type="text/calendar" href="/feeds/{place}/fi/calendar.ics"' in page
    assert len(await events(browser)) == 2
    assert "Rivi\n\n- toinen\n\nhttp" in str((await events(browser, HATTULA))[-1]["description"])


@pytest.mark.usefixtures("somebody")
async def test_an_entry_lies_from_release_to_expiry_in_its_language(
    browser: AsyncClient, guidance: GuidanceStore
) -> None:
    await published(guidance, draft(ALL_LANGUAGES))

    for name, locale in (("fi", Locale.FI), ("selko", Locale.SELKO), ("sv", Locale.SV), ("en", Locale.EN)):
        [event] = await events(browser, FORSSA, name)
        assert str(event["summary"]) == ALL_LANGUAGES[locale].headline
        assert event["summary"].params["LANGUAGE"] == locale.lang
        assert (event.decoded("dtstart"), event.decoded("dtend")) == (
            STORM_EVENING,
            STORM_EVENING + timedelta(hours=24),
        )
        assert (event["status"], event["transp"], event["location"]) == ("CONFIRMED", "TRANSPARENT", "Forssa")


@pytest.mark.usefixtures("somebody")
async def test_a_correction_raises_the_sequence_and_a_withdrawal_cancels(
    browser: AsyncClient, guidance: GuidanceStore, clock: FakeClock
) -> None:
    first = await published(guidance)
    told = await events(browser)
    clock.move(minutes=10)
    second = await corrected(guidance, first, Kind.UPDATE, draft({Locale.FI: Text("Uusi", "y", "Muuttui.")}))
    told += await events(browser)
    clock.move(minutes=10)
    await corrected(guidance, second, Kind.CANCEL, draft({Locale.FI: Text("x", "x", "Ohi.")}))
    told += await events(browser)

    assert len({str(event["uid"]) for event in told}) == 1
    assert [event["sequence"] for event in told] == [0, 1, 2]
    assert [event["status"] for event in told] == ["CONFIRMED", "CONFIRMED", "CANCELLED"]
    assert {event.decoded("dtstart") for event in told} == {STORM_EVENING}
    assert told[1].decoded("dtstamp") == STORM_EVENING + timedelta(minutes=10)


@pytest.mark.usefixtures("somebody")
async def test_what_is_approved_for_later_is_in_no_calendar_and_in_no_feed(
    app: FastAPI, browser: AsyncClient, guidance: GuidanceStore
) -> None:
    revision = await submitted(guidance, draft())
    await app.state.schedule.plan(
        LIVE,
        revision.guidance_id,
        release_at=STORM_EVENING + timedelta(hours=12),
        by=new_id(),
        word="TOSI",
        edition=revision.edition,
    )

    assert await events(browser) == []
    assert "Sähköt poikki" not in (await browser.get("/")).text


ALARM = Announced(
    uid=new_id(),
    changes=2,
    changed_at=STORM_EVENING,
    starts=STORM_EVENING + timedelta(days=7),
    ends=STORM_EVENING + timedelta(days=7, hours=3),
    titles={Locale.FI: "HARJOITUS: Myrskyilta", Locale.SV: "ÖVNING: Stormkvällen"},
    texts={Locale.FI: "Ilmoittautukaa mukaan."},
    url="http://127.0.0.1:8000/exercises/1",
    areas=frozenset({FORSSA}),
)


async def test_what_is_announced_stands_in_calendars_alone(app: FastAPI, browser: AsyncClient) -> None:
    releases: Releases = app.state.releases

    async def exercises(_now: datetime) -> Sequence[Announced]:
        return [ALARM]

    releases.announce_by(exercises)
    [finnish], [swedish] = await events(browser, FORSSA), await events(browser, "all", "sv")
    elsewhere = await events(browser, HATTULA)

    assert str(finnish["summary"]) == "HARJOITUS: Myrskyilta"
    assert str(swedish["summary"]) == "ÖVNING: Stormkvällen"
    assert (finnish["uid"], finnish["sequence"]) == (ALARM.uid.urn, 2)
    assert elsewhere == []
    assert b"Myrskyilta" not in (await browser.get("/feeds/all/fi/atom.xml")).content


@settings(max_examples=25)
@given(st.text(min_size=1), st.text())
def test_whatever_is_written_is_read_back_as_one_entry(title: str, text: str) -> None:
    one = Announced(
        uid=new_id(),
        changes=0,
        changed_at=STORM_EVENING,
        starts=STORM_EVENING,
        ends=datetime(2026, 12, 1, tzinfo=UTC),
        titles={Locale.FI: title},
        texts={Locale.FI: text},
        url="https://valmius.example.org/",
    )
    known: Channel = channel((), place="all", locale=Locale.FI, addresses=Addresses("https://v.fi"), announced=[one])

    written = calendar_ics(known)

    [event] = Calendar.from_ical(written).walk("VEVENT")
    assert event["uid"] == one.uid.urn
    assert all(len(line) <= 75 for line in written.split(b"\r\n"))
