"""Suggestions on SQLite and on PostgreSQL: read by several processes at once, each kept once."""

import asyncio

import pytest

from services.status.geography.store import GeographyStore
from services.status.suggestion.cap_reader import read_feed
from services.status.suggestion.jobs import Suggesting
from services.status.suggestion.model import State
from services.status.suggestion.store import SuggestionStore
from shared.ids import new_id
from tests.fakes import FakeClock
from tests.status.conftest import stores_on
from tests.status.warnings import alert, area, atom, info, reference

pytestmark = [pytest.mark.connected, pytest.mark.slow]


async def test_several_read_the_same_warnings(each_database: str, clock: FakeClock) -> None:
    first = [alert(info(area("Forssa")), identifier=str(number)) for number in range(5)]
    second = alert(
        info(area("Forssa")),
        identifier="new",
        sent="2026-11-21T19:30:00+02:00",
        message="Update",
        references=[reference("1"), reference("2")],
    )
    async with stores_on(each_database, clock) as one, stores_on(each_database, clock) as other:
        stores = [SuggestionStore(each.database, clock=clock) for each in (one, other)]
        readers = [Suggesting(store, GeographyStore(one.database)) for store in stores for _ in range(2)]

        await asyncio.gather(*(reader.take(read_feed(atom(*first)).bulletins) for reader in readers))
        before = {kept.suggestion.key.identifier: kept.id for kept in await stores[0].shown()}
        await stores[0].dismiss(before["1"], by=new_id())
        await asyncio.gather(*(reader.take(read_feed(atom(*first, second)).bulletins) for reader in readers))

        after = {kept.suggestion.key.identifier for kept in await stores[1].shown()}
        dismissed = await stores[1].get(before["1"])

    assert set(before) == {"0", "1", "2", "3", "4"}
    assert after == {"0", "3", "4"}
    assert dismissed is not None
    assert dismissed.state is State.DISMISSED
