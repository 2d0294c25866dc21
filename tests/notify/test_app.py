"""Notify as a whole: it serves without a bus, and sends what its own topics add as soon as that is committed."""

from datetime import timedelta

import pytest
from httpx import ASGITransport, AsyncClient
from pydantic import SecretStr

from services.notify.app import make_app
from services.notify.delivery.model import Kind, Lane, Letter, Recipient
from shared.clock import SystemClock
from shared.house import House
from shared.ids import new_id
from shared.realm import LIVE
from shared.settings import Settings, SettingsError
from tests.notify.delivery.relay import Relay, relaying
from tests.notify.delivery.signing import both, rsa_pem
from tests.servers import eventually


async def test_what_a_topic_adds_goes_out_after_its_commit(settings: Settings) -> None:
    async with relaying(Relay()) as relay:
        smtp = settings.smtp.model_copy(update={"port": relay.port})
        app = make_app(settings.model_copy(update={"smtp": smtp, "dkim": both()}))
        letter = Letter(
            LIVE,
            new_id(),
            Kind.CONFIRM,
            lane=Lane.URGENT,
            not_after=SystemClock().now() + timedelta(hours=48),
        )
        aino = Recipient(
            new_id(), "aino@example.org", locale="sv", personal={"link": "http://127.0.0.1:8000/s/1/2/confirm"}
        )

        async with app.router.lifespan_context(app):
            house: House = app.state.house
            async with house.database.write() as session:
                await app.state.ledger.add(session, letter, recipients=[aino])
            await eventually(lambda: _sent(relay))
            async with AsyncClient(transport=ASGITransport(app=app), base_url="http://127.0.0.1:8000") as client:
                alive = await client.get("/notify/healthz")

    assert b"Egentliga Tavastlands" in relay.taken[0].message
    assert relay.taken[0].message.count(b"DKIM-Signature: v=1;") == 2
    assert alive.status_code == 200


def test_a_key_that_is_not_fit_stops_the_start(settings: Settings) -> None:
    unfit = both().model_copy(update={"key": SecretStr(rsa_pem(1024))})

    with pytest.raises(SettingsError, match="1024 bits is too short"):
        make_app(settings.model_copy(update={"dkim": unfit}))


async def _sent(relay: Relay) -> bool:
    return bool(relay.taken)
