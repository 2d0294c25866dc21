"""What follows from letters that came back: for subscribers, for contacts, in exercises; once, and also days later."""

import json

import pytest
from sqlalchemy import select
from sqlmodel import col

from services.notify.bounce.jobs import Reading
from services.notify.bounce.model import KEPT, MOST_OF_ONE, SOFT_DAYS, SOFT_WINDOW, TRIES, Found
from services.notify.bounce.schema import BounceRow
from services.notify.bounce.store import LEASE, Arrived
from services.notify.delivery.model import Counts, Kind
from services.notify.delivery.return_address import ReturnAddress, read_return_address, return_address
from services.notify.subscribers.model import Audience, Consent, ImportedSubscriber, Wishes
from shared.i18n import Locale
from shared.ids import new_id
from shared.realm import LIVE, Realm
from tests.notify.bounce.conftest import Returns, report
from tests.notify.conftest import row_of

EXERCISE = Realm("ex-autumn")
WISHES = Wishes(frozenset({Audience.RESIDENTS}), frozenset(), Locale.FI)
CONSENT = Consent("1", "0")


@pytest.mark.parametrize(
    ("found", "state"),
    [
        (Found.HARD, "suppressed"),
        (Found.COMPLAINT, "left"),
        (Found.SOFT, "confirmed"),
        (Found.POLICY, "confirmed"),
        (Found.DELAYED, "confirmed"),
        (Found.AUTOMATIC, "confirmed"),
        (Found.UNCLEAR, "confirmed"),
    ],
)
async def test_a_subscriber_is_spared_or_kept_by_what_came_back(returns: Returns, found: Found, state: str) -> None:
    aino, bertta = await returns.subscribe("aino@example.org", "bertta@example.org")
    letter = await returns.send([aino])
    waiting = await returns.send([aino, bertta], sent=False)

    await returns.come_back(letter, found)

    counts = await returns.app.state.ledger.counts(LIVE, waiting.letter_id)
    assert await returns.state(aino) == state
    assert await returns.state(bertta) == "confirmed"
    assert counts == (Counts(waiting=2) if state == "confirmed" else Counts(waiting=1, refused=1))


async def test_the_ledger_keeps_that_it_was_sent_and_why_it_came_back(returns: Returns) -> None:
    [aino] = await returns.subscribe("aino@example.org")
    letter = await returns.send([aino])

    await returns.come_back(letter, Found.HARD)

    [row] = await returns.deliveries(letter)
    assert (row.state, row.reason) == ("sent", "returned: hard 5.1.1")


async def test_passing_faults_wear_out_after_so_many_days_and_not_by_their_number(returns: Returns) -> None:
    [aino] = await returns.subscribe("aino@example.org")

    seen = []
    for _ in range(SOFT_DAYS):
        for _ in range(2):
            await returns.come_back(await returns.send([aino]), Found.SOFT)
        seen.append(await returns.state(aino))
        returns.clock.move(days=1)

    assert seen == ["confirmed"] * (SOFT_DAYS - 1) + ["suppressed"]


async def test_passing_faults_of_long_ago_do_not_count(returns: Returns) -> None:
    [aino] = await returns.subscribe("aino@example.org")

    for _ in range(SOFT_DAYS):
        await returns.come_back(await returns.send([aino]), Found.SOFT)
        returns.clock.move(days=SOFT_WINDOW.days / 2)

    assert await returns.state(aino) == "confirmed"


@pytest.mark.parametrize("kind", [Kind.CHECKIN, Kind.REMINDER, Kind.DETAILS])
async def test_a_contact_is_never_blocked_but_whoever_asked_is_told_once(returns: Returns, kind: Kind) -> None:
    aino = new_id()
    letter = await returns.send([aino], kind=kind)

    await returns.come_back(letter, Found.DELAYED)
    await returns.come_back(letter, Found.SOFT)
    await returns.come_back(letter, Found.SOFT, name="2")
    await returns.come_back(letter, Found.HARD)
    await returns.come_back(letter, Found.HARD)

    told = await returns.said("letter_returned")
    bodies = [json.loads(row.body) for row in told]
    assert {row.headers["Nats-Msg-Id"] for row in told} == {bodies[0]["event_id"]}
    assert bodies[0]["recipient_id"] == str(aino)
    assert bodies[0]["kind"] == kind
    assert bodies[0]["reason"] == "returned: soft 4.4.1"
    assert await returns.said("letter_failed") == []


async def test_a_complaint_of_a_contact_changes_nothing(returns: Returns) -> None:
    await returns.come_back(await returns.send([new_id()], kind=Kind.CHECKIN), Found.COMPLAINT)

    assert await returns.said("letter_returned") == []


async def test_what_comes_back_in_an_exercise_stays_in_it(returns: Returns) -> None:
    [aino] = await returns.subscribe("aino@example.org")
    for found in (Found.HARD, Found.COMPLAINT, Found.SOFT):
        await returns.come_back(await returns.send([aino], realm=EXERCISE), found)

    await returns.come_back(await returns.send([new_id()], kind=Kind.CHECKIN, realm=EXERCISE), Found.HARD)

    [told] = await returns.said("letter_returned")
    assert await returns.state(aino) == "confirmed"
    assert told.subject == "notify.ex-autumn.letter_returned"


