"""The pages of channels: made with a secret that is seen once, tested, changed, stopped, removed."""

import re

import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from sqlalchemy import select

from services.notify.channel.jobs import Courier
from services.notify.channel.store import ChannelStore
from services.notify.webhook.model import Wanted
from services.notify.webhook.schema import EndpointRow
from services.notify.webhook.store import EndpointStore
from shared.identity import Role
from shared.ids import new_id
from tests.fakes import FakeClock
from tests.notify.conftest import signed_in, staff
from tests.notify.webhook.receiver import Receiver, receiving

SECRET = re.compile(r"whsec_[A-Za-z0-9+/]{43}=")


@pytest.fixture
def admin(app: FastAPI, clock: FakeClock) -> AsyncClient:
    return signed_in(app, staff(clock, Role.ADMINISTRATOR))


async def made(admin: AsyncClient, url: str, **more: str) -> tuple[str, str]:
    """Add a webhook; its page and its secret."""
    form = await admin.get("/channels/new")
    [endpoint_id] = re.findall(r'name="endpoint_id" value="([^"]+)"', form.text)
    values = {"endpoint_id": endpoint_id, "label": "Pelastuslaitos", "url": url, **more}
    shown = await admin.post("/channels/new", data=values)
    again = await admin.post("/channels/new", data=values)
    assert again.headers["location"] == "/channels?said=made"
    [secret] = SECRET.findall(shown.text)
    return f"/channels/{endpoint_id}", secret


async def test_a_secret_is_shown_once_and_kept_nowhere(app: FastAPI, admin: AsyncClient) -> None:
    page, secret = await made(admin, "https://partner.example.org/in")

    shown = [await admin.get(path) for path in ("/channels", page, f"{page}/edit")]

    assert all(answer.status_code == 200 for answer in shown)
    assert not any(secret in answer.text for answer in shown)
    async with app.state.house.database.read() as session:
        rows = (await session.execute(select(EndpointRow))).scalars().all()
    assert secret.removeprefix("whsec_") not in str([row.model_dump() for row in rows])


async def test_a_wrong_address_is_said_at_its_field_and_kept(admin: AsyncClient) -> None:
    answer = await admin.post("/channels/new?lang=en", data={"label": "", "url": "http://partner.example.org/in"})

    assert answer.status_code == 422
    assert 'href="#f-url"' in answer.text
    assert 'href="#f-label"' in answer.text
    assert "The address must begin with https://." in answer.text
    assert 'value="http://partner.example.org/in"' in answer.text


async def test_a_private_address_is_refused(admin: AsyncClient) -> None:
    answer = await admin.post("/channels/new?lang=en", data={"label": "x", "url": "https://10.0.0.1/in"})

    assert answer.status_code == 422
    assert "private network" in answer.text


async def send(app: FastAPI, receiver: Receiver) -> None:
    courier: Courier = app.state.courier
    await courier.unit()
    assert receiver.received


async def test_a_test_message_shows_its_result(app: FastAPI, admin: AsyncClient) -> None:
    async with receiving() as receiver:
        page, _ = await made(admin, receiver.url)
        pinged = await admin.post(f"{page}/ping")
        await send(app, receiver)
        good = await admin.get(f"{page}?lang=en")
        receiver.manner = "500"
        await admin.post(f"{page}/ping")
        await send(app, receiver)
        bad = await admin.get(f"{page}?lang=en")

    assert pinged.headers["location"] == f"{page}?said=pinged"
    assert receiver.types == ["ping", "ping"]
    assert "delivered" in good.text
    assert "given up" in bad.text
    assert "It has not worked since" in bad.text


async def test_a_new_secret_differs_and_says_that_the_old_one_is_good_for_a_day(admin: AsyncClient) -> None:
    page, old = await made(admin, "https://partner.example.org/in")

    rotated = await admin.post(f"{page}/rotate?lang=en")

    [new] = SECRET.findall(rotated.text)
    assert new != old
    assert "24 hours" in rotated.text
    assert "the old one too until" in (await admin.get(f"{page}?lang=en")).text


async def test_it_is_changed_and_removed_with_all_that_was_told(app: FastAPI, admin: AsyncClient) -> None:
    page, _ = await made(admin, "https://partner.example.org/in")
    await admin.post(f"{page}/ping")

    changed = await admin.post(
        f"{page}/edit", data={"label": "Kaupunki", "url": "https://city.example.org/", "exercises": "yes"}
    )
    shown = await admin.get("/channels?lang=en")
    removed = await admin.post(f"{page}/remove")
    gone = await admin.get(page)

    assert changed.headers["location"] == f"{page}?said=changed"
    assert "Kaupunki" in shown.text
    assert "takes exercises" in shown.text
    assert "city.example.org" in shown.text
    assert removed.headers["location"] == "/channels?said=removed"
    assert gone.status_code == 404
    channels: ChannelStore = app.state.channels
    assert (await channels.results(page.replace("/channels/", "webhook:"), 1))[1] == 0


async def test_a_stopped_webhook_says_why_and_is_resumed(app: FastAPI, admin: AsyncClient) -> None:
    async with receiving("410") as receiver:
        page, _ = await made(admin, receiver.url)
        await admin.post(f"{page}/ping")
        await send(app, receiver)

    stopped = await admin.get(f"{page}?lang=en")
    resumed = await admin.post(f"{page}/resume")
    again = await admin.get(f"{page}?lang=en")

    assert "Nothing is sent there since" in stopped.text
    assert "410: the receiver wants nothing any more" in stopped.text
    assert resumed.status_code == 303
    assert "Nothing is sent there since" not in again.text


async def test_results_are_paged(app: FastAPI, admin: AsyncClient) -> None:
    page, _ = await made(admin, "https://partner.example.org/in")
    channels: ChannelStore = app.state.channels
    for _ in range(21):
        await channels.ping(page.replace("/channels/", "webhook:"))

    first, second = await admin.get(f"{page}?lang=en"), await admin.get(f"{page}?lang=en&page=2")

    assert first.text.count("Test message") == 20
    assert second.text.count("Test message") == 1


async def test_no_installation_has_endless_webhooks(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.notify.webhook.store.MOST", 1)
    endpoints: EndpointStore = app.state.endpoints
    wanted = Wanted("Pelastuslaitos", "https://partner.example.org/in")

    first = await endpoints.add(new_id(), wanted, by=new_id())
    second = await endpoints.add(new_id(), wanted, by=new_id())

    assert first
    assert second is None
