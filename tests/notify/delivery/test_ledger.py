"""The ledger: each recipient once, each claim to one worker, each end written once and told where it is awaited."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlmodel import col

from services.notify.delivery.model import Claimed, Counts, Kind, Lane, Letter, Outcome, Recipient, State
from services.notify.delivery.schema import DeliveryRow
from services.notify.delivery.store import Ledger
from services.notify.schema import NotifyTable
from shared.db import Database
from shared.events import NotPermittedError
from shared.events.notify import LetterRequested, LetterWish, UrgentLetterRequested
from shared.ids import new_id
from shared.plumbing import OutboxRow, Plumbing
from shared.realm import LIVE, Realm
from tests.fakes import STORM_EVENING, FakeClock

EXERCISE = Realm("ex-autumn")


@pytest.fixture
async def database(each_database: str) -> AsyncIterator[Database]:
    database = Database(each_database)
    await database.create_tables(Plumbing.metadata, NotifyTable.metadata)
    yield database
    await database.close()


@pytest.fixture
def ledger(database: Database, clock: FakeClock) -> Ledger:
    return Ledger(database, clock=clock)


def letter(kind: Kind = Kind.CHECKIN, *, realm: Realm = LIVE, letter_id: UUID | None = None) -> Letter:
    return Letter(
        realm=realm,
        letter_id=letter_id or new_id(),
        kind=kind,
        lane=Lane.BULK,
        not_after=STORM_EVENING + timedelta(hours=6),
        shared={"situation.fi": "Myrsky"},
    )


def people(number: int) -> list[Recipient]:
    return [
        Recipient(new_id(), f"aino{count}@example.org", locale="fi", personal={"association": f"Yhdistys {count}"})
        for count in range(number)
    ]


async def add(database: Database, ledger: Ledger, to_add: Letter, recipients: Sequence[Recipient]) -> int:
    async with database.write() as session:
        return await ledger.add(session, to_add, recipients=recipients)


def wish(kind: str = "checkin", *, of: type[LetterWish] = LetterRequested, letter_id: UUID | None = None) -> LetterWish:
    return of(
        happened_at=STORM_EVENING,
        realm=LIVE,
        letter_id=letter_id or new_id(),
        recipient_id=new_id(),
        kind=kind,
        address="aino@example.org",
        locale="fi",
        not_after=STORM_EVENING + timedelta(hours=6),
    )


def ended(delivery: Claimed, state: State, *, kind: Kind = Kind.CHECKIN, reason: str = "") -> Outcome:
    return Outcome(delivery, kind, state=state, at=STORM_EVENING, reason=reason)


async def rows(database: Database) -> list[DeliveryRow]:
    async with database.read() as session:
        return list((await session.execute(select(DeliveryRow).order_by(col(DeliveryRow.id)))).scalars())


async def told(database: Database) -> list[str]:
    async with database.read() as session:
        return [row.subject for row in (await session.execute(select(OutboxRow))).scalars()]


async def test_a_recipient_is_added_once_however_often_she_is_added(database: Database, ledger: Ledger) -> None:
    storm, three = letter(), people(3)

    first = await add(database, ledger, storm, [*three, three[0]])
    second = await add(database, ledger, storm, [*people(1), *three])

    assert (first, second) == (3, 1)
    assert await ledger.counts(LIVE, storm.letter_id) == Counts(waiting=4)


async def test_a_letter_is_open_until_nothing_can_happen_to_any_copy(
    database: Database, ledger: Ledger, clock: FakeClock
) -> None:
    storm = letter()
    await add(database, ledger, storm, people(2))
    open_before = await ledger.is_open(LIVE, storm.letter_id)
    first, second = await ledger.claim(storm.lane, limit=2, now=clock.now())

    await ledger.settle([ended(first, State.SENT)])
    open_between = await ledger.is_open(LIVE, storm.letter_id)
    await ledger.settle([ended(second, State.FAILED)])

    assert (open_before, open_between, await ledger.is_open(LIVE, storm.letter_id)) == (True, True, False)


async def test_what_the_caller_undoes_was_never_added(database: Database, ledger: Ledger) -> None:
    storm = letter()

    async def add_and_fail() -> None:
        async with database.write() as session:
            await ledger.add(session, storm, recipients=people(2))
            raise OSError("away")

    with pytest.raises(OSError, match="away"):
        await add_and_fail()

    assert (await ledger.counts(LIVE, storm.letter_id)).total == 0


async def test_a_letter_id_of_another_kind_is_refused(database: Database, ledger: Ledger) -> None:
    guidance = letter(Kind.GUIDANCE)
    await add(database, ledger, guidance, people(1))

    with pytest.raises(NotPermittedError):
        await ledger.hear(wish(letter_id=guidance.letter_id))

    assert (await ledger.counts(LIVE, guidance.letter_id)).total == 1


@pytest.mark.parametrize("kind", ["guidance", "confirm", "", "Checkin", "../checkin"])
async def test_a_message_cannot_ask_for_any_other_kind(database: Database, ledger: Ledger, kind: str) -> None:
    with pytest.raises(NotPermittedError):
        await ledger.hear(wish(kind))

    assert await rows(database) == []


async def test_wishes_that_come_together_share_a_commit_and_each_is_answered(
    database: Database, ledger: Ledger
) -> None:
    guidance = letter(Kind.GUIDANCE)
    await add(database, ledger, guidance, people(1))
    round_id, same = new_id(), wish()
    wishes = [*(wish(letter_id=round_id) for _ in range(20)), same, same, wish(letter_id=guidance.letter_id)]

    answers = await asyncio.gather(*(ledger.hear(each) for each in wishes), return_exceptions=True)

    assert answers[:20] == [True] * 20
    assert isinstance(answers[-1], NotPermittedError)
    assert await ledger.counts(LIVE, round_id) == Counts(waiting=20)
    assert (await ledger.counts(LIVE, same.letter_id)).total == 1


async def test_an_urgent_wish_is_claimed_from_the_urgent_lane_only(ledger: Ledger, clock: FakeClock) -> None:
    await ledger.hear(wish("sign_in", of=UrgentLetterRequested))

    assert await ledger.claim(Lane.BULK, limit=10, now=clock.now()) == []
    assert len(await ledger.claim(Lane.URGENT, limit=10, now=clock.now())) == 1


async def test_two_workers_never_hold_the_same_delivery(database: Database, ledger: Ledger, clock: FakeClock) -> None:
    await add(database, ledger, letter(), people(120))
    bertta = Ledger(database, clock=clock)

    claims = await asyncio.gather(
        *(worker.claim(Lane.BULK, limit=7, now=clock.now()) for worker in (ledger, bertta) * 10)
    )

    held = [delivery.id for claim in claims for delivery in claim]
    assert len(held) == len(set(held)) == 120


async def test_a_final_state_empties_what_was_personal_and_is_told(
    database: Database, ledger: Ledger, clock: FakeClock
) -> None:
    storm = letter()
    await add(database, ledger, storm, people(2))
    aino, bertta = await ledger.claim(Lane.BULK, limit=2, now=clock.now())

    await ledger.settle([ended(aino, State.SENT), ended(bertta, State.FAILED, reason="550 5.1.1")])

    assert await ledger.counts(LIVE, storm.letter_id) == Counts(sent=1, failed=1)
    assert {(row.address, str(row.personal), row.claimed_by) for row in await rows(database)} == {("", "{}", "")}
    assert sorted(await told(database)) == ["notify.live.letter_failed", "notify.live.letter_sent"]


async def test_guidance_ends_are_not_told_one_by_one(database: Database, ledger: Ledger, clock: FakeClock) -> None:
    await add(database, ledger, letter(Kind.GUIDANCE), people(2))
    claims = await ledger.claim(Lane.BULK, limit=2, now=clock.now())

    await ledger.settle([ended(delivery, State.SENT, kind=Kind.GUIDANCE) for delivery in claims])

    assert await told(database) == []


async def test_a_final_state_stays_and_is_told_once(database: Database, ledger: Ledger, clock: FakeClock) -> None:
    storm = letter()
    await add(database, ledger, storm, people(1))
    [aino] = await ledger.claim(Lane.BULK, limit=1, now=clock.now())

    await ledger.settle([ended(aino, State.SENT)])
    again = await ledger.settle([ended(aino, State.FAILED), ended(aino, State.SENT)])

    assert again == 0
    assert await ledger.counts(LIVE, storm.letter_id) == Counts(sent=1)
    assert await told(database) == ["notify.live.letter_sent"]


async def test_a_deferred_delivery_is_due_at_its_time(database: Database, ledger: Ledger, clock: FakeClock) -> None:
    await add(database, ledger, letter(), people(1))
    [aino] = await ledger.claim(Lane.BULK, limit=1, now=clock.now())
    later = clock.now() + timedelta(minutes=1)
    await ledger.settle([Outcome(aino, Kind.CHECKIN, state=State.DEFERRED, at=clock.now(), due_at=later)])

    early = await ledger.claim(Lane.BULK, limit=1, now=clock.now())
    [again] = await ledger.claim(Lane.BULK, limit=1, now=clock.move(minutes=1))

    assert early == []
    assert (again.attempts, again.ambiguous, again.recipient) == (1, 0, aino.recipient)


async def test_a_lease_that_ended_is_ambiguous_and_too_often_unknown(
    database: Database, ledger: Ledger, clock: FakeClock
) -> None:
    storm = letter()
    await add(database, ledger, storm, people(1))

    for died in range(3):
        [claimed] = await ledger.claim(Lane.BULK, limit=1, now=clock.now())
        assert claimed.ambiguous == died
        assert await ledger.recover(clock.now()) == 0
        assert await ledger.recover(clock.move(seconds=901)) == 1

    assert await ledger.counts(LIVE, storm.letter_id) == Counts(unknown=1)
    assert await told(database) == ["notify.live.letter_failed"]


async def test_an_urgent_letter_of_a_dead_sender_is_sent_by_another_after_five_minutes(
    database: Database, ledger: Ledger, clock: FakeClock
) -> None:
    for lane in Lane:
        await add(database, ledger, replace(letter(), lane=lane), people(1))
        await ledger.claim(lane, limit=1, now=clock.now())

    assert await ledger.recover(clock.move(seconds=299)) == 0
    assert await ledger.recover(clock.move(seconds=2)) == 1
    assert len(await ledger.claim(Lane.URGENT, limit=1, now=clock.now())) == 1
    assert await ledger.claim(Lane.BULK, limit=1, now=clock.now()) == []


async def test_who_lost_her_lease_still_writes_what_was_sent_and_nothing_else(
    database: Database, ledger: Ledger, clock: FakeClock
) -> None:
    storm = letter()
    await add(database, ledger, storm, people(2))
    aino, bertta = await ledger.claim(Lane.BULK, limit=2, now=clock.now())
    await ledger.recover(clock.move(seconds=901))

    await ledger.settle([ended(aino, State.SENT), ended(bertta, State.FAILED)])

    assert await ledger.counts(LIVE, storm.letter_id) == Counts(sent=1, waiting=1)


async def test_a_given_back_delivery_spends_nothing(database: Database, ledger: Ledger, clock: FakeClock) -> None:
    await add(database, ledger, letter(), people(1))
    [aino] = await ledger.claim(Lane.BULK, limit=1, now=clock.now())

    await ledger.settle([ended(aino, State.WAITING)])
    [again] = await ledger.claim(Lane.BULK, limit=1, now=clock.now())

    assert (again.attempts, again.ambiguous) == (0, 0)


async def test_dropping_an_exercise_refuses_what_waits_and_touches_no_other_realm(
    database: Database, ledger: Ledger, clock: FakeClock
) -> None:
    drill = letter(realm=EXERCISE)
    storm = letter(letter_id=drill.letter_id)
    await add(database, ledger, drill, people(2))
    await add(database, ledger, storm, people(2))
    await ledger.enrol(EXERCISE, ["Aino0@example.org"])

    assert await ledger.drop(EXERCISE) == 2

    assert await ledger.counts(EXERCISE, drill.letter_id) == Counts(refused=2)
    assert await ledger.counts(LIVE, storm.letter_id) == Counts(waiting=2)
    assert await ledger.roster([(EXERCISE, "aino0@example.org")]) == frozenset()
    with pytest.raises(ValueError, match="exercise"):
        await ledger.drop(LIVE)
    assert clock.now() == STORM_EVENING


async def test_a_paused_lane_is_not_due_until_it_is_resumed(
    database: Database, ledger: Ledger, clock: FakeClock
) -> None:
    woken: list[str] = []
    ledger.on_added(Lane.BULK, lambda: woken.append("bulk"))
    await add(database, ledger, letter(), people(1))
    await ledger.pause(Lane.BULK, "11 of the last 200 failed")

    assert await ledger.paused(Lane.BULK) == "11 of the last 200 failed"
    assert not await ledger.due(Lane.BULK, clock.now())
    await ledger.resume(Lane.BULK)

    assert await ledger.paused(Lane.BULK) is None
    assert await ledger.due(Lane.BULK, clock.now())
    assert woken == ["bulk", "bulk"]


async def test_what_is_real_is_claimed_before_any_exercise(
    database: Database, ledger: Ledger, clock: FakeClock
) -> None:
    await add(database, ledger, letter(realm=EXERCISE), people(2))
    clock.move(minutes=1)
    await add(database, ledger, letter(), people(2))

    first = await ledger.claim(Lane.BULK, limit=3, now=clock.now())
    rest = await ledger.claim(Lane.BULK, limit=3, now=clock.now())

    assert [delivery.realm for delivery in first] == [LIVE, LIVE, EXERCISE]
    assert [delivery.realm for delivery in rest] == [EXERCISE]
