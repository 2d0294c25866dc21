"""Migrations on SQLite and PostgreSQL: from nothing to today's tables, once, whoever else starts at the same time."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from alembic.util.exc import CommandError
from sqlalchemy import CheckConstraint, Column, Integer, MetaData, String, Table, inspect
from sqlalchemy.exc import DBAPIError

from services.composition import SERVICES, Service
from shared.db import Database
from shared.house import House
from shared.migrate import differences, migrate, missing, together
from shared.plumbing import Plumbing
from shared.settings import Settings

pytestmark = pytest.mark.connected

ROOT = Path(__file__).parents[2]
RACER = """
import asyncio, sys
from pathlib import Path
from shared.db import Database
from shared.migrate import migrate

async def run() -> None:
    database = Database(sys.argv[1])
    print(*await migrate(database, Path(sys.argv[2])))
    await database.close()

print("ready", flush=True)
sys.stdin.readline()
asyncio.run(run())
"""
"""One of two processes that begin to migrate when they are told."""


@pytest.fixture
async def database(each_database: str) -> AsyncIterator[Database]:
    opened = Database(each_database)
    yield opened
    await opened.close()


def house_of(service: Service, settings: Settings) -> House:
    house: House = service.make_app(settings).state.house
    return house


async def tables(database: Database) -> set[str]:
    async with database.engine.connect() as connection:
        return set(await connection.run_sync(lambda sync: inspect(sync).get_table_names()))


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
async def test_a_service_migrates_from_nothing_to_the_tables_of_its_classes(
    service: Service, database: Database, settings: Settings
) -> None:
    house = house_of(service, settings)

    before = await missing(database, house.migrations)
    applied = await migrate(database, house.migrations)

    assert applied == before
    assert applied
    assert await differences(database, [Plumbing.metadata, house.tables]) == []
    assert await missing(database, house.migrations) == []
    assert await migrate(database, house.migrations) == []


@pytest.mark.slow
async def test_services_that_share_a_process_migrate_one_after_the_other(settings: Settings) -> None:
    houses = [house_of(service, settings) for service in SERVICES]

    applied = await asyncio.gather(*(migrate(house.database, house.migrations) for house in houses))

    assert all(applied)
    for house in houses:
        assert await differences(house.database, [Plumbing.metadata, house.tables]) == []
        await house.database.close()


@pytest.mark.slow
def test_of_processes_that_start_at_once_one_migrates_and_all_succeed(each_database: str, settings: Settings) -> None:
    folder = house_of(SERVICES[0], settings).migrations
    racers = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", RACER, each_database, str(folder)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"

    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("\n")
        racer.stdin.flush()
    said = [racer.communicate(timeout=60) for racer in racers]

    assert [error for _, error in said] == ["", ""]
    assert [racer.returncode for racer in racers] == [0, 0]
    revisions = sorted(file.name[:4] for file in (ROOT / "services/intake/migrations/versions").glob("*.py"))
    assert sorted(output.split() for output, _ in said) == [[], revisions]


@dataclass(frozen=True)
class Folder:
    """Migrations written by a test."""

    path: Path

    def add(self, number: int, upgrade: str) -> None:
        versions = self.path / "versions"
        versions.mkdir(exist_ok=True)
        before = repr(f"{number - 1:04}") if number > 1 else None
        (versions / f"{number:04}_test.py").write_text(
            "import sqlalchemy as sa\nfrom alembic import op\n\n"
            f"revision = '{number:04}'\ndown_revision = {before}\n\n\ndef upgrade() -> None:\n    {upgrade}\n"
        )


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path / "migrations")
    made.path.mkdir()
    made.add(1, "op.create_table('note', sa.Column('id', sa.Integer, primary_key=True))")
    return made


async def test_only_what_is_missing_is_applied(database: Database, folder: Folder) -> None:
    await migrate(database, folder.path)
    folder.add(2, "op.add_column('note', sa.Column('text', sa.String))")
    folder.add(3, "op.create_table('page', sa.Column('id', sa.Integer, primary_key=True))")

    assert await missing(database, folder.path) == ["0002", "0003"]
    assert await migrate(database, folder.path) == ["0002", "0003"]
    assert {"note", "page"} < await tables(database)


async def test_a_migration_that_fails_leaves_everything_as_it_was(database: Database, folder: Folder) -> None:
    folder.add(2, "op.create_table('note', sa.Column('id', sa.Integer, primary_key=True))")

    with pytest.raises(DBAPIError):
        await migrate(database, folder.path)

    assert await tables(database) == set()
    assert await missing(database, folder.path) == ["0001", "0002"]


async def test_older_code_refuses_a_newer_database(database: Database, folder: Folder) -> None:
    folder.add(2, "op.add_column('note', sa.Column('text', sa.String))")
    await migrate(database, folder.path)
    (folder.path / "versions" / "0002_test.py").unlink()

    with pytest.raises(CommandError, match="0002"):
        await migrate(database, folder.path)


def note(*columns: Column[int] | Column[str] | CheckConstraint) -> MetaData:
    metadata = MetaData()
    Table("note", metadata, *columns)
    return metadata


@pytest.mark.parametrize(
    "changed",
    [
        note(Column("id", Integer, primary_key=True), Column("text", String)),
        note(Column("id", Integer, primary_key=True), CheckConstraint("id > 0", name="positive")),
        note(Column("id", Integer, primary_key=True), Column("text", String, primary_key=True)),
    ],
    ids=["a column", "a check", "a longer key"],
)
async def test_a_table_that_changed_without_a_migration_is_noticed(
    database: Database, folder: Folder, changed: MetaData
) -> None:
    await migrate(database, folder.path)

    assert await differences(database, [together([changed])]) != []
    assert await differences(database, [note(Column("id", Integer, primary_key=True))]) == []
