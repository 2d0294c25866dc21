"""Notify as a whole: it serves without a bus, and sends what its own topics add as soon as that is committed."""

from datetime import timedelta

from httpx import ASGITransport, AsyncClient

from services.notify.app import make_app
from services.notify.delivery.model import Kind, Lane, Letter, Recipient
from shared.clock import SystemClock
from shared.house import House
from shared.ids import new_id
from shared.realm import LIVE
from shared.settings import Settings
from tests.notify.delivery.relay import Relay, relaying
from tests.servers import eventually


async def test_what_a_topic_adds_goes_out_after_its_commit(settings: Settings) -> None:
    async with relaying(Relay()) as relay:
        smtp = settings.smtp.model_copy(update={"port": relay.port})
        app = make_app(settings.model_copy(update={"smtp": smtp}))
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
    assert alive.status_code == 200


async def _sent(relay: Relay) -> bool:
    return bool(relay.taken)
