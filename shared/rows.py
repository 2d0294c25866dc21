"""Rows: many of them in one step of SQLite.

Python's driver gives the interpreter away at each row that it reads or writes, and gets it back when the loop's thread
lets go of it. Under a crowd's answers that, and not the work, is what a transaction of three hundred rows waits for. So
rows go in and out as one JSON array, which SQLite packs and unpacks without the interpreter. PostgreSQL, whose driver
knows no such steps, gets the plain statements.

Columns of bytes, which JSON has none of, and of fractions, which SQLite writes to fifteen digits, are refused.
"""

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic_core import from_json, to_json
from sqlalchemy import (
    ColumnElement,
    Connection,
    Dialect,
    Float,
    LargeBinary,
    Numeric,
    Select,
    Table,
    bindparam,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.types import TypeEngine

from shared.db import insert_into

Converter = Callable[[Any], Any]
Rest = Callable[[sqlite.Insert], sqlite.Insert]
"""What an INSERT goes on with, such as its ON CONFLICT."""

NUL = rb"\u0000"
"""Where SQLite ends a text that it takes out of JSON."""


class RowReader:
    """All rows of a statement, as named tuples. Make it once: what it asks is then written out only once.

    Raises TypeError for columns that do not fit, as a writer does.
    """

    def __init__(self, statement: Select[Any]) -> None:
        columns = statement.subquery().c
        self._plain = statement
        self._packed = select(func.json_group_array(func.json_array(*columns)))
        self._types = [_fit(column) for column in columns]
        self._row = _named(columns.keys())
        self._converters: Sequence[Converter | None] | None = None

    def __call__(self, connection: Connection, **parameters: Any) -> list[Any]:
        """The rows for these values of the statement's parameters."""
        if connection.dialect.name != "sqlite":
            return [self._row(*row) for row in connection.execute(self._plain, parameters)]
        if self._converters is None:
            self._converters = [_reads(kind, connection.dialect) for kind in self._types]
        packed = from_json(connection.execute(self._packed, parameters).scalar_one())
        ways = self._converters
        return [
            self._row(*[value if of is None else of(value) for of, value in zip(ways, row, strict=True)])
            for row in packed
        ]


class RowWriter:
    """Inserts rows with these columns (none named: all), and what else the INSERT says. Make it once, like a reader."""

    def __init__(self, table: type[Any], columns: Sequence[str] = (), rest: Rest = lambda statement: statement) -> None:
        here: Table = table.__table__
        columns = columns or here.c.keys()
        each = func.json_each(bindparam("rows")).table_valued("value")
        values = [func.json_extract(each.c.value, f"$[{number}]") for number in range(len(columns))]
        given = select(*values).where(
            literal_column("true")
        )  # without a WHERE, SQLite reads ON CONFLICT as a join's ON
        self._plain = {dialect: rest(insert_into(dialect, table)) for dialect in ("sqlite", "postgresql")}
        self._packed = rest(insert_into("sqlite", table).from_select(columns, given, include_defaults=False))
        self._types = {name: _fit(here.c[name]) for name in columns}
        self._converters: dict[str, Converter | None] | None = None

    def __call__(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert these; each has a value for every column."""
        if not rows:
            return
        packed = self._pack(connection, rows) if connection.dialect.name == "sqlite" else None
        if packed is None:
            connection.execute(self._plain[connection.dialect.name], list(rows))
        else:
            connection.execute(self._packed, {"rows": packed.decode()})

    def _pack(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> bytes | None:
        """The rows as JSON; None where a text would come out of it changed, or is none."""
        if self._converters is None:
            self._converters = {name: _writes(kind, connection.dialect) for name, kind in self._types.items()}
        ways = self._converters.items()
        try:
            packed = to_json([[row[name] if of is None else of(row[name]) for name, of in ways] for row in rows])
        except ValueError:  # half a character
            return None
        return None if NUL in packed else packed


def _fit(column: ColumnElement[Any]) -> TypeEngine[Any]:
    if isinstance(column.type, LargeBinary | Numeric | Float):
        raise TypeError(f"{column} does not go through JSON unchanged")
    return column.type


def _named(fields: Sequence[str]) -> Any:
    make: Any = namedtuple  # the checker wants the fields written here
    return make("Row", fields, rename=True)


def _reads(kind: TypeEngine[Any], dialect: Dialect) -> Converter | None:
    return kind.dialect_impl(dialect).result_processor(dialect, None)


def _writes(kind: TypeEngine[Any], dialect: Dialect) -> Converter | None:
    return kind.dialect_impl(dialect).bind_processor(dialect)
