"""Register file store: lists are read into the register in batches, and written from it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Any, BinaryIO
from uuid import UUID

from sqlalchemy import Select, select
from sqlmodel import col

from services.intake.audit.model import Act, Deed
from services.intake.audit.store import record
from services.intake.register_file.batch import apply, holdings, network_codes, plan
from services.intake.register_file.cells import examples_of
from services.intake.register_file.model import (
    Bad,
    Decision,
    Holding,
    ImportReport,
    Listed,
    Tally,
    UnfitFileError,
    UploadState,
)
from services.intake.register_file.sheet_file import as_csv, look_over
from services.intake.register_file.table_file import read_table
from services.intake.register_file.uploads import LostClaimError, Task, Uploads
from services.intake.registry.model import Wanted
from services.intake.registry.store import Association, matching
from shared.clock import Clock
from shared.db import Database, passing
from shared.i18n import N_
from shared.log import logger

log = logger(__name__)

BATCH = 500
BROKE_OFF = N_("The reading broke off. What was imported before is kept: choose the file again, and it goes on.")


class RegisterFileStore:
    """Lists of associations on their way into the register and out of it."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self.uploads = Uploads(database, clock=clock)
        self._database = database
        self._clock = clock
        self._ended = asyncio.Event()

    async def preview(self, rows: Iterable[Listed | Bad]) -> ImportReport:
        """What importing these rows would do. Writes nothing."""
        tally = Tally()
        async for batch in _batches(rows):
            for decision in await self._look(batch):
                tally.add(decision, examples_of(decision))
        return tally.report()

    async def import_rows(self, rows: Iterable[Listed | Bad], *, by: UUID | None = None) -> AsyncIterator[ImportReport]:
        """Take the good rows, BATCH in a transaction; yields the counts so far after each.

        Each association that is new or changed is announced with its row. Importing the same again changes nothing
        and says nothing. Bad rows are counted and passed over: whoever must not do so previews first.
        """
        tally = Tally()
        yield tally.report()
        async for batch in _batches(rows):
            async with self._database.write() as session:
                decisions = await plan(session, batch, networks=await network_codes(session), locked=True)
                await apply(session, decisions, by=by, now=self._clock.now())
            for decision in decisions:
                tally.add(decision)
            yield tally.report()

    async def receive(self, body: BinaryIO, *, file_name: str, person_id: UUID | None, sheet: str = "") -> str:
        """Keep a file, CSV or a sheet of a workbook (the first, if none is named), to be worked on; its random name.

        Raises UnfitFileError for one that is too large, of another kind, or without a row below its heading.
        """
        with TemporaryDirectory() as folder:
            table = await as_csv(body, Path(folder), sheet=sheet)
            with table.open("rb") as file:
                glance = await asyncio.to_thread(look_over, file)
                return await self.uploads.keep(file, glance, file_name=file_name, person_id=person_id)

    async def work(self) -> bool:
        """Try out or import the uploaded file that has waited longest; False if there is none.

        An import goes on where it ended: a batch and how far it leads are written together.
        """
        task = await self.uploads.claim()
        if task is None:
            return False
        try:
            with TemporaryFile() as file:
                await self.uploads.fetch(task, file)
                await self._read(task, file)
        except UnfitFileError as error:
            await self.uploads.finish(task, task.report, refusal=error.message)
        except LostClaimError:
            log.warning("another process has taken the register file over")
        except asyncio.CancelledError:
            await self.uploads.release(task)
            raise
        except Exception as error:
            if passing(error):
                await self.uploads.release(task)
                raise
            log.exception("a register file could not be read")
            await self.uploads.finish(task, task.report, refusal=BROKE_OFF)
        ended, self._ended = self._ended, asyncio.Event()
        ended.set()
        return True

    async def settled(self, name: str, *, within: float) -> None:
        """Return when the file is read no more, at the latest after so many seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                ended = self._ended
                while await self.uploads.busy(name):
                    await ended.wait()
                    ended = self._ended

    async def _read(self, task: Task, file: BinaryIO) -> None:
        tries, report = task.state is UploadState.TRYING, task.report
        tally = Tally.after(report)
        rows = islice(read_table(file, task.columns), report.rows, None)
        async for batch in _batches(rows):
            report = await (self._try(task, batch, tally) if tries else self._take(task, batch, tally))
        await self.uploads.finish(task, report)

    async def _try(self, task: Task, batch: Sequence[Listed | Bad], tally: Tally) -> ImportReport:
        decisions = await self._look(batch)
        for decision in decisions:
            tally.add(decision, examples_of(decision))
        async with self._database.write() as session:
            await self.uploads.advance(session, task, tally.report(), _bad(decisions))
        return tally.report()

    async def _take(self, task: Task, batch: Sequence[Listed | Bad], tally: Tally) -> ImportReport:
        async with self._database.write() as session:
            decisions = await plan(session, batch, networks=await network_codes(session), locked=True)
            await apply(session, decisions, by=task.person_id, now=self._clock.now())
            for decision in decisions:
                tally.add(decision, examples_of(decision))
            await self.uploads.advance(session, task, tally.report(), _bad(decisions))
        return tally.report()

    async def _look(self, batch: Sequence[Listed | Bad]) -> list[Decision]:
        async with self._database.read() as session:
            return await plan(session, batch, networks=await network_codes(session))

    async def export(self, wanted: Wanted, *, by: UUID | None, form: str) -> "Export":
        """What the register holds of the associations looked for, by name.

        Written to the audit here, with their number. Associations that live on in another are left out. `by` None is
        the operator.
        """
        async with self._database.write() as session:
            ids = list((await session.execute(_visible(wanted))).scalars())
            details: dict[str, str | int] = {"rows": len(ids), "form": form}
            await record(session, Deed(self._clock.now(), Act.REGISTRY_EXPORTED, by, "registry", details))
        return Export(self._database, ids)


class Export:
    """Associations to be written to a file; calling it gives them, BATCH at a time."""

    def __init__(self, database: Database, ids: Sequence[UUID]) -> None:
        self.count = len(ids)
        self._database = database
        self._ids = ids

    async def __call__(self) -> AsyncIterator[list[Holding]]:
        """What is held of each, as it now is, in order."""
        for at in range(0, self.count, BATCH):
            page = self._ids[at : at + BATCH]
            async with self._database.read() as session:
                found = {one.association_id: one for one in await holdings(session, col(Association.id).in_(page))}
            yield [found[each].holding for each in page if each in found]


def _visible(wanted: Wanted) -> Select[Any]:
    ids = select(col(Association.id)).where(matching(wanted), col(Association.merged_into).is_(None))
    return ids.order_by(col(Association.name_key), col(Association.id))


def _bad(decisions: Iterable[Decision]) -> list[Bad]:
    return [decision for decision in decisions if isinstance(decision, Bad)]


async def _batches(rows: Iterable[Listed | Bad]) -> AsyncIterator[list[Listed | Bad]]:
    """BATCH rows at a time, read in a thread, so that whoever else is served need not wait."""
    iterator: Iterator[Listed | Bad] = iter(rows)
    while batch := await asyncio.to_thread(lambda: list(islice(iterator, BATCH))):
        yield batch
