"""Schema: the registry to which all tables of this service belong."""

from sqlalchemy import ColumnElement, Dialect, String, TypeDecorator, type_coerce
from sqlalchemy.orm import registry
from sqlmodel import SQLModel


class StatusTable(SQLModel, registry=registry()):
    """A table of the service `status`. None of them may ever hold personal data."""


class Codes(TypeDecorator[tuple[str, ...]]):
    """A set of codes as text, in order and with a space around each (` first-aid transport `): it can be compared,
    grouped by, copied from table to table, and searched for one code, on every database alike."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: tuple[str, ...] | None, dialect: Dialect) -> str:  # noqa: ARG002 - SQLAlchemy's name
        """The codes as they are kept."""
        return f" {' '.join(sorted(set(value)))} " if value else ""

    def process_result_value(self, value: str | None, dialect: Dialect) -> tuple[str, ...]:  # noqa: ARG002 - SQLAlchemy's name
        """The codes again."""
        return tuple((value or "").split())


def has_code(column: ColumnElement[tuple[str, ...]], code: str) -> ColumnElement[bool]:
    """The condition that a column of Codes holds this one."""
    return type_coerce(column, String).contains(f" {code} ", autoescape=True)
