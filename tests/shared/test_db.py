"""Database and group commit: many callers, one transaction, each its own answer."""

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import JSON, Connection, insert, literal, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel, col

from shared.db import Database, UtcDateTime, passing
from shared.settings import Settings


class Table(SQLModel, registry=registry()):
    """Tables of this test."""


class Note(Table, table=True):
    """A note with a moment."""

    id: int = Field(primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime)


NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
async def database(each_database: str) -> AsyncIterator[Database]:
    opened = Database(each_database)
    await opened.create_tables(Table.metadata)
    yield opened
    await opened.close()


def write_notes(connection: Connection, notes: Sequence[int]) -> list[int]:
    connection.execute(insert(Note), [{"id": note, "at": NOON} for note in notes])
    return [note * 10 for note in notes]


async def stored(database: Database) -> list[int]:
    async with database.read() as session:
        return list((await session.execute(select(col(Note.id)).order_by(col(Note.id)))).scalars())


async def test_a_crowd_shares_transactions_and_each_gets_its_own_outcome(database: Database) -> None:
    commits = 0

    def count() -> None:
        nonlocal commits
        commits += 1

    database.after_commit(count)
    group = database.group(write_notes)

    outcomes = await asyncio.gather(*(group(note) for note in range(1, 101)))

    assert outcomes == [note * 10 for note in range(1, 101)]
    assert commits < 10


async def test_who_wakes_after_a_commit_sleeps_on_when_it_was_written_quietly(database: Database) -> None:
    woken: list[int] = []
    database.after_commit(lambda: woken.append(len(woken)))

    await database.write_many(write_notes, [1], quietly=True)
    assert (await stored(database), woken) == ([1], [])

    await database.write_many(write_notes, [2])
    assert (await stored(database), woken) == ([1, 2], [0])


async def test_after_a_crowd_those_who_come_one_by_one_share_a_transaction_too(database: Database) -> None:
    commits = 0

    def count() -> None:
        nonlocal commits
        commits += 1

    database.after_commit(count)
    group = database.group(write_notes, pace=0.05)
    await asyncio.gather(group(1), group(2))

    later = []
    for note in (3, 4, 5):
        later.append(asyncio.create_task(group(note)))
        for _ in range(10):
            await asyncio.sleep(0)

    assert await asyncio.gather(*later) == [30, 40, 50]
    assert commits == 2


async def test_one_bad_row_is_told_to_its_caller_alone(database: Database) -> None:
    async with database.write() as session:
        session.add(Note(id=13, at=NOON))
    group = database.group(write_notes)

    outcomes = await asyncio.gather(*(group(note) for note in range(1, 51)), return_exceptions=True)

    refused = [note for note, outcome in zip(range(1, 51), outcomes, strict=True) if isinstance(outcome, Exception)]
    assert refused == [13]
    assert isinstance(outcomes[12], IntegrityError)
    assert await stored(database) == list(range(1, 51))


async def test_a_write_that_raises_leaves_nothing(database: Database) -> None:
    async def half_way() -> None:
        async with database.write() as session:
            session.add(Note(id=1, at=NOON))
            await session.flush()
            raise RuntimeError("on second thought")

    with pytest.raises(RuntimeError, match="on second thought"):
        await half_way()

    assert await stored(database) == []


async def test_moments_come_back_in_utc_whatever_zone_they_were_written_in(database: Database) -> None:
    async with database.write() as session:
        session.add(Note(id=1, at=NOON.astimezone(timezone(timedelta(hours=2)))))

    async with database.read() as session:
        note = await session.get(Note, 1)
    assert note is not None
    assert note.at == NOON
    assert note.at.tzinfo is UTC


def test_a_naive_moment_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        UtcDateTime().process_bind_param(datetime(2026, 11, 21), None)  # type: ignore[arg-type]  # noqa: DTZ001


async def test_sqlite_is_durable_and_lets_readers_read(settings: Settings) -> None:
    database = Database(settings.database_of("notes"))
    async with database.engine.connect() as connection:
        pragmas = [
            (await connection.execute(text(f"PRAGMA {name}"))).scalar() for name in ("journal_mode", "synchronous")
        ]
    await database.close()

    assert pragmas == ["wal", 2]


async def test_any_text_comes_back_from_json_as_it_was(settings: Settings) -> None:
    said = {"whole": "Hämeenlinna 🌊", "half": "\ud800", "none": None, "number": 1.5, "list": ["a", 2]}
    database = Database(settings.database_of("notes"))
    async with database.engine.connect() as connection:
        back = (await connection.execute(select(literal(said, JSON)))).scalar()
    writing = await database.write_many(
        lambda plain, texts: [plain.execute(select(literal(each, JSON))).scalar() for each in texts], [said]
    )
    await database.close()

    assert [back, *writing] == [said, said]


async def test_a_mistake_in_sql_is_not_taken_for_a_passing_fault(database: Database) -> None:
    with pytest.raises(DBAPIError) as raised:
        async with database.read() as session:
            await session.execute(text("SELECT nothing FROM nowhere"))

    assert not passing(raised.value)
    assert passing(TimeoutError())


async def test_who_is_cancelled_while_writing_leaves_no_half_and_no_lock(settings: Settings) -> None:
    database = Database(settings.database_of("notes"))
    await database.create_tables(Table.metadata)
    began, go_on = threading.Event(), threading.Event()

    def slowly(connection: Connection, notes: Sequence[int]) -> list[int]:
        began.set()
        go_on.wait(10)
        return write_notes(connection, notes)

    caller = asyncio.create_task(database.write_many(slowly, [1]))
    await asyncio.to_thread(began.wait, 10)
    caller.cancel()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await caller

    await database.write_many(write_notes, [2])

    kept = await stored(database)
    await database.close()
    assert kept == [1, 2]


async def test_a_look_sees_one_state_while_others_write(database: Database, each_database: str) -> None:
    await database.write_many(write_notes, [1])

    async def write_elsewhere() -> None:
        other = Database(each_database)
        await other.write_many(write_notes, [2])
        await other.close()

    def look(connection: Connection) -> list[int]:
        seen = list(connection.execute(select(col(Note.id))).scalars())
        somebody = threading.Thread(target=asyncio.run, args=(write_elsewhere(),))
        somebody.start()
        somebody.join()
        return seen + list(connection.execute(select(col(Note.id))).scalars())

    assert await database.look(look) == [1, 1]
    assert await stored(database) == [1, 2]
