"""The feeds: the same items in every form, read by programs that are not ours; never anything of an exercise."""

from collections.abc import Sequence
from xml.etree import ElementTree as ET

import feedparser
import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from services.notify.cap.model import identifier_of
from services.notify.feeds.cap_xml import NAMESPACE
from services.notify.guidance.model import Approval, Draft, Kind, Revision, Text
from services.notify.guidance.store import GuidanceStore
from services.notify.subscribers.store import SubscriberStore
from shared import region
from shared.i18n import Locale
from shared.ids import new_id
from shared.realm import LIVE, Realm
from tests.fakes import FakeClock
from tests.notify.guidance.drafts import ALL_LANGUAGES, FORSSA, HATTULA, draft, in_exercise, published, resident

CAP = {"cap": NAMESPACE}
HOST = "http://127.0.0.1:8000"
EVIL = "<script>alert(1)</script> & ]]> \"x\" 'y'"


@pytest.fixture(autouse=True)
async def somebody(subscribers: SubscriberStore) -> None:
    await resident(subscribers, "aino@example.org", *(place.code for place in region.MUNICIPALITIES))


async def titles(browser: AsyncClient, place: str) -> Sequence[list[str]]:
    """The headlines of one place in each form."""
    atom = feedparser.parse((await browser.get(f"/feeds/{place}/fi/atom.xml")).content)
    alerts = feedparser.parse((await browser.get(f"/feeds/{place}/cap.xml")).content)
    entries = (await browser.get(f"/feeds/{place}/fi/feed.json")).json()["items"]
    assert not atom.bozo
    assert not alerts.bozo
    return (
        [entry.title for entry in atom.entries],
        [entry.title for entry in alerts.entries],
        [entry["title"] for entry in entries],
    )


async def test_all_forms_carry_the_same_items(browser: AsyncClient, guidance: GuidanceStore, clock: FakeClock) -> None:
    await published(guidance, draft({Locale.FI: Text("Vanhentunut", "x")}, valid_hours=3))
    clock.move(hours=4)
    await published(guidance, draft({Locale.FI: Text("Forssan ohje", "x")}))
    clock.move(minutes=1)
    await published(guidance, draft({Locale.FI: Text("Hattulan ohje", "x")}, areas=frozenset({HATTULA})))
    clock.move(minutes=1)
    await published(guidance, draft({Locale.FI: Text("Kaikkien ohje", "x")}, areas=frozenset()))

    for place, wanted in (
        ("all", ["Kaikkien ohje", "Hattulan ohje", "Forssan ohje"]),
        (FORSSA, ["Kaikkien ohje", "Forssan ohje"]),
        ("433", ["Kaikkien ohje"]),
    ):
        assert list(await titles(browser, place)) == [wanted] * 3


@pytest.mark.parametrize(("name", "locale"), [("fi", Locale.FI), ("selko", Locale.SELKO), ("sv", Locale.SV)])
async def test_each_language_has_its_feed(
    browser: AsyncClient, guidance: GuidanceStore, name: str, locale: Locale
) -> None:
    revision = await published(guidance, draft(ALL_LANGUAGES))

    atom = feedparser.parse((await browser.get(f"/feeds/{FORSSA}/{name}/atom.xml")).content)
    feed = (await browser.get(f"/feeds/{FORSSA}/{name}/feed.json")).json()

    [entry] = atom.entries
    [item] = feed["items"]
    assert atom.feed.language == feed["language"] == item["language"] == locale.lang
    assert entry.title == item["title"] == ALL_LANGUAGES[locale].headline
    assert entry.id == item["id"] == revision.guidance_id.urn
    assert entry.link == item["url"]
    assert entry.updated == item["date_modified"] == "2026-11-21T18:00:00+00:00"
    assert entry.content[0].value == item["content_html"].strip()
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert feed["feed_url"] == f"{HOST}/feeds/{FORSSA}/{name}/feed.json"
    assert item["_valmius"]["municipalities"] == [FORSSA]
    assert item["_valmius"]["expires"] == "2026-11-22T18:00:00+00:00"


async def test_the_list_of_alerts_leads_to_each_alert(browser: AsyncClient, guidance: GuidanceStore) -> None:
    revision = await published(guidance, draft(ALL_LANGUAGES))

    [entry] = feedparser.parse((await browser.get("/feeds/all/cap.xml")).content).entries
    answer = await browser.get(entry.link.removeprefix(HOST))
    alert = ET.fromstring(answer.content)

    assert answer.headers["content-type"] == "application/cap+xml"
    assert alert.findtext("cap:identifier", "", CAP) == identifier_of(revision)
    assert alert.findtext("cap:sent", "", CAP) == "2026-11-21T20:00:00+02:00"
    assert len(alert.findall("cap:info", CAP)) == 4
    assert [alert.findtext(f"cap:{name}", "", CAP) for name in ("status", "msgType", "scope")] == [
        "Actual",
        "Alert",
        "Public",
    ]


async def test_a_missing_language_is_finnish_and_says_so(browser: AsyncClient, guidance: GuidanceStore) -> None:
    await published(guidance)

    feed = (await browser.get("/feeds/all/sv/feed.json")).json()

    assert feed["language"] == "sv"
    assert feed["items"][0]["language"] == "fi"
    assert feed["description"].endswith("112.fi.")


