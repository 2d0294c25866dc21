"""Statements as SQLAlchemy compiled them, kept for all tests of a process.

Each test has a database of its own, and so an engine of its own, which would compile the same statements anew. They
are kept by the kind of database that they were compiled for, in place of the one engine.
"""

from typing import Any

from sqlalchemy import Connection, Engine, event


class Compiled(dict[Any, Any]):
    """Compiled statements under SQLAlchemy's keys, of which the first part is the engine's own dialect."""

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get(_of_any_engine(key), default)

    def __setitem__(self, key: Any, compiled: Any) -> None:
        super().__setitem__(_of_any_engine(key), compiled)


def _of_any_engine(key: Any) -> Any:
    dialect, *rest = key
    return type(dialect), *rest


def share_compiled_statements() -> None:
    """From here on, all engines of this process share what is compiled."""
    kept = Compiled()

    @event.listens_for(Engine, "engine_connect")
    def use_kept(connection: Connection) -> None:
        connection.execution_options(compiled_cache=kept)
