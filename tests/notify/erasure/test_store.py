"""Erasing a person: she is gone from every table and from the bytes of the files, and no list brings her back."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from fastapi import FastAPI
from sqlalchemy import func, insert, inspect, select
from sqlmodel import col

from services.notify.bounce.schema import BounceRow
from services.notify.delivery.model import Kind, Lane, Letter, Recipient, State, given_back, sent
from services.notify.delivery.schema import DeliveryRow
from services.notify.delivery.store import Ledger
from services.notify.erasure.model import SETTLED_AFTER
from services.notify.erasure.store import ERASED, Erasure
from services.notify.forgotten.store import ErasedAddress
from services.notify.subscribers.model import Audience, Consent, ImportedSubscriber, Matching, Wishes
from services.notify.subscribers.store import SubscriberStore
from shared.db import Database
from shared.erased import keyed_hash
from shared.events.notify import PersonErased
from shared.i18n import Locale
from shared.ids import new_id
from shared.plumbing import DeadLetter, OutboxRow
from shared.realm import LIVE, Realm
from shared.settings import Settings
from tests.fakes import STORM_EVENING, FakeClock
from tests.notify.conftest import letters_to, row_of

AINO, BERTTA = "aino.gone@example.org", "bertta.stays@example.org"
FORSSA = "061"
RESIDENT = Wishes(frozenset({Audience.RESIDENTS}), frozenset({FORSSA}), Locale.FI)
EXERCISE = Realm("ex-1")


@pytest.fixture
def erasure(app: FastAPI) -> Erasure:
    store: Erasure = app.state.erasure
    return store


@pytest.fixture
def ledger(app: FastAPI) -> Ledger:
    store: Ledger = app.state.ledger
    return store


async def subscribed(app: FastAPI, subscribers: SubscriberStore, email: str) -> UUID:
    await subscribers.ask(email, RESIDENT, consent=Consent("2026-1", "ab" * 32))
    row = await row_of(app, email)
    assert await subscribers.confirm(row.id)
    return row.id


async def written(app: FastAPI, ledger: Ledger, kind: Kind, *recipients: Recipient) -> Letter:
    """A letter to these, which waits."""
    letter = Letter(LIVE, new_id(), kind, Lane.BULK, STORM_EVENING + timedelta(hours=48), {"headline.fi": "Vettä"})
    async with app.state.house.database.write() as session:
        await ledger.add(session, letter, recipients=recipients)
    return letter


def contact(address: str) -> Recipient:
    return Recipient(new_id(), address, "fi", {"association": "Hattulan Martat", "link": "http://127.0.0.1/c/x"})


async def tables_that_hold(database: Database, word: str) -> list[str]:
    """The tables of which some cell holds the word."""
    async with database.engine.connect() as connection:
        names = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
        found = []
        for name in names:
            rows = (await connection.exec_driver_sql(f'SELECT * FROM "{name}"')).all()  # noqa: S608 - names of our own tables
            found += [name] if any(word in str(cell).casefold() for row in rows for cell in row) else []
    return found


def files_that_hold(folder: Path, word: str) -> list[str]:
    """The files below the folder in whose bytes the word stands, in any of the encodings that we write."""
    wanted = [word.encode(), word.encode("utf-16-le")]
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path.name for path in files if any(one in path.read_bytes().lower() for one in wanted)]


async def everywhere(app: FastAPI, subscribers: SubscriberStore, ledger: Ledger) -> UUID:
    """Aino wherever notify may hold her: subscribed, with letters of every ground, enrolled, in a dead letter."""
    aino = await subscribed(app, subscribers, AINO)
    await written(app, ledger, Kind.GUIDANCE, Recipient(aino, AINO, "fi"))
    await written(app, ledger, Kind.CHECKIN, contact(AINO.upper()))
    await ledger.enrol(EXERCISE, [AINO, BERTTA])
    body = json.dumps({"address": AINO, "kind": "no such kind"}).encode()
    dead = {"stream": "LETTERS", "consumer": "notify-letters_bulk", "subject": "letters.live.bulk", "headers": {}}
    async with app.state.house.database.write() as session:
        rows = [{**dead, "sequence": 1, "body": body}, {**dead, "sequence": 2, "body": b"{"}]
        await session.execute(insert(DeadLetter), [{**row, "reason": "x", "buried_at": STORM_EVENING} for row in rows])
        await session.execute(insert(BounceRow), [came_back(7, f"To: {AINO}"), came_back(8, f"To: {BERTTA}")])
    return aino


def came_back(delivery: int, raw: str) -> dict[str, object]:
    """A letter that came back for a delivery of which nothing else is known."""
    when = {"received_at": STORM_EVENING, "claimed_until": STORM_EVENING}
    what = {"raw": raw.encode(), "size": len(raw), "digest": raw.encode(), "state": "waiting", "subject": raw}
    return {"id": new_id(), "realm": str(LIVE), "delivery": delivery, **when, **what}


async def test_a_person_is_gone_from_every_table_and_every_byte(
    app: FastAPI, subscribers: SubscriberStore, ledger: Ledger, erasure: Erasure, settings: Settings
) -> None:
    await everywhere(app, subscribers, ledger)
    await subscribed(app, subscribers, BERTTA)
    database: Database = app.state.house.database
    before = await tables_that_hold(database, "aino.gone")

    erased = await erasure.erase(AINO, by=None)
    await erasure.scrub(ahead=SETTLED_AFTER)

    assert before == ["bounce", "dead_letter", "delivery", "roster", "subscriber"]
    assert (erased.subscribers, erased.letters, erased.rosters, erased.dead_letters) == (1, 3, 1, 1)
    assert erased.returned == 1
    assert await tables_that_hold(database, "aino.gone") == []
    assert files_that_hold(settings.var, "aino.gone") == []
    assert "notify.db" in files_that_hold(settings.var, "bertta.stays")
    assert await erasure.unscrubbed() == 0


async def test_the_other_services_are_told_by_the_keyed_hash_alone(
    app: FastAPI, subscribers: SubscriberStore, erasure: Erasure, settings: Settings
) -> None:
    await subscribed(app, subscribers, AINO)

    await erasure.erase(AINO, by=None)

    async with app.state.house.database.read() as session:
        told = select(col(OutboxRow.body)).where(col(OutboxRow.subject) == "notify.live.person_erased")
        [body] = (await session.execute(told)).scalars()
    assert PersonErased.model_validate_json(body).key == keyed_hash(settings.secret.get_secret_value(), AINO)
    assert b"aino" not in body


async def test_without_the_scrubbing_her_address_would_still_be_in_the_bytes(
    app: FastAPI, subscribers: SubscriberStore, ledger: Ledger, erasure: Erasure, settings: Settings
) -> None:
    await everywhere(app, subscribers, ledger)

    await erasure.erase(AINO, by=None)

    assert files_that_hold(settings.var, "aino.gone") != []
    assert await erasure.unscrubbed() == 1


async def test_no_list_brings_her_back_and_she_herself_can(
    app: FastAPI, subscribers: SubscriberStore, erasure: Erasure
) -> None:
    await subscribed(app, subscribers, AINO)
    await erasure.erase(AINO, by=None)
    listed = [ImportedSubscriber(spelled, Audience.MEMBERS, (), Locale.FI) for spelled in (AINO, f" {AINO.upper()}")]

    imported = await subscribers.import_many(listed)
    everybody = Matching(frozenset(Audience), frozenset())
    reached = (await subscribers.reach(everybody)).total

    assert (imported.new, reached) == (0, 0)
    await subscribed(app, subscribers, AINO)
    assert (await subscribers.reach(everybody)).total == 1
    async with app.state.house.database.read() as session:
        assert (await session.execute(select(func.count()).select_from(ErasedAddress))).scalar_one() == 0


async def test_a_list_does_not_confirm_what_an_erased_person_only_asked_for(
    app: FastAPI, subscribers: SubscriberStore, erasure: Erasure
) -> None:
    await erasure.erase(AINO, by=None)
    await subscribers.ask(AINO, RESIDENT, consent=Consent("2026-1", "ab" * 32))

    await subscribers.import_many([ImportedSubscriber(AINO, Audience.MEMBERS, (), Locale.FI)])

    assert (await row_of(app, AINO)).state == "pending"


async def test_whoever_erases_herself_is_still_reached_as_a_contact(
    app: FastAPI, subscribers: SubscriberStore, ledger: Ledger, erasure: Erasure
) -> None:
    aino = await everywhere(app, subscribers, ledger)

    erased, again = await erasure.erase_subscriber(aino), await erasure.erase_subscriber(aino)

    assert (erased.subscribers, erased.letters, erased.rosters, erased.dead_letters) == (1, 2, 0, 0)
    assert not again.anything
    states = {copy.letter.kind: (copy.delivery.state, copy.delivery.reason) for copy in await letters_to(app, aino)}
    assert states == {Kind.CONFIRM: (State.REFUSED, ERASED), Kind.GUIDANCE: (State.REFUSED, ERASED)}
    async with app.state.house.database.read() as session:
        waits = select(col(DeliveryRow.address)).where(col(DeliveryRow.state) == State.WAITING)
        assert (await session.execute(waits)).scalars().all() == [AINO.upper()]


async def test_what_is_on_its_way_is_emptied_and_cannot_be_sent_again(
    app: FastAPI, subscribers: SubscriberStore, ledger: Ledger, erasure: Erasure, clock: FakeClock
) -> None:
    aino = await subscribed(app, subscribers, AINO)
    letter = await written(app, ledger, Kind.GUIDANCE, Recipient(aino, AINO, "fi"), contact(BERTTA))
    hers, other = await ledger.claim(Lane.BULK, limit=10, now=clock.now())

    erased = await erasure.erase(AINO, by=None)
    await ledger.settle([given_back(hers, letter, at=clock.now()), sent(other, letter, at=clock.now())])

    assert erased.on_their_way == 1
    assert await tables_that_hold(app.state.house.database, "aino.gone") == []
    [again] = await ledger.claim(Lane.BULK, limit=10, now=clock.now())
    assert again.recipient == replace(hers.recipient, address="")


async def test_a_letter_that_was_planned_at_that_moment_is_ended_by_the_scrubbing(
    app: FastAPI, subscribers: SubscriberStore, ledger: Ledger, erasure: Erasure, clock: FakeClock
) -> None:
    aino = await subscribed(app, subscribers, AINO)
    await erasure.erase(AINO, by=None)
    await written(app, ledger, Kind.GUIDANCE, Recipient(aino, AINO, "fi"))

    at_once = await erasure.scrub()
    still_open = await erasure.unscrubbed()
    clock.move(seconds=31)
    await erasure.scrub()

    assert (at_once, still_open, await erasure.unscrubbed()) == (False, 1, 0)
    assert await tables_that_hold(app.state.house.database, "aino.gone") == []


async def test_what_is_held_of_a_person_is_told_and_then_nothing(
    app: FastAPI, subscribers: SubscriberStore, ledger: Ledger, erasure: Erasure
) -> None:
    await everywhere(app, subscribers, ledger)

    held = await erasure.held(AINO.title())
    await erasure.erase(AINO, by=None)
    after = await erasure.held(AINO)

    assert (held.state, held.basis, held.consent_version) == ("confirmed", "consent", "2026-1")
    assert held.follows == ((Audience.RESIDENTS, FORSSA),)
    assert sorted(letter.kind for letter in held.letters) == [Kind.CHECKIN, Kind.CONFIRM, Kind.GUIDANCE]
    assert held.rosters == (EXERCISE.id,)
    assert "Hattulan" not in json.dumps(held.told(), default=str)
    assert (after.known, after.erased_before) == (False, True)


async def test_what_is_logged_names_nobody(
    app: FastAPI, subscribers: SubscriberStore, erasure: Erasure, capsys: pytest.CaptureFixture[str]
) -> None:
    await subscribed(app, subscribers, AINO)

    await erasure.erase(AINO, by=None)

    said = capsys.readouterr().out
    assert "a person was erased" in said
    assert "aino" not in said.casefold()
