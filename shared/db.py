"""Database: one engine for SQLite and PostgreSQL, durable when it says so, and the group commit."""

import asyncio
import json
import sqlite3
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar, cast

from pydantic_core import from_json, to_json
from sqlalchemy import Connection, DateTime, Dialect, Engine, MetaData, event, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.types import TypeDecorator

from shared.log import logger
from shared.sqlite_thread import SqliteThread

log = logger(__name__)

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")

PASSING_SQLITE = frozenset({5, 6, 8, 10, 13, 14})
"""SQLITE_BUSY, LOCKED, READONLY, IOERR, FULL, CANTOPEN: the statement was right, the moment was not."""

SQLITE_PRAGMAS = """
PRAGMA journal_mode=WAL;
PRAGMA synchronous=FULL;
PRAGMA busy_timeout=5000;
PRAGMA foreign_keys=ON;
PRAGMA wal_autocheckpoint=4000;
"""

_MARKS = "PRAGMA user_version"
"""How many deletions are noted that the files still remember; a number that SQLite keeps for its user."""

PASSING_POSTGRES = ("08", "40", "53", "57")
"""Connection, rollback (deadlock), resources, intervention: the classes of SQLSTATE that pass."""


UNFIT_POSTGRES = ("22", "23")
"""Data exception, integrity violation."""


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment, kept as UTC on every database. A naive one is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone cannot be stored")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's name
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


def passing(error: BaseException) -> bool:
    """True for a fault of the moment (try again), False for one of the statement (never will work)."""
    if not isinstance(error, DBAPIError):
        return isinstance(error, OSError | TimeoutError | PoolTimeoutError)
    if error.connection_invalidated:
        return True
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is None:
        code = getattr(error.orig.__cause__, "sqlite_errorcode", None) if error.orig else None
    if code is not None:
        return code & 0xFF in PASSING_SQLITE
    return _sqlstate(error).startswith(PASSING_POSTGRES)


def unfit(error: BaseException) -> bool:
    """True for values that the database will never take: they break a constraint, or are none of the column's type.

    (PostgreSQL's data faults come as a plain DBAPIError; those that asyncpg finds itself have no SQLSTATE.)
    """
    if not isinstance(error, DBAPIError):
        return False
    found_by_driver = error.orig is not None and isinstance(error.orig.__cause__, ValueError)
    of_the_values = isinstance(error, DataError | IntegrityError) or _sqlstate(error).startswith(UNFIT_POSTGRES)
    return of_the_values or found_by_driver


def _sqlstate(error: DBAPIError) -> str:
    return str(getattr(error.orig, "sqlstate", None) or "")


def insert_into(dialect: str, table: type[Any]) -> sqlite.Insert:
    """An INSERT that knows ON CONFLICT, for the dialect at hand (`connection.dialect.name`).

    PostgreSQL's has the same methods; it is given under SQLite's type so that callers need only one.
    """
    if dialect == "postgresql":
        return cast("sqlite.Insert", postgresql.insert(table))
    return sqlite.insert(table)


