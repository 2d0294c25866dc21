"""What a person meets who subscribes, confirms, changes and leaves."""

import re
from uuid import UUID

import pytest
from fastapi import FastAPI
from httpx import AsyncClient, Response

from services.notify.delivery.model import Kind
from services.notify.subscribers.model import Audience, State, consent
from services.notify.subscribers.store import Known, SubscriberStore
from shared.i18n import Locale, texts
from shared.ids import new_id
from tests.fakes import FakeClock
from tests.notify.conftest import HERE, letters_to, row_of

AINO = {"email": "aino@example.org", "audience": ["residents"], "municipality": ["061"], "language": "fi"}


async def test_the_way_from_the_form_to_the_subscription(
    app: FastAPI, browser: AsyncClient, subscribers: SubscriberStore
) -> None:
    asked = await browser.post("/subscribe?lang=fi", data=AINO)
    told = await browser.get(asked.headers["location"])
    link = await link_of(app, "aino@example.org")
    opened = await browser.get(link)
    still_pending = await known(app, subscribers)
    confirmed = await browser.post(link)
    arrived = await browser.get(confirmed.headers["location"])

    assert asked.status_code == 303
    assert "Lähetimme vahvistusviestin osoitteeseen. Tilaus alkaa, kun vahvistatte sen." in told.text
    assert "Vahvistan tilauksen" in opened.text
    assert "Forssa" in opened.text
    assert still_pending.state is State.PENDING
    assert "Kiitos. Tilauksenne on alkanut." in arrived.text
    assert (await known(app, subscribers)).state is State.CONFIRMED


async def test_opening_links_changes_nothing_however_often(
    app: FastAPI, browser: AsyncClient, subscribers: SubscriberStore
) -> None:
    await browser.post("/subscribe", data=AINO)
    link = await link_of(app, "aino@example.org")
    before = await known(app, subscribers)

    for address in (link, link.removesuffix("/confirm"), link.replace("/confirm", "/one-click")):
        for method in ("GET", "HEAD"):
            assert (await browser.request(method, address)).status_code == 200

    assert await known(app, subscribers) == before


async def test_known_and_unknown_addresses_get_the_same_answer(app: FastAPI, browser: AsyncClient) -> None:
    first = await subscribe_and_confirm(app, browser)
    again = await browser.post("/subscribe", data=AINO)
    other = await browser.post("/subscribe", data={**AINO, "email": "bertta@example.org"})

    assert same(again, other)
    assert [copy.letter.kind for copy in await letters_to(app, first)] == [Kind.CONFIRM, Kind.CONFIRM]


async def test_after_five_requests_an_hour_the_answer_is_the_same_and_no_letter_goes(
    app: FastAPI, browser: AsyncClient
) -> None:
    answers = [await browser.post("/subscribe", data=AINO) for _ in range(7)]

    aino = await row_of(app, "aino@example.org")
    assert all(same(answer, answers[0]) for answer in answers)
    assert len(await letters_to(app, aino.id)) == 5


async def test_what_was_consented_to_is_what_was_shown(app: FastAPI, browser: AsyncClient) -> None:
    form = await browser.get("/subscribe?lang=sv")
    await browser.post("/subscribe?lang=sv", data={**AINO, "language": "fi"})

    shown = consent(texts(Locale.SV))
    row = await row_of(app, "aino@example.org")
    assert "Föreningsdelegationen i Egentliga Tavastland får skicka" in form.text
    assert (row.consent_version, row.consent_hash) == (shown.version, shown.text_hash)
    assert row.locale == "fi"


async def test_a_form_with_mistakes_comes_back_with_what_was_typed(browser: AsyncClient) -> None:
    answer = await browser.post(
        "/subscribe?lang=fi", data={"email": 'aino"@', "municipality": ["061"], "language": "sv"}
    )

    assert answer.status_code == 422
    assert 'id="error"' in answer.text
    assert 'href="#f-email"' in answer.text
    assert 'href="#f-audience"' in answer.text
    assert 'value="aino&#34;@"' in answer.text
    assert re.search(r'value="061"[^>]* checked', answer.text)
    assert re.search(r'value="sv" selected', answer.text)


async def test_preferences_are_changed_by_the_link_alone(
    app: FastAPI, browser: AsyncClient, subscribers: SubscriberStore
) -> None:
    await subscribe_and_confirm(app, browser)
    home = (await link_of(app, "aino@example.org")).removesuffix("/confirm")

    wrong = await browser.post(home, data={"language": "sv"})
    saved = await browser.post(home, data={"audience": ["members"], "language": "sv"})
    page = await browser.get(saved.headers["location"])

    changed = (await known(app, subscribers)).wishes
    assert wrong.status_code == 422
    assert (changed.audiences, changed.municipalities) == (frozenset({Audience.MEMBERS}), frozenset())
    assert "Era val har sparats." in page.text
    assert '<html lang="sv">' in page.text