async def test_an_old_letter_says_nothing_of_an_address_that_was_confirmed_since(returns: Returns) -> None:
    [aino] = await returns.subscribe("aino@example.org")
    old = await returns.send([aino])
    older = await returns.send([aino])
    await returns.come_back(old, Found.HARD)
    returns.clock.move(days=1)
    await returns.app.state.subscribers.ask("aino@example.org", WISHES, consent=CONSENT)
    began = await returns.app.state.subscribers.confirm(aino)

    returns.clock.move(days=3)
    await returns.come_back(older, Found.HARD)

    row = await row_of(returns.app, "aino@example.org")
    assert began
    assert (row.state, row.suppressed_at) == ("confirmed", None)


async def test_no_list_brings_a_suppressed_address_back(returns: Returns) -> None:
    [aino] = await returns.subscribe("aino@example.org")
    await returns.come_back(await returns.send([aino]), Found.HARD)
    listed = [ImportedSubscriber("aino@example.org", Audience.MEMBERS, (), Locale.FI)]

    states = []
    await returns.app.state.subscribers.import_many(listed)
    states.append(await returns.state(aino))
    await returns.app.state.subscribers.ask("aino@example.org", WISHES, consent=CONSENT)
    await returns.app.state.subscribers.import_many(listed)
    states.append(await returns.state(aino))
    returns.clock.move(hours=49)
    await returns.app.state.subscribers.forget_unconfirmed()
    states.append(await returns.state(aino))

    assert states == ["suppressed", "pending", "suppressed"]


async def test_a_letter_that_comes_back_before_it_counts_as_sent_is_read_alike(returns: Returns) -> None:
    [aino] = await returns.subscribe("aino@example.org")

    await returns.come_back(await returns.send([aino], sent=False), Found.HARD)

    assert await returns.state(aino) == "suppressed"


async def test_the_same_letter_brought_twice_is_kept_once(returns: Returns) -> None:
    letter = await returns.send([new_id()])

    for _ in range(3):
        await returns.come_back(letter, Found.HARD, read=False)

    assert len(await returns.bounces.claim()) == 1


async def test_only_addresses_that_were_given_out_are_known_and_so_many_letters_to_each(returns: Returns) -> None:
    letter = await returns.send([new_id(), new_id()])
    one, other = await returns.deliveries(letter)
    secret = returns.house.settings.secret.get_secret_value()

    def address(row: int, recipient: object) -> ReturnAddress:
        made = return_address(row, letter.letter_id, recipient, secret=secret, domain="a.example")  # type: ignore[arg-type]
        found = read_return_address(made, domain="a.example")
        assert found is not None
        return found

    known = [
        await returns.bounces.known(address(one.id or 0, one.recipient_id)),
        await returns.bounces.known(address(one.id or 0, other.recipient_id)),
        await returns.bounces.known(address(99, one.recipient_id)),
    ]
    for number in range(MOST_OF_ONE):
        await returns.bounces.take(Arrived(one.id or 0, report(Found.HARD, name=str(number)), returns.clock.now()))

    assert known == [True, False, False]
    assert not await returns.bounces.known(address(one.id or 0, one.recipient_id))
    assert await returns.bounces.known(address(other.id or 0, other.recipient_id))


async def test_a_letter_that_ends_its_reader_waits_for_a_person_at_last(returns: Returns) -> None:
    await returns.come_back(await returns.send([new_id()]), Found.HARD, read=False)

    for _ in range(TRIES):
        assert len(await returns.bounces.claim()) == 1  # its reader died
        assert await returns.bounces.claim() == []
        returns.clock.move(seconds=LEASE.total_seconds())
    await returns.read()

    [waiting], count = await returns.bounces.unread()
    assert (count, waiting.realm) == (1, LIVE)


async def test_letters_are_forgotten_when_they_are_old_but_what_they_said_is_not(returns: Returns) -> None:
    letter = await returns.send([new_id()])
    await returns.come_back(letter, Found.HARD)
    returns.clock.move(seconds=KEPT.total_seconds())
    await returns.come_back(letter, Found.UNCLEAR, name="late")
    await returns.come_back(letter, Found.SOFT, read=False)

    more = await returns.bounces.forget()

    async with returns.house.database.read() as session:
        left = (await session.execute(select(col(BounceRow.state)))).scalars().all()
    assert not more
    assert sorted(left) == ["new", "unclear"]
    assert (await returns.deliveries(letter))[0].reason == "returned: hard 5.1.1"


async def test_many_letters_are_read_in_batches(returns: Returns) -> None:
    people = await returns.subscribe(*(f"a{number}@example.org" for number in range(45)))
    letter = await returns.send(people)
    await returns.come_back(letter, Found.HARD, read=False)

    rounds = [await Reading(returns.bounces).read() for _ in range(3)]

    assert rounds == [True, True, False]
    assert {await returns.state(own) for own in people} == {"suppressed"}
    assert await returns.app.state.subscribers.suppressed_count() == 45
