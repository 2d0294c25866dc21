"""Dump: every row of a database, so that before and after can be held equal."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, MetaData, select

from shared.db import Database

Dump = dict[str, Sequence[tuple[Any, ...]]]


async def dump(database: Database) -> Dump:
    """All rows of all tables, by the table's name."""
    async with database.read() as session:
        connection = await session.connection()
        return await connection.run_sync(_dump)


def _dump(connection: Connection) -> Dump:
    tables = MetaData()
    tables.reflect(connection)
    return {
        name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
        for name, table in sorted(tables.tables.items())
    }
