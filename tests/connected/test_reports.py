"""Reports on SQLite and PostgreSQL: made at once by two processes, while answers come in."""

import asyncio

import pytest

from services.status.readiness.model import Dimension
from services.status.report.model import Report
from services.status.report.store import ReportStore
from services.status.situation.model import ALL_MUNICIPALITIES
from shared.settings import Settings
from tests.fakes import FakeClock
from tests.status.conftest import stores_on
from tests.status.people import checkin
from tests.status.reports import note, press

pytestmark = pytest.mark.connected

NAMES = [f"Yhdistys {number}" for number in range(40)]


async def test_numbers_have_no_gaps_and_figures_are_of_one_moment(
    each_database: str, settings: Settings, clock: FakeClock
) -> None:
    async with stores_on(each_database, clock) as one, stores_on(each_database, clock) as other:
        round_ = await one.ask(*NAMES)
        situation = await one.situation_of(round_)
        stores = [ReportStore(each.database, clock=clock, render=press(settings)) for each in (one, other)]

        reports, _ = await asyncio.gather(
            asyncio.gather(*(stores[number % 2].freeze(situation, note()) for number in range(8))),
            asyncio.gather(*(one.readiness.hear(checkin(name, round_)) for name in NAMES)),
        )

        assert sorted(report.number for report in reports) == list(range(1, 9))
        assert all(adds_up(report) for report in reports)
        assert [kept.number for kept in await stores[1].list_all(situation)] == list(range(8, 0, -1))
        assert (await stores[0].freeze(situation, note())).whole.coverage.answered == len(NAMES)


def adds_up(report: Report) -> bool:
    """True if the municipalities together are the region, and all who were asked are counted."""
    lines = [report.line(Dimension.MUNICIPALITY, code) for code in ALL_MUNICIPALITIES]
    answered = sum(line.coverage.answered for line in lines)
    return answered == report.whole.coverage.answered and report.whole.coverage.asked == len(NAMES)
