"""Migrations: a service's tables are brought to their newest form when it starts (Alembic), once however many start."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, text

from shared.db import Database

LOCK = 0x56414C4D
"""The advisory lock that replicas of a service take on PostgreSQL while one of them migrates."""


async def migrate(database: Database, folder: Path) -> list[str]:
    """Apply what is missing from `folder/versions`, in one transaction; the revisions that were applied."""
    async with database.engine.begin() as connection:
        return await connection.run_sync(_upgrade, folder)


async def differences(database: Database, metadata: Sequence[MetaData]) -> list[Any]:
    """Where the migrated tables and the classes disagree, as Alembic tells it; empty when they agree."""
    whole = together(metadata)

    def compare(connection: Connection) -> list[Any]:
        return list(compare_metadata(MigrationContext.configure(connection), whole))

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
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    scripts = ScriptDirectory.from_config(config)
    applied: list[str] = []

    def steps(heads: Any, _context: MigrationContext) -> list[Any]:
        found = list(scripts._upgrade_revs("head", heads))  # noqa: SLF001 - what `alembic upgrade` itself calls
        applied.extend(step.revision.revision for step in found)
        return found

    with EnvironmentContext(config, scripts, fn=steps) as environment:
        environment.configure(connection=connection)
        with environment.begin_transaction():
            environment.run_migrations()
    return applied
