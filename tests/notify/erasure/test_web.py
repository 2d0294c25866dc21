"""Erasing by the pages: the administrator for a person who asks for it, and the person by her own link."""

from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI
from httpx import AsyncClient

from services.notify.subscribers.model import Audience, Consent, Links, Wishes
from services.notify.subscribers.store import SubscriberStore
from shared.i18n import Locale
from shared.identity import Role
from tests.fakes import FakeClock
from tests.notify.conftest import row_of, signed_in, staff

AINO = "aino@example.org"
RESIDENT = Wishes(frozenset({Audience.RESIDENTS}), frozenset({"061"}), Locale.SV)


@pytest.fixture
async def administrator(app: FastAPI, clock: FakeClock) -> AsyncIterator[AsyncClient]:
    async with signed_in(app, staff(clock, Role.ADMINISTRATOR)) as client:
        yield client


@pytest.fixture
async def own_page(app: FastAPI, subscribers: SubscriberStore) -> str:
    """The path of Aino's own page; she is subscribed."""
    await subscribers.ask(AINO, RESIDENT, consent=Consent("2026-1", "ab" * 32))
    row = await row_of(app, AINO)
    await subscribers.confirm(row.id)
    links: Links = app.state.links
    return links.preferences(row.id).removeprefix(links.public_url)


async def test_a_person_erases_herself_by_her_link(browser: AsyncClient, own_page: str) -> None:
    preferences = await browser.get(own_page)
    opened = await browser.get(f"{own_page}/erase")
    still_there = await browser.get(own_page)
    erased = await browser.post(f"{own_page}/erase")
    again = await browser.post(f"{own_page}/erase")

    assert f'href="{own_page}/erase"' in preferences.text
    assert "Radera mina uppgifter" in opened.text
    assert (still_there.status_code, erased.status_code, again.status_code) == (200, 200, 404)
    assert "Era uppgifter är raderade." in erased.text
    assert "referrer" in "".join(erased.headers).lower()


async def test_nobody_erases_another_by_a_made_up_link(app: FastAPI, browser: AsyncClient, own_page: str) -> None:
    answer = await browser.post(f"{own_page[:-3]}xyz/erase")

    assert answer.status_code == 404
    assert (await row_of(app, AINO)).state == "confirmed"


async def test_the_administrator_looks_somebody_up_gives_it_to_her_and_erases_her(
    administrator: AsyncClient, own_page: str, browser: AsyncClient
) -> None:
    empty = await administrator.get("/subscribers/person?lang=en")
    found = await administrator.post("/subscribers/person?lang=en", data={"address": " AINO@example.org"})
    file = await administrator.post("/subscribers/person/export", data={"address": AINO})
    unsure = await administrator.post("/subscribers/person/erase?lang=en", data={"address": AINO})
    erased = await administrator.post("/subscribers/person/erase?lang=en", data={"address": AINO, "sure": "yes"})
    after = await administrator.post("/subscribers/person?lang=en", data={"address": AINO})

    assert (empty.status_code, found.status_code, unsure.status_code, erased.status_code) == (200, 200, 422, 200)
    assert "Gets guidance" in found.text
    assert "Residents: Forssa" in found.text
    assert file.headers["content-disposition"] == 'attachment; filename="tilaaja.json"'
    assert file.json()["consent_version"] == "2026-1"
    assert "Tick that you are sure" in unsure.text
    assert "The person is erased." in erased.text
    assert AINO not in erased.text
    assert "erased before" in after.text
    assert (await browser.get(own_page)).status_code == 404


async def test_what_is_no_address_is_asked_for_again(administrator: AsyncClient) -> None:
    answers = [
        await administrator.post(f"/subscribers/person{way}?lang=en", data={"address": "aino"})
        for way in ("", "/export", "/erase")
    ]

    assert {answer.status_code for answer in answers} == {422}
    assert all('value="aino"' in answer.text for answer in answers)
