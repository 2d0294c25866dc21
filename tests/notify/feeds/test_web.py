"""The public page: what is in force, for everybody, small, cacheable, in four languages."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from services.notify.guidance.draft_form import TEXT_LIMIT
from services.notify.guidance.model import Text
from services.notify.guidance.store import GuidanceStore
from services.notify.situations.store import SituationStore
from services.notify.subscribers.store import SubscriberStore
from shared import region
from shared.events.status import SituationOpened
from shared.i18n import Locale
from shared.ids import new_id
from shared.realm import LIVE, Realm
from shared.web import HERE
from tests.fakes import STORM_EVENING, FakeClock
from tests.notify.guidance.drafts import (
    ALL_LANGUAGES,
    FORSSA,
    HATTULA,
    draft,
    in_exercise,
    published,
    resident,
    submitted,
)

KIB_30 = 30_000


@pytest.fixture(autouse=True)
async def somebody(subscribers: SubscriberStore) -> None:
    """There is somebody whom guidance reaches, wherever it is for."""
    await resident(subscribers, "aino@example.org", *(place.code for place in region.MUNICIPALITIES))


async def opened(app: FastAPI, name: str, *municipalities: str, realm: Realm = LIVE) -> None:
    """Status opens a situation."""
    situations: SituationStore = app.state.situations
    await situations.tell(
        SituationOpened(
            happened_at=STORM_EVENING,
            realm=realm,
            situation_id=new_id(),
            kind="storm",
            names={"fi": name, "sv": f"{name} (sv)"},
            municipalities=municipalities,
        )
    )


async def test_when_there_is_nothing_the_page_says_so_with_the_date(browser: AsyncClient) -> None:
    page = await browser.get("/?lang=fi")

    assert "Voimassa olevia toimintaohjeita ei ole (21. marraskuuta 2026)." in page.text
    assert "Järjestöneuvottelukunnan tiedossa ei ole poikkeustilannetta." in page.text
    assert "Hätätilanteessa soita 112." in page.text


async def test_the_page_shows_what_is_in_force_and_nothing_else(
    browser: AsyncClient, guidance: GuidanceStore, clock: FakeClock
) -> None:
    await published(guidance, draft({Locale.FI: Text("Vanhentunut", "x")}, valid_hours=3))
    clock.move(hours=4)
    await published(guidance, draft({Locale.FI: Text("Voimassa", "Varautukaa **kylmään**.")}))
    await submitted(guidance, draft({Locale.FI: Text("Luonnos", "x")}))

    page = (await browser.get("/?lang=fi")).text

    assert "Voimassa</h2>" in page
    assert "Varautukaa <strong>kylmään</strong>." in page
    assert "Päivitetty 22.11.2026 0.00" in page
    assert "Tämä on järjestöneuvottelukunnan tiedote. Viranomaisten vaaratiedotteet: 112.fi." in page
    assert 'href="/subscribe?lang=fi"' in page
    assert "Vanhentunut" not in page
    assert "Luonnos" not in page


async def test_a_municipality_sees_its_own_and_the_whole_regions(
    app: FastAPI, browser: AsyncClient, guidance: GuidanceStore
) -> None:
    await published(guidance, draft({Locale.FI: Text("Forssan ohje", "x")}, areas=frozenset({FORSSA})))
    await published(guidance, draft({Locale.FI: Text("Hattulan ohje", "x")}, areas=frozenset({HATTULA})))
    await published(guidance, draft({Locale.FI: Text("Kaikkien ohje", "x")}, areas=frozenset()))
    await opened(app, "Forssan myrsky", FORSSA)
    await opened(app, "Maakunnan myrsky")

    page = (await browser.get(f"/m/{FORSSA}?lang=fi")).text
    whole = (await browser.get("/?lang=fi")).text

    for text in ("Forssan ohje", "Kaikkien ohje", "Forssan myrsky", "Maakunnan myrsky"):
        assert text in page
        assert text in whole
    assert "Hattulan ohje" not in page
    assert "Hattulan ohje" in whole
    assert f'href="/m/{FORSSA}?lang=fi" aria-current="page"' in page


async def test_an_exercise_is_never_on_the_public_page(app: FastAPI, browser: AsyncClient) -> None:
    exercise = Realm("ex-1")
    guidance_id = await in_exercise(app, exercise, draft({Locale.FI: Text("Harjoitusohje", "x")}))
    await opened(app, "Harjoitusmyrsky", realm=exercise)

    for path in ("/", f"/m/{FORSSA}"):
        page = (await browser.get(path)).text
        assert "Harjoitus" not in page
    assert (await browser.get(f"/g/{guidance_id}")).status_code == 404


@pytest.mark.parametrize("locale", list(Locale))
async def test_the_page_speaks_four_languages(browser: AsyncClient, guidance: GuidanceStore, locale: Locale) -> None:
    await published(guidance, draft(ALL_LANGUAGES))

    page = await browser.get("/", params={"lang": locale.value})

    assert f'<html lang="{locale.lang}">' in page.text
    assert page.headers["content-language"] == locale.lang
    assert f"<h2>{ALL_LANGUAGES[locale].headline}</h2>" in page.text


@pytest.mark.parametrize(
    ("lang", "note"),
    [
        ("sv", "Anvisningen finns endast på finska."),
        ("en", "This guidance is available only in Finnish."),
        ("fi@selko", "Tätä ohjetta ei ole selkokielellä."),
    ],
)
async def test_a_missing_language_is_finnish_and_says_so(
    browser: AsyncClient, guidance: GuidanceStore, lang: str, note: str
) -> None:
    await published(guidance)

    page = (await browser.get("/", params={"lang": lang})).text

    assert note in page
    assert '<h2 lang="fi">Sähköt poikki Forssassa</h2>' in page
    assert '<div lang="fi">\n<p>Varautukaa' in page


async def test_the_page_is_cached_and_costs_nothing_when_it_is_unchanged(
    browser: AsyncClient, guidance: GuidanceStore, clock: FakeClock
) -> None:
    await published(guidance)
    first = await browser.get("/")
    clock.move(minutes=5)

    again = await browser.get("/", headers={"if-none-match": first.headers["etag"]})
    await published(guidance, draft({Locale.FI: Text("Uusi", "x")}))
    changed = await browser.get("/", headers={"if-none-match": first.headers["etag"]})

    assert first.headers["cache-control"] == "public, max-age=30"
    assert "set-cookie" not in first.headers
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["cache-control"] == "public, max-age=30"
    assert changed.status_code == 200
    assert changed.headers["etag"] != first.headers["etag"]


async def test_the_page_stays_small_without_script_or_foreign_request(
    app: FastAPI, browser: AsyncClient, guidance: GuidanceStore
) -> None:
    styles = len((HERE / "static" / "app.css").read_bytes())
    long = "*ä* " * (TEXT_LIMIT // 4)
    for number in range(12):
        await published(guidance, draft({Locale.FI: Text(f"Ohje {number} " + "ä" * 140, long)}))
        await opened(app, f"Tilanne {number} " + "ä" * 80, FORSSA)

    page = await browser.get(f"/m/{FORSSA}", params={"lang": "fi"})
    last = await browser.get("/", params={"lang": "fi", "page": "2"})

    assert len(page.content) + styles <= KIB_30
    assert "<script" not in page.text
    assert "src=" not in page.text
    assert "Ohje 11" in page.text
    assert "ja 2 muuta" in page.text
    assert "Ohje 0 " in last.text
    assert 'rel="prev"' in last.text


async def test_a_text_that_does_not_fit_has_a_page_of_its_own(browser: AsyncClient, guidance: GuidanceStore) -> None:
    long = await published(guidance, draft({Locale.FI: Text("Pitkä ohje", "*ä* " * (TEXT_LIMIT // 4))}))

    front = (await browser.get("/?lang=fi")).text
    own = await browser.get(f"/g/{long.guidance_id}?lang=fi")

    assert f'href="/g/{long.guidance_id}?lang=fi"' in front
    assert front.count("<em>ä</em>") == 0
    assert own.text.count("<em>ä</em>") == TEXT_LIMIT // 4
    assert "<h2>Pitkä ohje</h2>" in own.text
    assert own.headers["cache-control"] == "public, max-age=30"


async def test_guidance_that_expired_says_so_on_its_own_page(
    browser: AsyncClient, guidance: GuidanceStore, clock: FakeClock
) -> None:
    revision = await published(guidance, draft(valid_hours=3))
    before = (await browser.get(f"/g/{revision.guidance_id}?lang=fi")).text
    clock.move(hours=3)

    after = (await browser.get(f"/g/{revision.guidance_id}?lang=fi")).text

    assert "Tämä ohje ei ole enää voimassa." not in before
    assert "Tämä ohje ei ole enää voimassa." in after


async def test_what_is_not_there_is_not_found(browser: AsyncClient, guidance: GuidanceStore) -> None:
    waiting = await submitted(guidance, draft())
    paths: Sequence[str] = ("/m/999", "/m/forssa", "/m/61", f"/g/{new_id()}", f"/g/{waiting.guidance_id}")

    for path in paths:
        assert (await browser.get(path)).status_code == 404
    assert (await browser.get("/?page=99999")).status_code == 200
    assert (await browser.get("/?page=abc")).status_code == 200


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "[x](javascript:alert(1))", "<img src=x onerror=alert(1)>"]
)
async def test_no_script_reaches_the_public_page(browser: AsyncClient, guidance: GuidanceStore, text: str) -> None:
    await published(guidance, draft({Locale.FI: Text(f"Otsikko {text}", f"Teksti {text}")}))

    page = (await browser.get("/")).text

    for evil in ("<script", "<img", 'href="javascript'):
        assert evil not in page


async def test_the_page_grows_old_with_its_guidance(
    browser: AsyncClient, guidance: GuidanceStore, clock: FakeClock
) -> None:
    revision = await published(guidance, draft(valid_hours=3))
    assert revision.expires_at is not None
    clock.move(seconds=(revision.expires_at - clock.now() - timedelta(seconds=1)).total_seconds())
    there = (await browser.get("/")).text
    clock.move(seconds=1)

    gone = (await browser.get("/")).text

    assert "Sähköt poikki Forssassa" in there
    assert "Sähköt poikki Forssassa" not in gone