class Database:
    """One service's database. Reads run side by side; writes of this process wait for one another on SQLite."""

    def __init__(self, url: str) -> None:
        self.engine: AsyncEngine = create_async_engine(url, **_engine_options(url))
        self._reads = self.engine.execution_options(reads=True)
        if self.dialect == "postgresql":  # its default shows each statement a state of its own
            self._reads = self._reads.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        self._lock: asyncio.Lock | None = None
        self._writer: SqliteThread | None = None
        self._reader: SqliteThread | None = None
        self._after_commit: list[Callable[[], None]] = []
        if self.dialect == "sqlite":
            self._lock = asyncio.Lock()
            _as_we_use_sqlite(self.engine.sync_engine)
            as_ours = {"prepare": _as_we_use_sqlite, **_engine_options(url)}
            self._writer = SqliteThread(url, name="sqlite writer", reads=False, **as_ours)
            self._reader = SqliteThread(url, name="sqlite reader", reads=True, **as_ours)

    @property
    def dialect(self) -> str:
        """`sqlite` or `postgresql`."""
        return self.engine.dialect.name

    def after_commit(self, call: Callable[[], None]) -> None:
        """Have `call` called after every committed write that is of interest to it: it must only wake somebody."""
        self._after_commit.append(call)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """A session that reads one consistent state and is never written through."""
        async with AsyncSession(self._reads, expire_on_commit=False, autoflush=False) as session:
            yield session

    async def look(self, read: Callable[[Connection], Outcome]) -> Outcome:
        """What the plain synchronous `read` returns of one consistent state: for short readings that are done often,
        since they wait for one another on SQLite."""
        if self._reader is not None:
            return await self._reader.transaction(read)
        async with self._reads.connect() as connection:
            return await connection.run_sync(read)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """One transaction: committed when the block ends, undone when it raises."""
        async with AsyncExitStack() as stack:
            if self._lock is not None:
                await stack.enter_async_context(self._lock)
            session = await stack.enter_async_context(
                AsyncSession(self.engine, expire_on_commit=False, autoflush=False)
            )
            async with session.begin():
                yield session
        self._committed()

    async def write_many(
        self,
        write: Callable[[Connection, Sequence[Item]], Sequence[Outcome]],
        items: Sequence[Item],
        *,
        quietly: bool = False,
    ) -> Sequence[Outcome]:
        """One transaction in which the plain synchronous `write` puts all items; its outcomes, in order.

        What is written `quietly` is of no interest to those who wake after a commit: no event, and no page's figures.
        """
        async with AsyncExitStack() as stack:
            if self._lock is not None:
                await stack.enter_async_context(self._lock)
            if self._writer is not None:
                outcomes = await self._writer.transaction(lambda connection: write(connection, items))
            else:
                connection = await stack.enter_async_context(self.engine.begin())
                outcomes = await connection.run_sync(write, items)
        if not quietly:
            self._committed()
        return outcomes

    def group(
        self, write: Callable[[Connection, Sequence[Item]], Sequence[Outcome]], *, max_batch: int = 500, pace: float = 0
    ) -> "GroupCommit[Item, Outcome]":
        """A group commit through this database."""
        return GroupCommit(self, write, max_batch=max_batch, pace=pace)

    async def create_tables(self, *metadata: MetaData) -> None:
        """Make the tables that are missing, straight from their classes (tests; installations migrate)."""
        async with self.engine.begin() as connection:
            for part in metadata:
                await connection.run_sync(part.create_all)

    async def ping(self) -> None:
        """Return if the database answers; raise its error if not."""
        async with self._reads.connect() as connection:
            await connection.exec_driver_sql("SELECT 1")

    async def out_of_the_bytes(self, session: AsyncSession) -> None:
        """Note, in the transaction that deletes it, that something must leave the files too, as `compact` has it.

        The note is a number in the head of SQLite's own file, so it is there if and only if the deletion is.
        """
        if self._lock is not None:
            marks = (await session.execute(text(_MARKS))).scalar_one()
            await session.execute(text(f"{_MARKS} = {marks + 1}"))

    async def compact_if_noted(self) -> bool:
        """Do what is noted; False, so that a job comes back at its own time and not at once."""
        if self._lock is not None:
            async with self.read() as session:
                noted = (await session.execute(text(_MARKS))).scalar_one()
            if noted and not await self.compact():
                log.warning("the database is busy; what was deleted is cleaned out of its files later")
        return False

    async def compact(self) -> bool:
        """Have nothing in the files of the database that was deleted from it; False if that must be tried again.

        SQLite writes its whole file anew, which others wait for, and empties its log. PostgreSQL is left to its own
        vacuuming: what was deleted is out of every reader's reach at once, and out of the files when it comes by.
        """
        if self._lock is None:
            return True
        async with self._lock, self.engine.connect() as connection:
            driver: Any = (await connection.get_raw_connection()).driver_connection
            try:
                [[marks]] = await driver.execute_fetchall(_MARKS)
                await driver.execute("VACUUM")
                [[busy, *_]] = await driver.execute_fetchall("PRAGMA wal_checkpoint(TRUNCATE)")
                if marks and not busy:
                    await _unmark(driver, marks)
            except sqlite3.OperationalError:
                return False
        return not busy

    async def close(self) -> None:
        """Give all connections back."""
        for thread in (self._writer, self._reader):
            if thread is not None:
                await thread.close()
        await self.engine.dispose()

    def _committed(self) -> None:
        for call in self._after_commit:
            call()


