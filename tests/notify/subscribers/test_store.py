"""Subscribers as they are kept: consent, forgetting, leaving, lists of addresses, and who is reached."""

from datetime import timedelta
from uuid import UUID

import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.notify.delivery.model import Kind
from services.notify.guidance.schema import NOBODY
from services.notify.subscribers.model import (
    EVERYWHERE,
    Audience,
    Basis,
    Consent,
    ImportedSubscriber,
    Matching,
    State,
    Wishes,
)
from services.notify.subscribers.store import SubscriberStore
from shared.i18n import Locale
from shared.ids import new_id
from tests.fakes import STORM_EVENING, FakeClock
from tests.notify.conftest import letters_to, row_of

SHOWN = Consent("2026-1", "ab" * 32)
FORSSA, HATTULA = "061", "082"
RESIDENT = Wishes(frozenset({Audience.RESIDENTS}), frozenset({FORSSA}), Locale.FI)
PROFESSIONAL = Wishes(frozenset({Audience.PROFESSIONALS}), frozenset(), Locale.SV)


async def test_asking_keeps_the_consent_and_writes_a_letter(app: FastAPI, subscribers: SubscriberStore) -> None:
    await subscribers.ask("Aino@example.org", RESIDENT, consent=SHOWN)

    row = await row_of(app, "aino@example.org")
    assert (row.state, row.basis) == (State.PENDING, Basis.CONSENT)
    assert (row.consent_version, row.consent_hash) == (SHOWN.version, SHOWN.text_hash)
    assert (row.asked_at, row.confirmed_at) == (STORM_EVENING, None)
    [letter] = await letters_to(app, row.id)
    assert letter.letter.kind == Kind.CONFIRM
    assert letter.letter.not_after == STORM_EVENING + timedelta(hours=48)
    assert letter.delivery.personal["link"].endswith("/confirm")
    assert letter.delivery.address == "Aino@example.org"


async def test_confirming_begins_the_subscription_and_dates_it(
    app: FastAPI, subscribers: SubscriberStore, clock: FakeClock
) -> None:
    aino = await _asked(app, subscribers, "aino@example.org")
    confirmed_at = clock.move(hours=2)

    begun, again = await subscribers.confirm(aino), await subscribers.confirm(aino)

    row = await row_of(app, "aino@example.org")
    assert (begun, again) == (True, False)
    assert (row.state, row.asked_at, row.confirmed_at) == (State.CONFIRMED, STORM_EVENING, confirmed_at)


async def test_who_asks_again_is_led_to_her_preferences_and_nothing_changes(
    app: FastAPI, subscribers: SubscriberStore
) -> None:
    aino = await _confirmed(app, subscribers, "aino@example.org")
    before = await subscribers.get(aino)

    await subscribers.ask("AINO@example.org", PROFESSIONAL, consent=SHOWN)

    assert await subscribers.get(aino) == before
    _, letter = await letters_to(app, aino)
    assert letter.letter.shared["purpose"] == "preferences"
    assert not letter.delivery.personal["link"].endswith("/confirm")
    assert letter.delivery.locale == "fi"


async def test_the_unconfirmed_are_forgotten_after_48_hours(
    app: FastAPI, subscribers: SubscriberStore, clock: FakeClock
) -> None:
    aino = await _asked(app, subscribers, "aino@example.org")
    clock.move(hours=47, minutes=59)
    bertta = await _confirmed(app, subscribers, "bertta@example.org")
    cecilia = await _asked(app, subscribers, "cecilia@example.org")
    await subscribers.forget_unconfirmed()
    assert await subscribers.get(aino) is not None

    clock.move(minutes=1)
    too_late = await subscribers.confirm(aino)
    await subscribers.forget_unconfirmed()

    assert not too_late
    assert await subscribers.get(aino) is None
    assert await subscribers.get(bertta) is not None
    assert await subscribers.get(cecilia) is not None


async def test_who_left_has_left_even_if_somebody_asks_in_her_name(
    app: FastAPI, subscribers: SubscriberStore, clock: FakeClock
) -> None:
    aino = await _confirmed(app, subscribers, "aino@example.org")
    await subscribers.leave(aino)
    await subscribers.ask("aino@example.org", RESIDENT, consent=SHOWN)

    clock.move(hours=48)
    await subscribers.forget_unconfirmed()
    imported = await subscribers.import_many([_member("aino@example.org")])

    known = await subscribers.get(aino)
    assert known is not None
    assert known.state is State.LEFT
    assert imported.new == 0


async def test_who_left_can_come_back_herself(app: FastAPI, subscribers: SubscriberStore) -> None:
    aino = await _confirmed(app, subscribers, "aino@example.org")
    left, again = await subscribers.leave(aino), await subscribers.leave(aino)
    assert (left, again) == (True, False)

    await subscribers.ask("aino@example.org", PROFESSIONAL, consent=SHOWN)
    await subscribers.confirm(aino)

    known = await subscribers.get(aino)
    assert known is not None
    assert (known.state, known.wishes) == (State.CONFIRMED, PROFESSIONAL)


async def test_leaving_takes_back_what_had_not_been_sent(app: FastAPI, subscribers: SubscriberStore) -> None:
    aino = await _asked(app, subscribers, "aino@example.org")
    bertta = await _asked(app, subscribers, "bertta@example.org")

    await subscribers.leave(aino)

    [hers] = await letters_to(app, aino)
    [other] = await letters_to(app, bertta)
    assert (hers.delivery.state, hers.delivery.reason, hers.delivery.address) == (
        "refused",
        "the recipient has left",
        "",
    )
    assert other.delivery.state == "waiting"


