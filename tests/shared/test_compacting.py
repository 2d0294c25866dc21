"""Deleted, and out of SQLite's files: noted with the deletion, and done until it is done."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text

from shared.db import Database


async def note(database: Database, *, undone: bool = False) -> None:
    """Delete the one word that there is, and note that it must leave the files."""
    with contextlib.suppress(UndoneError):
        async with database.write() as session:
            await session.execute(text("DELETE FROM word"))
            await database.out_of_the_bytes(session)
            if undone:
                raise UndoneError


class UndoneError(Exception):
    """The transaction is to be undone."""


@pytest.fixture
async def words(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite+aiosqlite:///{tmp_path}/words.db")
    async with database.write() as session:
        await session.execute(text("CREATE TABLE word (text)"))
        await session.execute(text("INSERT INTO word VALUES ('a word that nobody else says')"))
    yield database
    await database.close()


def said(folder: Path) -> bool:
    return any(b"nobody else says" in path.read_bytes() for path in folder.iterdir() if path.is_file())


async def test_what_is_noted_leaves_the_files(words: Database, tmp_path: Path) -> None:
    await words.compact_if_noted()
    await note(words)
    assert said(tmp_path)

    await words.compact_if_noted()

    assert not said(tmp_path)


async def test_what_was_not_deleted_after_all_is_not_noted(words: Database, tmp_path: Path) -> None:
    await note(words, undone=True)
    called = False

    async def compact() -> bool:
        nonlocal called
        called = True
        return True

    words.compact = compact  # type: ignore[method-assign]
    await words.compact_if_noted()

    assert (called, said(tmp_path)) == (False, True)


async def test_a_note_stays_while_somebody_reads_what_was(words: Database, tmp_path: Path) -> None:
    async with words.read() as session:
        assert (await session.execute(text("SELECT count(*) FROM word"))).scalar_one() == 1
        await note(words)
        await words.compact_if_noted()
        assert said(tmp_path)

    await words.compact_if_noted()

    assert not said(tmp_path)
