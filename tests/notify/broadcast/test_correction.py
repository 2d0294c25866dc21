"""A correction goes to those who may have got what it corrects, and what of that still waits is not sent any more."""

from uuid import UUID

import pytest
from fastapi import FastAPI
from sqlalchemy import select, update
from sqlmodel import col

from services.notify.broadcast.model import TRIALS, Trial
from services.notify.broadcast.store import PAGE, BroadcastStore
from services.notify.delivery.model import Lane
from services.notify.delivery.model import State as Sent
from services.notify.delivery.schema import DeliveryRow
from services.notify.delivery.store import SUPERSEDED, Ledger
from services.notify.guidance.model import Approval, Draft, Kind, Revision, Text
from services.notify.guidance.store import GuidanceStore
from services.notify.subscribers.model import Audience, ImportedSubscriber
from services.notify.subscribers.store import Subscriber, SubscriberStore
from shared.i18n import Locale
from shared.ids import new_id
from shared.realm import LIVE
from tests.fakes import FakeClock
from tests.notify.conftest import letters_to, row_of
from tests.notify.guidance.drafts import draft, present, published, resident, submitted

NEW_TEXT = {Locale.FI: Text("Sähköt palaavat", "Odottakaa.", "Kello oli väärin.")}


@pytest.fixture
def broadcasts(app: FastAPI) -> BroadcastStore:
    store: BroadcastStore = app.state.broadcasts
    return store


@pytest.fixture
def ledger(app: FastAPI) -> Ledger:
    store: Ledger = app.state.ledger
    return store


async def corrected(guidance: GuidanceStore, revision: Revision, kind: Kind = Kind.UPDATE) -> Revision:
    """A correction of this, written by one and released by another."""
    newest = await present(guidance, revision.guidance_id)
    new = Draft(NEW_TEXT, newest.draft.matching, 6)
    assert await guidance.correct(newest, kind, new, by=new_id(), edition=newest.edition)
    decided = await guidance.approve(LIVE, newest.guidance_id, by=new_id(), word="TOSI", edition=newest.edition + 1)
    assert isinstance(decided, Approval)
    return await present(guidance, revision.guidance_id)


async def everybody(subscribers: SubscriberStore, *names: str) -> None:
    for name in names:
        await resident(subscribers, f"{name}@example.org")


async def end(app: FastAPI, states: dict[str, Sent]) -> None:
    """Give the copies of these people these states."""
    async with app.state.house.database.write() as session:
        for name, state in states.items():
            whose = select(col(Subscriber.id)).where(col(Subscriber.email_key) == f"{name}@example.org")
            await session.execute(
                update(DeliveryRow).where(col(DeliveryRow.recipient_id).in_(whose)).values(state=state)
            )


async def plan(broadcasts: BroadcastStore) -> None:
    while await broadcasts.plan_page():
        continue


async def who_has(app: FastAPI, letter_id: UUID) -> dict[str, str]:
    """The state of each recipient's copy of a letter, by the first part of the address."""
    async with app.state.house.database.read() as session:
        rows = await session.execute(
            select(col(Subscriber.email_key), col(DeliveryRow.state))
            .join(DeliveryRow, col(DeliveryRow.recipient_id) == col(Subscriber.id))
            .where(col(DeliveryRow.letter_id) == letter_id)
        )
        return {email.partition("@")[0]: state for email, state in rows}


async def test_an_update_goes_to_all_who_were_to_get_the_first_but_those_whom_mail_does_not_reach(
    app: FastAPI, guidance: GuidanceStore, subscribers: SubscriberStore, broadcasts: BroadcastStore
) -> None:
    await everybody(subscribers, "sent", "unknown", "waiting", "failed", "left")
    revision = await published(guidance)
    await plan(broadcasts)
    await end(app, {"sent": Sent.SENT, "unknown": Sent.UNKNOWN, "failed": Sent.FAILED, "left": Sent.SENT})
    await subscribers.leave((await row_of(app, "left@example.org")).id)
    await everybody(subscribers, "later")

    update_ = await corrected(guidance, revision)
    await plan(broadcasts)

    assert (await who_has(app, revision.letter_id))["waiting"] == Sent.REFUSED
    assert await who_has(app, update_.letter_id) == dict.fromkeys(("sent", "unknown", "waiting"), Sent.WAITING)


