"""How long what is kept: the texts of letters thirty days, an address without confirmation two."""

from datetime import timedelta

import pytest
from fastapi import FastAPI

from services.notify.delivery.model import Kind, Lane, Letter, Recipient, sent
from services.notify.delivery.schema import LetterRow
from services.notify.delivery.store import Ledger
from services.notify.retention.jobs import RetentionJobs
from services.notify.retention.store import RetentionStore
from services.notify.subscribers.model import Audience, Consent, Wishes
from services.notify.subscribers.store import SubscriberStore
from shared.i18n import Locale
from shared.ids import new_id
from shared.realm import LIVE
from tests.fakes import STORM_EVENING, FakeClock

ENDS = STORM_EVENING + timedelta(hours=48)
TEXT = {"headline.fi": "Keittäkää vesi"}


@pytest.fixture
def retention(app: FastAPI) -> RetentionStore:
    store: RetentionStore = app.state.retention
    return store


async def letter_to(app: FastAPI, address: str) -> Letter:
    ledger: Ledger = app.state.ledger
    letter = Letter(LIVE, new_id(), Kind.GUIDANCE, Lane.BULK, ENDS, TEXT)
    async with app.state.house.database.write() as session:
        await ledger.add(session, letter, recipients=[Recipient(new_id(), address, "fi")])
    return letter


async def text_of(app: FastAPI, letter: Letter) -> dict[str, str]:
    async with app.state.house.database.read() as session:
        row: LetterRow = await session.get(LetterRow, (letter.realm.id, letter.letter_id))
        return row.shared


async def test_the_text_of_a_letter_goes_thirty_days_after_its_end(
    app: FastAPI, retention: RetentionStore, clock: FakeClock
) -> None:
    letter, ledger = await letter_to(app, "aino@example.org"), app.state.ledger
    [claimed] = await ledger.claim(Lane.BULK, limit=1, now=clock.now())
    await ledger.settle([sent(claimed, letter, at=clock.now())])
    jobs = RetentionJobs(retention)

    clock.move(days=32, seconds=-1)
    await jobs.empty_letters()
    before, kept = await text_of(app, letter), (await retention.report())["letters"]
    clock.move(hours=2)
    late = (await retention.report())["letters"]
    more = await jobs.empty_letters()

    gone = (await retention.report())["letters"]
    assert (before, kept.present, kept.due) == (TEXT, 1, 0)
    assert late.due == 1
    assert await text_of(app, letter) == {}
    assert (more, gone.present, gone.due, gone.removed, gone.removed_at) == (False, 0, 0, 1, clock.now())
    assert (await ledger.counts(LIVE, letter.letter_id)).sent == 1


async def test_a_letter_of_which_something_is_still_open_keeps_its_text(
    app: FastAPI, retention: RetentionStore, clock: FakeClock
) -> None:
    letter = await letter_to(app, "aino@example.org")

    clock.move(days=60)
    await retention.empty_letters()

    assert await text_of(app, letter) == TEXT
    assert (await retention.report())["letters"].due == 0


async def test_many_letters_are_emptied_in_batches(
    app: FastAPI, retention: RetentionStore, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.notify.retention.store.BATCH", 2)
    ledger: Ledger = app.state.ledger
    letters = [await letter_to(app, f"person-{number}@example.org") for number in range(3)]
    claimed = await ledger.claim(Lane.BULK, limit=9, now=clock.now())
    by_id = {letter.letter_id: letter for letter in letters}
    await ledger.settle([sent(one, by_id[one.letter_id], at=clock.now()) for one in claimed])
    clock.move(days=33)

    assert [await retention.empty_letters(), await retention.empty_letters()] == [True, False]
    assert (await retention.report())["letters"].removed == 3


async def test_an_address_that_is_not_confirmed_is_told_until_it_is_forgotten(
    subscribers: SubscriberStore, retention: RetentionStore, clock: FakeClock
) -> None:
    wishes = Wishes(frozenset({Audience.RESIDENTS}), frozenset(), Locale.FI)
    await subscribers.ask("aino@example.org", wishes, consent=Consent("2026-1", "ab" * 32))

    clock.move(hours=50)
    late = (await retention.report())["unconfirmed"]
    await subscribers.forget_unconfirmed()

    after = (await retention.report())["unconfirmed"]
    assert (late.kept_hours, late.present, late.due) == (48, 1, 1)
    assert (after.present, after.due) == (0, 0)