async def test_one_click_leaves_at_once_from_any_site_without_cookies(
    app: FastAPI, browser: AsyncClient, subscribers: SubscriberStore
) -> None:
    await subscribe_and_confirm(app, browser)
    door = (await link_of(app, "aino@example.org")).replace("/confirm", "/one-click")
    mail_program = {"sec-fetch-site": "cross-site", "origin": "https://mail.example.com"}

    first = await browser.post(door, data={"List-Unsubscribe": "One-Click"}, headers=mail_program)
    left = await known(app, subscribers)
    again = await browser.post(door, data={"List-Unsubscribe": "One-Click"}, headers=mail_program)

    assert (first.status_code, again.status_code) == (200, 200)
    assert left.state is State.LEFT
    assert await known(app, subscribers) == left


async def test_no_other_door_is_open_to_other_sites(app: FastAPI, browser: AsyncClient) -> None:
    await subscribe_and_confirm(app, browser)
    home = (await link_of(app, "aino@example.org")).removesuffix("/confirm")

    for address in ("/subscribe", home, f"{home}/confirm", f"{home}/leave"):
        answer = await browser.post(address, data=AINO, headers={"sec-fetch-site": "cross-site"})
        assert answer.status_code == 403


async def test_the_leave_page_asks_first_and_its_button_leaves(
    app: FastAPI, browser: AsyncClient, subscribers: SubscriberStore
) -> None:
    await subscribe_and_confirm(app, browser)
    home = (await link_of(app, "aino@example.org")).removesuffix("/confirm")

    asked = await browser.get(f"{home}/one-click")
    left = await browser.post(f"{home}/leave")
    page = await browser.get(left.headers["location"])
    late = await browser.post(f"{home}/confirm")

    assert "Haluatteko lopettaa tilauksen?" in asked.text
    assert "Tilaus on lopetettu." in page.text
    assert "said" not in late.headers["location"]
    assert (await known(app, subscribers)).state is State.LEFT


async def test_wrong_links_are_answered_alike(app: FastAPI, browser: AsyncClient) -> None:
    await subscribe_and_confirm(app, browser)
    aino = await row_of(app, "aino@example.org")
    foreign = app.state.links.token(new_id())
    addresses = [
        f"/s/{aino.id}/{foreign}",
        f"/s/{aino.id}/x",
        f"/s/{new_id()}/{foreign}",
        f"/s/nobody/{foreign}",
        f"/s/{UUID(int=0)}/{app.state.links.token(UUID(int=0))}",
    ]

    answers = [await browser.get(address) for address in addresses]
    posts = [await browser.post(f"{address}/one-click") for address in addresses]

    assert {answer.status_code for answer in (*answers, *posts)} == {404}
    assert len({re.sub(r"/s/[^?]*\?", "/s/?", answer.text) for answer in answers}) == 1


async def test_links_and_addresses_stay_out_of_caches_logs_and_referers(
    app: FastAPI, browser: AsyncClient, capsys: pytest.CaptureFixture[str]
) -> None:
    await subscribe_and_confirm(app, browser)
    link = await link_of(app, "aino@example.org")
    page = await browser.get(link)

    said = capsys.readouterr()
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert "set-cookie" not in page.headers
    assert "aino@example.org" not in said.out + said.err
    assert link.split("/")[3] not in said.out + said.err


@pytest.mark.parametrize(
    ("locale", "heading"),
    [
        ("fi", "Tilatkaa toimintaohjeet sähköpostiinne"),
        ("fi@selko", "Tilaa ohjeet sähköpostiin"),
        ("sv", "Prenumerera på anvisningar per e-post"),
        ("en", "Subscribe to guidance"),
    ],
)
async def test_the_form_speaks_four_languages(browser: AsyncClient, locale: str, heading: str) -> None:
    page = await browser.get("/subscribe", params={"lang": locale})

    assert f"<h1>{heading}</h1>" in page.text
    assert f'<html lang="{Locale(locale).lang}">' in page.text
    assert " checked" not in page.text
    assert "<script" not in page.text


async def test_the_unconfirmed_link_ends_with_the_48_hours(
    app: FastAPI, browser: AsyncClient, subscribers: SubscriberStore, clock: FakeClock
) -> None:
    await browser.post("/subscribe", data=AINO)
    link = await link_of(app, "aino@example.org")
    clock.move(hours=48)
    await subscribers.forget_unconfirmed()

    assert (await browser.get(link)).status_code == 404
    assert (await browser.post(link)).status_code == 404


async def subscribe_and_confirm(app: FastAPI, browser: AsyncClient) -> UUID:
    """Aino subscribes; her id."""
    await browser.post("/subscribe", data=AINO)
    await browser.post(await link_of(app, "aino@example.org"))
    return (await row_of(app, "aino@example.org")).id


async def link_of(app: FastAPI, key: str) -> str:
    """The path of the first link that was sent to this address."""
    row = await row_of(app, key)
    copies = await letters_to(app, row.id)
    return copies[0].delivery.personal["link"].removeprefix(HERE)


async def known(app: FastAPI, subscribers: SubscriberStore) -> Known:
    """Aino as she is kept."""
    found = await subscribers.get((await row_of(app, "aino@example.org")).id)
    assert found is not None
    return found


def same(one: Response, other: Response) -> bool:
    """Nobody could tell the two answers apart."""
    return (one.status_code, one.content, one.headers) == (other.status_code, other.content, other.headers)