async def test_a_withdrawal_goes_only_to_those_who_may_have_got_something(
    app: FastAPI, guidance: GuidanceStore, subscribers: SubscriberStore, broadcasts: BroadcastStore
) -> None:
    await everybody(subscribers, "first", "second", "neither")
    revision = await published(guidance)
    await plan(broadcasts)
    await end(app, {"first": Sent.SENT})
    update_ = await corrected(guidance, revision)
    await plan(broadcasts)
    async with app.state.house.database.write() as session:
        second = select(col(Subscriber.id)).where(col(Subscriber.email_key) == "second@example.org")
        hers = col(DeliveryRow.recipient_id).in_(second) & (col(DeliveryRow.letter_id) == update_.letter_id)
        await session.execute(update(DeliveryRow).where(hers).values(state=Sent.SENT))

    cancel = await corrected(guidance, revision, Kind.CANCEL)
    await plan(broadcasts)

    assert set(await who_has(app, cancel.letter_id)) == {"first", "second"}
    assert (await who_has(app, update_.letter_id))["neither"] == Sent.REFUSED
    assert await guidance.current(cancel.approved_at or revision.created_at) == []


async def test_what_is_on_its_way_during_the_correction_is_never_begun_again(
    app: FastAPI,
    guidance: GuidanceStore,
    subscribers: SubscriberStore,
    broadcasts: BroadcastStore,
    ledger: Ledger,
    clock: FakeClock,
) -> None:
    await everybody(subscribers, "aino")
    revision = await published(guidance)
    await plan(broadcasts)
    [claimed] = await ledger.claim(Lane.BULK, limit=5, now=clock.now())

    update_ = await corrected(guidance, revision)
    clock.move(seconds=1000)
    await ledger.recover(clock.now())
    again = await ledger.claim(Lane.BULK, limit=5, now=clock.now())
    await broadcasts.finish()
    await plan(broadcasts)

    assert claimed.letter_id == revision.letter_id
    assert again == []
    assert await who_has(app, revision.letter_id) == {"aino": Sent.UNKNOWN}
    assert await who_has(app, update_.letter_id) == {"aino": Sent.WAITING}


async def test_whoever_was_not_listed_yet_gets_the_new_text_only(
    app: FastAPI, guidance: GuidanceStore, subscribers: SubscriberStore, broadcasts: BroadcastStore
) -> None:
    size = PAGE + 5
    rows = [
        ImportedSubscriber(f"r{number}@example.org", Audience.RESIDENTS, ("061",), Locale.FI) for number in range(size)
    ]
    await subscribers.import_many(rows)
    revision = await published(guidance)
    await broadcasts.plan_page()

    update_ = await corrected(guidance, revision)
    await plan(broadcasts)

    old, new = await who_has(app, revision.letter_id), await who_has(app, update_.letter_id)
    assert (len(old), set(old.values())) == (size, {Sent.REFUSED})
    assert (len(new), set(new.values())) == (size, {Sent.WAITING})
    async with app.state.house.database.read() as session:
        reasons = select(col(DeliveryRow.reason)).where(col(DeliveryRow.letter_id) == revision.letter_id).distinct()
        assert list((await session.execute(reasons)).scalars()) == [SUPERSEDED]


async def test_the_letter_of_a_correction_says_what_it_is_and_names_the_first(
    app: FastAPI, guidance: GuidanceStore, subscribers: SubscriberStore, broadcasts: BroadcastStore
) -> None:
    await everybody(subscribers, "aino")
    revision = await published(guidance)
    await plan(broadcasts)
    await corrected(guidance, revision)
    await plan(broadcasts)

    first, second = await letters_to(app, (await row_of(app, "aino@example.org")).id)

    assert "first" not in first.letter.shared
    assert second.letter.shared["first"] == str(first.letter.letter_id)
    assert (second.letter.shared["change"], second.letter.shared["note.fi"]) == ("update", "Kello oli väärin.")


async def test_a_test_letter_goes_to_few_addresses_and_never_after_the_release(
    app: FastAPI, guidance: GuidanceStore, subscribers: SubscriberStore, broadcasts: BroadcastStore
) -> None:
    await everybody(subscribers, "aino")
    revision = await submitted(guidance, draft())
    editor = new_id()

    outcomes = [
        await broadcasts.send_trial(revision, by=editor, address=f"own{number}@example.org", locale=Locale.SV)
        for number in (1, 1, 2, 3, 4)
    ]
    wrong = await broadcasts.send_trial(revision, by=editor, address="nobody", locale=Locale.FI)
    await guidance.approve(LIVE, revision.guidance_id, by=new_id(), word="TOSI", edition=1)
    late = await broadcasts.send_trial(
        await present(guidance, revision.guidance_id), by=editor, address="own1@example.org", locale=Locale.FI
    )

    assert outcomes == [Trial.SENT] * 4 + [Trial.TOO_MANY]
    assert (wrong, late) == (Trial.NO_ADDRESS, Trial.RELEASED)
    async with app.state.house.database.read() as session:
        rows = list((await session.execute(select(DeliveryRow))).scalars())
    assert len(rows) == TRIALS
    assert {row.lane for row in rows} == {Lane.URGENT}
