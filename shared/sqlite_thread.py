"""SQLite thread: a thread of its own in which whole transactions run, so that each costs one hop between threads.

The asynchronous driver hops several times for every statement; for the many small transactions of a group commit, and
for the readings of an open picture, that is most of their cost, and each hop waits behind a crowd's requests. The
thread holds one connection, and what it does releases the interpreter while the disk is waited for.
"""

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, make_url

T = TypeVar("T")


class SqliteThread:
    """Runs plain synchronous work, one transaction at a time. Those that write hold the database's lock."""

    def __init__(self, url: str, *, prepare: Callable[[Engine], None], name: str, reads: bool, **options: Any) -> None:
        plain = make_url(url).set(drivername="sqlite+pysqlite")
        engine = create_engine(plain, pool_size=1, max_overflow=0, **options)
        prepare(engine)
        self._engine = engine.execution_options(reads=reads)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)

    async def transaction(self, work: Callable[[Connection], T]) -> T:
        """Commit what `work` does and return what it returns; undo it and raise what it raises.

        A caller that is cancelled meanwhile learns of it only when the transaction has ended: nothing goes on behind
        the back of whoever holds the lock.
        """
        done = asyncio.get_running_loop().run_in_executor(self._thread, contextvars.copy_context().run, self._run, work)
        try:
            return await asyncio.shield(done)
        except asyncio.CancelledError:
            await asyncio.wait([done])
            raise

    async def close(self) -> None:
        """Close the connection in its own thread, and end the thread."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._engine.dispose)
        self._thread.shutdown(wait=False)

    def _run(self, work: Callable[[Connection], T]) -> T:
        with self._engine.begin() as connection:
            return work(connection)
