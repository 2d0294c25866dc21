"""Guidance on other sites: a frame for those that are configured, texts for a script, never markup."""

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from pydantic import ValidationError

from services.notify.app import make_app
from services.notify.embed.model import SHOWN, abridged
from services.notify.guidance.model import Text
from services.notify.guidance.store import GuidanceStore
from services.notify.subscribers.store import SubscriberStore
from shared.guard import HEADERS
from shared.house import House
from shared.i18n import Locale
from shared.plumbing import Plumbing
from shared.settings import Settings
from shared.web import HERE as SHARED
from tests.fakes import FakeClock
from tests.notify.guidance.drafts import ALL_LANGUAGES, FORSSA, HATTULA, draft, published, resident

EVIL = "<img src=x onerror=alert(1)>"


async def test_the_script_is_given_texts_of_the_place_and_language(
    browser: AsyncClient, guidance: GuidanceStore, subscribers: SubscriberStore
) -> None:
    await resident(subscribers, "aino@example.org", FORSSA, HATTULA)
    await published(guidance, draft(ALL_LANGUAGES))
    await published(guidance, draft({Locale.FI: Text(EVIL, EVIL)}, areas=frozenset({HATTULA})))

    forssa = await browser.get(f"/embed/{FORSSA}/sv.json")
    hattula = (await browser.get(f"/embed/{HATTULA}/fi.json")).json()

    told = forssa.json()
    assert [item["headline"] for item in told["items"]] == ["Strömavbrott i Forssa"]
    assert told["items"][0]["text"] == "Förbered er på kyla."
    assert told["note"].endswith("I en nödsituation, ring 112.")
    assert "nothing" in told
    assert hattula["items"][0]["headline"] == EVIL
    assert forssa.headers["access-control-allow-origin"] == "*"
    assert "set-cookie" not in forssa.headers


async def test_only_the_json_is_open_to_other_sites(browser: AsyncClient) -> None:
    for path in ("/", "/embed", "/embed.js", "/feeds/all/fi/feed.json"):
        assert "access-control-allow-origin" not in (await browser.get(path)).headers


async def test_where_nothing_is_in_force_it_says_so(browser: AsyncClient) -> None:
    told = (await browser.get("/embed/all/fi.json")).json()

    assert told["nothing"] == "Voimassa olevia toimintaohjeita ei ole."
    assert told["items"] == []
    assert "Voimassa olevia toimintaohjeita ei ole." in (await browser.get("/embed?lang=fi")).text


async def test_nobody_frames_it_but_who_is_configured(
    browser: AsyncClient, settings: Settings, clock: FakeClock
) -> None:
    allowed = settings.model_copy(update={"framed_by": "https://meidanhame.example https://b.example:8443"})
    app: FastAPI = make_app(allowed, clock=clock)
    house: House = app.state.house
    await house.database.create_tables(Plumbing.metadata, house.tables)

    async with AsyncClient(transport=ASGITransport(app=app), base_url="http://127.0.0.1:8000") as http:
        framed = (await http.get("/embed")).headers["content-security-policy"]
        front = (await http.get("/")).headers["content-security-policy"]
    await house.database.close()

    assert (await browser.get("/embed")).headers["content-security-policy"] == HEADERS["content-security-policy"]
    assert framed.endswith("frame-ancestors https://meidanhame.example https://b.example:8443")
    assert "frame-ancestors 'none'" in front


@pytest.mark.parametrize("origins", ["*", "meidanhame.example", "https://a.example; script-src *", "https://a/x"])
def test_what_is_no_origin_is_no_setting(origins: str) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate({"secret": "x" * 40, "framed_by": origins})


async def test_the_script_is_small_and_writes_only_text(browser: AsyncClient) -> None:
    script = await browser.get("/embed.js")

    assert len(script.content) <= 2048
    assert script.content == (SHARED / "static" / "embed.js").read_bytes()
    assert script.headers["cross-origin-resource-policy"] == "cross-origin"
    for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert word not in script.text


async def test_what_is_not_there_is_not_found(browser: AsyncClient) -> None:
    for path in ("/embed/999/fi.json", "/embed/all/de.json", "/embed?place=forssa"):
        assert (await browser.get(path)).status_code == 404


async def test_a_long_text_is_begun_in_a_frame(
    browser: AsyncClient, guidance: GuidanceStore, subscribers: SubscriberStore
) -> None:
    await resident(subscribers)
    revision = await published(guidance, draft({Locale.FI: Text("Pitkä", "*sana* " * 500)}))

    page = (await browser.get("/embed?lang=fi")).text

    assert page.count("sana") < 100
    assert "<em>" not in page
    assert f'href="http://127.0.0.1:8000/g/{revision.guidance_id}?lang=fi" target="_top"' in page


def test_a_long_text_ends_with_a_whole_word() -> None:
    text = "sana " * 200

    assert abridged("lyhyt") == "lyhyt"
    assert abridged(text).endswith("sana …")
    assert len(abridged(text)) <= SHOWN + 1
