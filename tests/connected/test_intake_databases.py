"""Two replicas of intake on one database, SQLite and PostgreSQL: at once, and still each thing once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from services.intake.access.model import PersonEntry
from services.intake.checkin.store import CheckInRow
from services.intake.contacts.store import ContactStore
from services.intake.invitation.store import Invitation
from services.intake.people.model import Refusal, fingerprint
from shared.events.status import RoundReminded, SituationClosed
from shared.identity import Role
from shared.ids import new_id
from shared.partner_keys import Scope
from shared.realm import LIVE
from shared.settings import Settings
from tests.fakes import FakeClock
from tests.intake.desk import record_of
from tests.intake.house import ADDRESS, AINO, BERTTA, Intake, Round, round_opened, running_intake
from tests.intake.partner.keys import BASE, make_key

pytestmark = [pytest.mark.connected, pytest.mark.slow]


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


@pytest.mark.parametrize("statement", ["UPDATE audit SET subject = 'x'", "DELETE FROM audit", "DELETE FROM audit_head"])
async def test_neither_database_lets_the_audit_be_changed(pair: tuple[Intake, Intake], statement: str) -> None:
    first, second = pair
    await first.app.state.access.add_person(PersonEntry("Aino", "a@example.org", frozenset()))

    with pytest.raises(IntegrityError, match="append-only"):
        async with first.database.write() as session:
            await session.execute(text(statement))

    assert await second.app.state.audit.first_break() is None
    assert [await intake.app.state.audit.check_on(first.clock.now()) for intake in pair] == [False, False]
    assert (await second.app.state.audit.checked()).whole_to == 1


async def test_two_administrators_in_both_cannot_take_the_role_from_each_other(pair: tuple[Intake, Intake]) -> None:
    first, second = pair
    roles = frozenset({Role.ADMINISTRATOR})
    entries = [PersonEntry(name, f"{name}@example.org", roles) for name in ("olli", "ylva")]
    olli, ylva = [await first.app.state.access.add_person(entry) for entry in entries]

    outcomes = await asyncio.gather(
        *(
            intake.app.state.people.change(them, replace(entry, retired=True), seen=fingerprint(entry), by=me)
            for intake, me, them, entry in ((first, olli, ylva, entries[1]), (second, ylva, olli, entries[0]))
        )
    )

    assert sorted(isinstance(outcome, Refusal) for outcome in outcomes) == [False, True]


async def test_an_answer_sent_twice_by_a_partner_to_both_is_recorded_once(pair: tuple[Intake, Intake]) -> None:
    first, second = pair
    await first.take_in(AINO)
    [association] = await first.ids()
    opened = await first.open_round([association])
    key = await make_key(first, Scope.CHECKIN_WRITE)
    body = {"association_id": str(association), "status": "limited"}

    answers = await asyncio.gather(
        *(
            intake.browser.post(
                f"{BASE}/rounds/{opened.round_id}/checkins", json=body, headers={**key, "idempotency-key": "one"}
            )
            for intake in (first, second) * 5
        )
    )

    assert {answer.status_code for answer in answers} <= {200, 201}
    assert await first.count(CheckInRow) == 1
    assert len({event["checkin_id"] for event in await first.said("checkin_received")}) == 1


async def test_words_that_both_remove_are_counted_once(pair: tuple[Intake, Intake]) -> None:
    first, second = pair
    await first.take_in(AINO, BERTTA)
    opened = await first.open_round(await first.ids())
    for number in (0, 1):
        await first.browser.post(await first.link(number), data={"status": "normal", "note": "Ovi on auki"})
    closed = SituationClosed(happened_at=first.clock.now(), realm=LIVE, situation_id=opened.situation_id)
    await asyncio.gather(*(one.app.state.retention.close(closed) for one in pair))
    first.clock.move(days=90)

    await asyncio.gather(*(one.app.state.retention.remove() for one in (first, second, first, second)))

    [kept] = await second.app.state.retention.report()
    assert (kept.present, kept.removed) == (0, 2)


async def test_the_one_who_moved_up_is_asked_once_and_reminded_once(pair: tuple[Intake, Intake]) -> None:
    first, second = pair
    first.clock.move(hours=-10)
    await first.take_in(AINO)
    [aino] = await first.ids()
    await first.add_contact(aino, 2, "second@example.org")
    opened = await first.open_round([aino])
    record = await record_of(first, aino)
    asked, version = record.contacts[0].id, record.association.version
    await ContactStore(first.database, clock=first.clock).remove(aino, asked, version=version, by=new_id())
    first.clock.move(hours=4)
    at = {"happened_at": first.clock.now(), "realm": LIVE, "situation_id": opened.situation_id}
    reminded = RoundReminded(round_id=opened.round_id, number=1, **at)

    await asyncio.gather(*(one.app.state.invitation.turn_silent(after=timedelta(hours=4)) for one in pair))
    await asyncio.gather(*(one.app.state.reminders.remind(reminded) for one in (first, second)))

    addresses = [letter["address"] for letter in await first.said("bulk")]
    assert addresses == ["aino@example.org", "second@example.org", "second@example.org"]