async def test_a_changed_subscription_replaces_the_old_one(app: FastAPI, subscribers: SubscriberStore) -> None:
    aino = await _confirmed(app, subscribers, "aino@example.org")
    bertta = await _asked(app, subscribers, "bertta@example.org")

    changed = await subscribers.change(aino, PROFESSIONAL)

    known = await subscribers.get(aino)
    assert changed
    assert known is not None
    assert known.wishes == PROFESSIONAL
    assert not await subscribers.change(bertta, PROFESSIONAL)


async def test_a_list_is_added_once_and_again_changes_nothing(app: FastAPI, subscribers: SubscriberStore) -> None:
    rows = [_member(f"member-{number}@example.org") for number in range(1100)]
    aino = await _confirmed(app, subscribers, "aino@example.org")
    bertta = await _asked(app, subscribers, "bertta@example.org")
    listed = [*rows, _member("Aino@example.org"), _member("bertta@example.org")]

    first, second = await subscribers.import_many(listed), await subscribers.import_many(listed)

    assert (first.new, first.known) == (1101, 1)
    assert (second.new, second.known) == (0, 1102)
    row = await row_of(app, "member-7@example.org")
    assert (row.state, row.basis, row.confirmed_at) == (State.CONFIRMED, Basis.OPERATIONAL, STORM_EVENING)
    assert await letters_to(app, row.id) == []
    kept, confirmed = await subscribers.get(aino), await subscribers.get(bertta)
    assert kept is not None
    assert kept.wishes == RESIDENT
    assert confirmed is not None
    assert confirmed.wishes.audiences == frozenset({Audience.MEMBERS})


audiences = st.frozensets(st.sampled_from(Audience), min_size=1)
places = st.frozensets(st.sampled_from(["061", "082", "086"]))
people = st.lists(
    st.tuples(st.builds(Wishes, audiences, places, st.sampled_from(Locale)), st.sampled_from(State)), max_size=12
)


@pytest.mark.slow
@given(people, st.builds(Matching, audiences, places))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
async def test_each_confirmed_subscriber_who_matches_is_found_exactly_once(
    app: FastAPI, subscribers: SubscriberStore, drawn: list[tuple[Wishes, State]], matching: Matching
) -> None:
    before = set(await _all_recipients(app, subscribers, matching))
    ids = await _people(app, subscribers, drawn)
    wanted = {
        person
        for person, (wishes, state) in zip(ids, drawn, strict=True)
        if state is State.CONFIRMED and matching.reaches(wishes)
    }

    reach = await subscribers.reach(matching)
    found = await _all_recipients(app, subscribers, matching)

    assert set(found) - before == wanted
    assert len(found) == len(set(found)) == reach.total
    assert all(count <= reach.total for count in reach.by_audience.values())


async def test_reach_counts_each_person_once_in_all_and_once_in_each_group(subscribers: SubscriberStore) -> None:
    both = [
        ImportedSubscriber("aino@example.org", Audience.MEMBERS, tuple(EVERYWHERE), Locale.FI),
        ImportedSubscriber("aino@example.org", Audience.PROFESSIONALS, (FORSSA,), Locale.FI),
    ]
    await subscribers.import_many([*both, _member("bertta@example.org")])

    reach = await subscribers.reach(Matching(frozenset(Audience), frozenset({FORSSA})))

    assert reach.total == 2
    assert reach.by_audience == {Audience.MEMBERS: 2, Audience.PROFESSIONALS: 1, Audience.RESIDENTS: 0}


def _member(email: str) -> ImportedSubscriber:
    return ImportedSubscriber(email, Audience.MEMBERS, (FORSSA,), Locale.FI)


async def _asked(app: FastAPI, subscribers: SubscriberStore, email: str, wishes: Wishes = RESIDENT) -> UUID:
    await subscribers.ask(email, wishes, consent=SHOWN)
    return (await row_of(app, email)).id


async def _confirmed(app: FastAPI, subscribers: SubscriberStore, email: str, wishes: Wishes = RESIDENT) -> UUID:
    subscriber_id = await _asked(app, subscribers, email, wishes)
    assert await subscribers.confirm(subscriber_id)
    return subscriber_id


async def _people(app: FastAPI, subscribers: SubscriberStore, drawn: list[tuple[Wishes, State]]) -> list[UUID]:
    """So many new people with these wishes, in these states; their ids."""
    emails = [f"{new_id()}@example.org" for _ in drawn]
    await subscribers.import_many(
        [
            ImportedSubscriber(email, audience, tuple(wishes.municipalities), wishes.locale)
            for email, (wishes, state) in zip(emails, drawn, strict=True)
            for audience in wishes.audiences
            if state is not State.PENDING
        ]
    )
    for email, (wishes, state) in zip(emails, drawn, strict=True):
        if state is State.PENDING:
            await subscribers.ask(email, wishes, consent=SHOWN)
    ids = [(await row_of(app, email)).id for email in emails]
    for person, (_wishes, state) in zip(ids, drawn, strict=True):
        if state is State.LEFT:
            await subscribers.leave(person)
    states = {person: state for person, (_, state) in zip(ids, drawn, strict=True)}
    came_back = {person: STORM_EVENING for person, state in states.items() if state is State.SUPPRESSED}
    async with app.state.house.database.write() as session:
        await subscribers.suppress(session, came_back)
    return ids


async def _all_recipients(app: FastAPI, subscribers: SubscriberStore, matching: Matching) -> list[UUID]:
    """All pages of two, as planning would read them."""
    found: list[UUID] = []
    while True:
        async with app.state.house.database.read() as session:
            page = await subscribers.recipients(
                session, matching, after=found[-1] if found else NOBODY, confirmed_by=STORM_EVENING, limit=2
            )
        if not page:
            return found
        found += [recipient.recipient_id for recipient in page]
