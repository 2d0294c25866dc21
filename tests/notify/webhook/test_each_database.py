"""The queue of channels on SQLite and on PostgreSQL: several planners and senders, each message once."""

import asyncio

import pytest

from services.notify.app import make_app
from services.notify.channel.model import Kind, State
from services.notify.webhook.model import Wanted
from shared.house import House
from shared.ids import new_id
from shared.migrate import migrate
from shared.settings import Settings
from tests.fakes import FakeClock
from tests.notify.guidance.drafts import published, resident
from tests.notify.webhook.receiver import receiving

pytestmark = [pytest.mark.connected, pytest.mark.slow]


async def test_two_processes_tell_each_release_once(each_database: str, settings: Settings, clock: FakeClock) -> None:
    installed = settings.model_copy(update={"database": each_database})
    one, other = make_app(installed, clock=clock), make_app(installed, clock=clock)
    houses: list[House] = [one.state.house, other.state.house]
    await migrate(houses[0].database, houses[0].migrations)
    async with receiving() as receiver:
        await resident(one.state.subscribers)
        endpoint_id = new_id()
        await one.state.endpoints.add(endpoint_id, Wanted("Pelastuslaitos", receiver.url), by=new_id())
        for _ in range(4):
            await published(one.state.guidance)

        await asyncio.gather(*(app.state.courier.plan() for app in (one, other) for _ in range(3)))
        await asyncio.gather(*(app.state.courier.unit() for app in (one, other) for _ in range(3)))
        await one.state.channels.ping(f"webhook:{endpoint_id}")
        await other.state.courier.unit()

        posts, count = await other.state.channels.results(f"webhook:{endpoint_id}", 1)
        [standing] = await one.state.channels.standings(Kind.WEBHOOK)
        clock.move(hours=24 * 91)
        await one.state.channels.forget()
        kept = await one.state.channels.results(f"webhook:{endpoint_id}", 1)
    for house in houses:
        await house.database.close()

    assert [one.sequence for one in receiver.received] == [1, 2, 3, 4, 5]
    assert count == 5
    assert {post.state for post in posts} == {State.SENT}
    assert standing.waiting == 0
    assert kept == ([], 0)
