"""Erasing a person on real parts: what the bus keeps of her, and that the erasure holds on both databases."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import nats
import pytest
from fastapi import FastAPI

from services.notify import VOICE
from services.notify.app import make_app
from services.notify.erasure.model import SETTLED_AFTER
from services.notify.erasure.store import Erasure
from services.notify.subscriber_file.store import SubscriberFileStore
from services.notify.subscribers.model import Audience, Consent, Matching, Wishes
from services.notify.subscribers.store import SubscriberStore
from shared.clock import SystemClock
from shared.events.notify import LetterRequested
from shared.house import House
from shared.i18n import Locale
from shared.ids import new_id
from shared.migrate import migrate
from shared.realm import LIVE
from shared.settings import Settings
from tests.conftest import provision_voices
from tests.fakes import FakeClock
from tests.notify.conftest import row_of
from tests.notify.erasure.test_store import AINO, BERTTA, everywhere, files_that_hold, subscribed, tables_that_hold
from tests.notify.subscriber_file.test_store import LIST, imported
from tests.servers import NatsServer, eventually

pytestmark = pytest.mark.connected

RESIDENT = Wishes(frozenset({Audience.RESIDENTS}), frozenset(), Locale.FI)


def wish(address: str) -> LetterRequested:
    """A wish that a contact be asked how her association is, as intake says it."""
    now = SystemClock().now()
    return LetterRequested(
        happened_at=now,
        realm=LIVE,
        letter_id=new_id(),
        recipient_id=new_id(),
        kind="checkin",
        address=address,
        locale="fi",
        not_after=now + timedelta(hours=2),
        shared={"situation.fi": "Myrsky", "closes_at": (now + timedelta(hours=2)).isoformat()},
        personal={"association": "Hattulan Martat", "link": "http://127.0.0.1:8000/c/x"},
    )


async def test_the_bus_keeps_nothing_of_whoever_was_erased(
    nats_server: NatsServer, bus_settings: Settings, tmp_path: Path
) -> None:
    await provision_voices(nats_server, VOICE)
    app = make_app(bus_settings)
    subscribers: SubscriberStore = app.state.subscribers
    erasure: Erasure = app.state.erasure
    database = app.state.house.database

    async def heard() -> bool:
        return (await erasure.held(AINO)).letters != ()

    connection = await nats.connect(nats_server.url)
    js = connection.jetstream()
    for event in (wish(AINO), wish(BERTTA)):
        await js.publish(event.subject, event.body(), headers=event.headers("-"))
    waiting = files_that_hold(nats_server.folder, "aino.gone")
    async with app.router.lifespan_context(app):
        await eventually(heard, within=30)
        await subscribers.ask(AINO, RESIDENT, consent=Consent("2026-1", "ab" * 32))

        erased = await erasure.erase(AINO, by=None)
        await erasure.scrub(ahead=SETTLED_AFTER)

        async def drained() -> bool:
            return (await js.stream_info("LETTERS")).state.messages == 0

        await eventually(drained, within=30)
        assert await tables_that_hold(database, "aino.gone") == []
    await connection.close()

    assert waiting != []
    assert erased.subscribers == 1
    assert files_that_hold(tmp_path, "aino.gone") == []


@pytest.fixture
async def on_each(each_database: str, settings: Settings, clock: FakeClock) -> AsyncIterator[FastAPI]:
    app = make_app(settings.model_copy(update={"database": each_database}), clock=clock)
    house: House = app.state.house
    await migrate(house.database, house.migrations)
    yield app
    await house.database.close()


async def test_lists_and_erasure_are_the_same_on_both_databases(on_each: FastAPI) -> None:
    subscribers: SubscriberStore = on_each.state.subscribers
    erasure: Erasure = on_each.state.erasure
    lists: SubscriberFileStore = on_each.state.subscriber_files
    await everywhere(on_each, subscribers, on_each.state.ledger)
    await subscribed(on_each, subscribers, BERTTA)

    before = await erasure.held(AINO)
    erased = await erasure.erase(AINO, by=None)
    await erasure.scrub(ahead=SETTLED_AFTER)
    report = await imported(lists, f"{LIST}{AINO.upper()};;;;\n{BERTTA};;;;\n")
    again = await imported(lists, LIST)

    assert (before.known, erased.subscribers, erased.letters, erased.dead_letters) == (True, 1, 3, 1)
    assert (await erasure.held(AINO)).known is False
    assert (report.new, report.same, report.barred, again.same) == (3, 1, 1, 3)
    assert (await row_of(on_each, BERTTA)).basis == "consent"
    assert (await subscribers.reach(Matching(frozenset(Audience), frozenset()))).total == 4
    assert await on_each.state.retention.empty_letters() is False
    assert (await on_each.state.retention.report())["letters"].present == 4
    assert (await lists.standing()).bases == {"consent": 1, "operational": 3}
