"""Calls on SQLite and PostgreSQL: two replicas, many people at once, and no call is given to two of them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from uuid import UUID

import pytest

from services.intake.calling.model import Outcome, attempt
from services.intake.calling.store import Wanted
from services.intake.invitation.jobs import InvitationJobs
from services.intake.paper.store import PaperStore
from shared.identity import Sight
from shared.ids import new_id
from shared.settings import Settings
from tests.fakes import FakeClock
from tests.intake.house import Intake, running_intake

pytestmark = pytest.mark.connected

SIGHT = Sight(frozenset({"082"}), frozenset({"silta"}))


@pytest.fixture
async def pair(settings: Settings, each_database: str, clock: FakeClock) -> AsyncIterator[tuple[Intake, Intake]]:
    """Two replicas on one database, in the morning."""
    clock.move(hours=-10)
    on_it = settings.model_copy(update={"database": each_database})
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(running_intake(on_it, clock))
        second = await stack.enter_async_context(running_intake(on_it, clock))
        yield first, second


@pytest.mark.slow
async def test_many_who_call_at_once_each_get_another_one(pair: tuple[Intake, Intake]) -> None:
    first, second = pair
    await first.take_in(*(f"Seura {n};{n};Hattula;;;s{n}@example.org;040 {n}" for n in range(1, 31)))
    opened = await first.open_round(await first.ids())

    taken = await asyncio.gather(
        *(
            intake.app.state.calls.next_call(opened.round_id, Wanted(capability="transport"), SIGHT, person_id=new_id())
            for _ in range(16)
            for intake in (first, second)
        )
    )

    given = [one for one in taken if one is not None]
    assert (len(given), len(set(given))) == (30, 30)


@pytest.mark.slow
async def test_the_lists_read_alike_on_both(pair: tuple[Intake, Intake]) -> None:
    first, _ = pair
    await first.take_in(*(f"Seura {n};{n};Hattula;;;s{n}@example.org;040 {n}" for n in range(1, 4)))
    opened = await first.open_round(await first.ids())
    await first.browser.post(await first.link(0), data={"status": "limited", "need": "transport"})
    calls, paper = first.app.state.calls, first.app.state.paper
    listed, _count = await calls.listing(opened.round_id, Wanted(), SIGHT)
    what = attempt(Outcome.WRONG_NUMBER, "", at=None, now=first.clock.now())
    for _ in range(2):
        await calls.tried(listed[0].invitation_id, what, person_id=new_id())
    worklist = [await count(SIGHT) for count in (first.app.state.worklist.failed_count, calls.outstanding)]

    again, count = await calls.listing(opened.round_id, Wanted(), SIGHT)
    assert ([one.attempts for one in again], count) == ([0, 2], 2)
    assert await calls.needed(opened.round_id) == {"transport": 1}
    assert await first.app.state.worklist.wrong_numbers(SIGHT) == 1
    assert await first.app.state.worklist.unreachable_count(SIGHT) == 0
    assert worklist == [0, 2]
    assert await sheets_of(paper, opened.round_id) == [2, 0]


async def sheets_of(paper: PaperStore, round_id: UUID) -> list[int]:
    """How many sheets are new when they are made twice at once."""
    made = (paper.make_sheets(round_id, "082", SIGHT, person_id=new_id()) for _ in range(2))
    return sorted(await asyncio.gather(*made), reverse=True)


@pytest.mark.slow
async def test_two_replicas_turn_each_silent_one_once(pair: tuple[Intake, Intake]) -> None:
    first, _ = pair
    await first.take_in(*(f"Seura {n};{n};Hattula;;;s{n}@example.org" for n in range(1, 121)))
    ids = await first.ids()
    for association_id in ids:
        await first.add_contact(association_id, 2, f"{association_id}@example.org")
    await first.open_round(ids)
    first.clock.move(hours=4)
    jobs = [InvitationJobs(one.app.state.invitation, escalate_after=timedelta(hours=4)) for one in pair]

    more = True
    while more:
        more = any(await asyncio.gather(*(job.turn_silent() for job in jobs)))

    letters = [letter["address"] for letter in await first.said("bulk")]
    assert len(letters) == len(set(letters)) == 240