class GroupCommit(Generic[Item, Outcome]):
    """Many waiting callers, one transaction, each its own outcome.

    A group is what came while the last one was committed, so a lone caller waits for nobody and a crowd shares the
    cost. Where the cost is that of the group rather than of its items, `pace` has a crowd wait so many seconds more
    after each group, for the next to be a larger one. A row that the database refuses is found by halving, and only
    its caller is told.
    `write` must bear the same key twice in one group. A caller that gave up may still have its row committed.
    """

    def __init__(
        self,
        database: Database,
        write: Callable[[Connection, Sequence[Item]], Sequence[Outcome]],
        *,
        max_batch: int,
        pace: float,
    ) -> None:
        self._database = database
        self._write = write
        self._max_batch = max_batch
        self._pace = pace
        self._waiting: deque[tuple[Item, asyncio.Future[Outcome]]] = deque()
        self._task: asyncio.Task[None] | None = None

    async def __call__(self, item: Item) -> Outcome:
        """Put the item into the next transaction; return its outcome once that is committed."""
        waits: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, waits))
        if self._task is None:
            self._task = asyncio.create_task(self._drain())
        return await waits

    async def close(self) -> None:
        """Return when everything that waits is committed or refused."""
        if self._task is not None:
            await self._task

    async def _drain(self) -> None:
        try:
            await asyncio.sleep(0)  # callers of this same tick join
            while self._waiting:
                size = min(len(self._waiting), self._max_batch)
                await self._commit([self._waiting.popleft() for _ in range(size)])
                if self._pace and 1 < size < self._max_batch:
                    await asyncio.sleep(self._pace)
        finally:
            self._task = None

    async def _commit(self, group: Sequence[tuple[Item, "asyncio.Future[Outcome]"]]) -> None:
        group = [(item, waits) for item, waits in group if not waits.done()]
        if not group:
            return
        try:
            outcomes = await self._database.write_many(self._write, [item for item, _ in group])
        except Exception as error:
            if len(group) > 1 and not passing(error):
                half = len(group) // 2
                await self._commit(group[:half])
                await self._commit(group[half:])
                return
            for _, waits in group:
                if not waits.done():
                    waits.set_exception(error)
        else:
            for (_, waits), outcome in zip(group, outcomes, strict=True):
                if not waits.done():
                    waits.set_result(outcome)


async def _unmark(driver: Any, marks: int) -> None:
    """Take the note away, unless another process has noted more meanwhile."""
    await driver.execute("BEGIN IMMEDIATE")
    if await driver.execute_fetchall(_MARKS) == [(marks,)]:
        await driver.execute(f"{_MARKS} = 0")
    await driver.execute("COMMIT")


def _engine_options(url: str) -> dict[str, Any]:
    options = {
        "hide_parameters": True,  # an error's text must not carry addresses and free text into the log
        "json_serializer": _as_json,
        "json_deserializer": _of_json,
    }
    if url.startswith("postgresql"):
        return {**options, "pool_pre_ping": True, "pool_size": 5, "max_overflow": 10}
    return options


def _as_json(value: Any) -> str:
    """Pydantic's writer and reader take a part of the time of the standard library's, which is left what they refuse:
    half a character, as the name of a file or a hostile header may hold."""
    try:
        return to_json(value).decode()
    except ValueError:
        return json.dumps(value)


def _of_json(written: str) -> Any:
    try:
        return from_json(written)
    except ValueError:
        return json.loads(written)


def _as_we_use_sqlite(engine: Engine) -> None:
    engine.dialect.use_insertmanyvalues_wo_returning = True  # each row as its own step gives the interpreter away
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    """WAL, and on disk before a commit returns: with synchronous=NORMAL a power cut loses commits."""
    connection.isolation_level = None
    in_its_thread = getattr(connection, "run_async", None)  # the asynchronous driver's: there, each call is a hop
    if in_its_thread is None:
        connection.executescript(SQLITE_PRAGMAS)
    else:
        in_its_thread(lambda driver: driver.executescript(SQLITE_PRAGMAS))


def _begin_sqlite(connection: Connection) -> None:
    """Writers take the lock at once, so that no transaction fails half way; readers never take it."""
    reads = connection.get_execution_options().get("reads", False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
