"""Two replicas of intake on one database, SQLite and PostgreSQL: what is told of a plan or declined, is told once."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from sqlalchemy import select
from sqlmodel import col

from services.intake.invitation.store import Invitation
from services.intake.registry.store import Association
from shared.realm import LIVE
from shared.settings import Settings
from tests.fakes import FakeClock
from tests.intake.house import Intake, running_intake

pytestmark = pytest.mark.connected

MANY = 30


@pytest.fixture
async def pair(settings: Settings, each_database: str, clock: FakeClock) -> AsyncIterator[tuple[Intake, Intake]]:
    """Two replicas on one database."""
    on_it = settings.model_copy(update={"database": each_database})
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(running_intake(on_it, clock))
        second = await stack.enter_async_context(running_intake(on_it, clock))
        yield first, second


async def ask(first: Intake) -> list[str]:
    """The links of many associations in one round; what was said before is forgotten."""
    await first.take_in(*(f"Seura {n};{n};Hattula;;;s{n}@example.org" for n in range(1, MANY + 1)))
    await first.open_round(await first.ids())
    links = [str(letter["personal"]["link"]).partition("8000")[2] for letter in await first.said("bulk")]
    await first.forget_said()
    return links


async def test_a_plan_told_to_both_enters_the_register_once(pair: tuple[Intake, Intake]) -> None:
    first, second = pair
    links = await ask(first)

    answers = await asyncio.gather(
        *(
            intake.browser.post(link, data={"status": "normal", "plan": "yes", "offer": "search", "offer-search": "2"})
            for intake, order in ((first, links), (second, links[::-1]))
            for link in order
        )
    )

    told = Counter(event["association_id"] for event in await first.said("association_changed"))
    async with first.database.read() as session:
        rows = (await session.execute(select(Association))).scalars().all()
    histories = [await first.app.state.history.of_association(row.id, realm=LIVE) for row in rows]
    assert {answer.status_code for answer in answers} == {200}
    assert told == Counter({str(row.id): 1 for row in rows})
    assert {(row.plan, row.version) for row in rows} == {("made", 2)}
    assert {(history.count, len(history.answers)) for history in histories} == {(2, 2)}


async def test_not_this_time_pressed_in_both_is_told_once_and_an_answer_takes_it_back(
    pair: tuple[Intake, Intake],
) -> None:
    first, second = pair
    links = await ask(first)

    await asyncio.gather(*(intake.browser.post(f"{link}/not-this-time") for link in links for intake in pair))
    await asyncio.gather(*(second.browser.post(link, data={"status": "normal"}) for link in links[:10]))

    async with first.database.read() as session:
        declined = (await session.execute(select(Invitation).where(col(Invitation.declined_at).is_not(None)))).all()
    assert len(await first.said("association_declined")) == MANY
    assert len(declined) == MANY - 10
