"""Two replicas of intake on one database, SQLite and PostgreSQL: at once, and still each thing once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from services.intake.access.model import PersonEntry
from services.intake.checkin.store import CheckInRow
from services.intake.invitation.store import Invitation
from shared.identity import Role
from shared.ids import new_id
from shared.realm import LIVE
from shared.settings import Settings
from tests.fakes import FakeClock
from tests.intake.house import ADDRESS, AINO, BERTTA, Intake, Round, round_opened, running_intake

pytestmark = pytest.mark.connected


@pytest.fixture
async def pair(settings: Settings, each_database: str, clock: FakeClock) -> AsyncIterator[tuple[Intake, Intake]]:
    """Two replicas on one database."""
    on_it = settings.model_copy(update={"database": each_database})
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(running_intake(on_it, clock))
        second = await stack.enter_async_context(running_intake(on_it, clock))
        yield first, second


async def test_overlapping_parts_heard_by_both_ask_everybody_once(pair: tuple[Intake, Intake]) -> None:
    first, second = pair
    await first.take_in(*(f"Seura {n};{n};Hattula;;;s{n}@example.org" for n in range(1, 101)))
    ids = await first.ids()
    opened = Round(new_id(), new_id(), first.clock.now().replace(hour=23), LIVE)
    forth = [round_opened(opened, ids[start : start + 40], first.clock.now()) for start in (0, 20, 40, 60)]
    back = [round_opened(opened, ids[start : start + 40][::-1], first.clock.now()) for start in (60, 40, 20, 0)]

    await asyncio.gather(
        *(first.app.state.invitation.invite(event) for event in (*forth, *back)),
        *(second.app.state.invitation.invite(event) for event in (*back, *forth)),
    )

    assert await first.count(Invitation) == len(await first.said("bulk")) == 100


async def test_one_form_sent_to_both_is_recorded_once(pair: tuple[Intake, Intake]) -> None:
    first, second = pair
    await first.take_in(AINO, BERTTA)
    await first.open_round(await first.ids())
    links = [await first.link(0), await first.link(1)]
    sent = {"checkin_id": str(new_id()), "status": "limited"}

    answers = await asyncio.gather(
        *(intake.browser.post(link, data=sent) for _ in range(10) for link in links for intake in (first, second))
    )

    told = {event["checkin_id"] for event in await first.said("checkin_received")}
    assert {answer.status_code for answer in answers} == {200}
    assert await first.count(CheckInRow) == len(told) == 2


async def test_a_sign_in_link_used_in_both_lets_one_in(pair: tuple[Intake, Intake]) -> None:
    first, second = pair
    await first.app.state.access.add_person(PersonEntry("Aino", "aino@example.org", frozenset({Role.CLERK})))
    await first.browser.post("/sign-in", data={"email": "aino@example.org"})
    path = (await first.said("urgent"))[0]["personal"]["link"].removeprefix(ADDRESS)
    second.browser.cookies.update(dict(first.browser.cookies))

    answers = await asyncio.gather(*(intake.browser.post(path) for _ in range(5) for intake in pair))

    assert sorted(answer.status_code for answer in answers) == [303] + [403] * 9


async def test_both_write_one_whole_audit(pair: tuple[Intake, Intake]) -> None:
    first, second = pair

    await asyncio.gather(
        *(
            intake.app.state.access.add_person(PersonEntry("Aino", f"{n}@example.org", frozenset()))
            for n, intake in enumerate([first, second] * 10)
        )
    )

    assert len(await first.app.state.audit.page()) == 20
    assert await second.app.state.audit.first_break() is None
