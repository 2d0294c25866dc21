"""Migrations: a service's tables are brought to their newest form when it starts (Alembic), once however many start."""

import asyncio
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint, Connection, Inspector, MetaData, Table, inspect, text

from shared.db import Database

LOCK = 0x56414C4D
"""The advisory lock that replicas of a service take on PostgreSQL while one of them migrates."""

_TURNS: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()
"""`alembic.op` is one for the whole process: services that share a process migrate one after the other."""


async def migrate(database: Database, folder: Path) -> list[str]:
    """Apply what is missing from `folder/versions`, all of it in one transaction; the revisions that were applied.

    Any number of processes may do this at once: one works, the others wait for it and find nothing left to do.
    """
    async with _TURNS.setdefault(asyncio.get_running_loop(), asyncio.Lock()), database.engine.begin() as connection:
        return await connection.run_sync(_upgrade, folder)


async def missing(database: Database, folder: Path) -> list[str]:
    """The revisions in `folder/versions` that the database has not seen, oldest first. Changes nothing."""

    def compare(connection: Connection) -> list[str]:
        heads = MigrationContext.configure(connection).get_current_heads()
        return [step.revision.revision for step in _steps(_scripts(folder), heads)]

    async with database.engine.execution_options(reads=True).connect() as connection:
        return await connection.run_sync(compare)


async def differences(database: Database, metadata: Sequence[MetaData]) -> list[Any]:
    """Where the migrated tables and the classes disagree, empty when they agree: what Alembic compares, and the
    primary keys and the names of checks, which it does not."""
    whole = together(metadata)

    def compare(connection: Connection) -> list[Any]:
        found = compare_metadata(MigrationContext.configure(connection), whole)
        return [*found, *_uncompared(inspect(connection), whole)]

    async with database.engine.begin() as connection:
        return await connection.run_sync(compare)


def together(parts: Iterable[MetaData]) -> MetaData:
    """All tables of these parts in one MetaData."""
    whole = MetaData()
    for part in parts:
        for table in part.tables.values():
            table.to_metadata(whole)
    return whole


def _upgrade(connection: Connection, folder: Path) -> list[str]:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
    scripts = _scripts(folder)
    applied: list[str] = []

    def steps(heads: Any, _context: MigrationContext) -> list[Any]:
        found = _steps(scripts, heads)
        applied.extend(step.revision.revision for step in found)
        return found

    context = MigrationContext.configure(connection, opts={"fn": steps, "script": scripts})
    with Operations.context(context):
        context.run_migrations()
    return applied


def _scripts(folder: Path) -> ScriptDirectory:
    return _read(folder, tuple(sorted(path.name for path in (folder / "versions").glob("*.py"))))


@lru_cache(maxsize=10)
def _read(folder: Path, _versions: tuple[str, ...]) -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    return ScriptDirectory.from_config(config)


def _steps(scripts: ScriptDirectory, heads: Any) -> list[Any]:
    return list(scripts._upgrade_revs("head", heads))  # noqa: SLF001 - what `alembic upgrade` itself calls


def _uncompared(present: Inspector, wanted: MetaData) -> list[Any]:
    known = set(present.get_table_names())
    return [
        (what, table.name, ours, theirs)
        for table in wanted.tables.values()
        if table.name in known
        for what, ours, theirs in (
            ("primary key", _key(table), present.get_pk_constraint(table.name)["constrained_columns"]),
            ("checks", _checks(table), sorted(str(one["name"]) for one in present.get_check_constraints(table.name))),
        )
        if ours != theirs
    ]


def _key(table: Table) -> list[str]:
    return [column.name for column in table.primary_key.columns]


def _checks(table: Table) -> list[str]:
    return sorted(str(one.name) for one in table.constraints if isinstance(one, CheckConstraint))