async def test_an_exercise_is_in_no_feed(app: FastAPI, browser: AsyncClient) -> None:
    guidance_id = await in_exercise(app, Realm("ex-1"), draft({Locale.FI: Text("Harjoitusohje", "x")}))

    assert list(await titles(browser, "all")) == [[]] * 3
    assert (await browser.get(f"/feeds/alerts/{guidance_id}.1.xml")).status_code == 404


async def test_a_feed_is_cached_without_a_cookie_and_costs_nothing_unchanged(
    browser: AsyncClient, guidance: GuidanceStore, clock: FakeClock
) -> None:
    revision = await published(guidance)
    paths = ("all/fi/atom.xml", "all/fi/feed.json", "all/cap.xml", f"alerts/{identifier_of(revision)}.xml")
    for path in paths:
        first = await browser.get(f"/feeds/{path}")
        again = await browser.get(f"/feeds/{path}", headers={"if-none-match": first.headers["etag"]})

        assert first.headers["cache-control"] == "public, max-age=30"
        assert first.headers["last-modified"] == "Sat, 21 Nov 2026 18:00:00 GMT"
        assert "set-cookie" not in first.headers
        assert "access-control-allow-origin" not in first.headers
        assert (again.status_code, again.content) == (304, b"")
    clock.move(hours=25)
    expired = await browser.get(
        "/feeds/all/fi/atom.xml", headers={"if-modified-since": "Sun, 22 Nov 2026 18:00:00 GMT"}
    )
    assert expired.status_code == 200
    assert b"<entry>" not in expired.content


async def test_markup_in_a_text_stays_text(browser: AsyncClient, guidance: GuidanceStore) -> None:
    revision = await published(guidance, draft({Locale.FI: Text(EVIL, EVIL)}))

    assert list(await titles(browser, "all")) == [[EVIL]] * 3
    alert = ET.fromstring((await browser.get(f"/feeds/alerts/{identifier_of(revision)}.xml")).content)
    assert alert.findtext("cap:info/cap:headline", "", CAP) == EVIL
    item = (await browser.get("/feeds/all/fi/feed.json")).json()["items"][0]
    assert "<script" not in item["content_html"]


async def test_what_is_not_there_is_not_found(browser: AsyncClient) -> None:
    for path in (
        "999/fi/atom.xml",
        "all/de/atom.xml",
        "all/fi/rss.xml",
        "999/cap.xml",
        f"alerts/{new_id()}.1.xml",
        "alerts/x.xml",
    ):
        assert (await browser.get(f"/feeds/{path}")).status_code == 404


async def test_a_correction_and_a_withdrawal_take_the_place_of_what_was_said(
    browser: AsyncClient, guidance: GuidanceStore, clock: FakeClock
) -> None:
    first = await published(guidance, draft({Locale.FI: Text("Vesi on keitettävä", "Keitä vesi.")}))
    clock.move(minutes=10)
    update = draft({Locale.FI: Text("Vesi on puhdasta Forssassa", "Muualla keitä.", "Alue muuttui.")})
    second = await corrected(guidance, first, Kind.UPDATE, update)
    updated = (await browser.get("/feeds/all/fi/feed.json")).json()["items"]
    clock.move(minutes=10)
    last = await corrected(guidance, second, Kind.CANCEL, draft({Locale.FI: Text("x", "x", "Vesi on puhdasta.")}))

    [item] = (await browser.get("/feeds/all/fi/feed.json")).json()["items"]
    alert = ET.fromstring((await browser.get(f"/feeds/alerts/{identifier_of(last)}.xml")).content)
    older = ET.fromstring((await browser.get(f"/feeds/alerts/{identifier_of(second)}.xml")).content)

    assert [(known["title"], known["id"]) for known in updated] == [
        ("Vesi on puhdasta Forssassa", first.guidance_id.urn)
    ]
    assert updated[0]["content_text"].endswith("Alue muuttui.\n\nMuualla keitä.")
    assert (updated[0]["date_published"], updated[0]["date_modified"]) == (
        "2026-11-21T18:00:00+00:00",
        "2026-11-21T18:10:00+00:00",
    )
    assert item["_valmius"]["kind"] == "cancel"
    assert item["content_text"].endswith("Vesi on puhdasta.")
    assert alert.findtext("cap:msgType", "", CAP) == "Cancel"
    assert alert.findtext("cap:references", "", CAP) == (
        f"valmius.example.org,{first.guidance_id}.1,2026-11-21T20:00:00+02:00 "
        f"valmius.example.org,{first.guidance_id}.2,2026-11-21T20:10:00+02:00"
    )
    assert older.findtext("cap:msgType", "", CAP) == "Update"


async def corrected(guidance: GuidanceStore, present: Revision, kind: Kind, what: Draft) -> Revision:
    """The next revision of this guidance, written by one and released by another."""
    assert await guidance.correct(present, kind, what, by=new_id(), edition=present.edition)
    waiting = await guidance.unreleased(LIVE, present.guidance_id)
    assert waiting is not None
    decided = await guidance.approve(LIVE, present.guidance_id, by=new_id(), word="TOSI", edition=waiting.edition)
    assert isinstance(decided, Approval)
    newest = await guidance.get(LIVE, present.guidance_id)
    assert newest is not None
    return newest
