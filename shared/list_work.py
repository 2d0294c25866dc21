"""List work: uploaded lists are tried out and taken in, BATCH rows at a time, by whichever process comes first."""

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from types import MappingProxyType
from typing import BinaryIO, Generic, TypeVar
from uuid import UUID

from shared.db import passing
from shared.i18n import N_
from shared.list_report import Bad, ImportReport, Tally, UnfitFileError, UploadState
from shared.log import logger
from shared.records import Vocabulary
from shared.sheet_file import as_csv, look_over
from shared.uploads import LostClaimError, Task, Uploads

log = logger(__name__)

BATCH = 500
BROKE_OFF = N_("The reading broke off. What was imported before is kept: choose the file again, and it goes on.")

Row = TypeVar("Row")


class ListWork(ABC, Generic[Row]):
    """Reads the lists of one kind. What a row is, and what taking it means, says the service."""

    def __init__(self, uploads: Uploads, vocabulary: Vocabulary) -> None:
        self.uploads = uploads
        self.vocabulary = vocabulary
        self._ended = asyncio.Event()

    @abstractmethod
    def _rows(self, file: BinaryIO, task: Task) -> Iterator[Row | Bad]:
        """The rows of the file, one at a time."""

    @abstractmethod
    async def _try(self, task: Task, batch: Sequence[Row | Bad], tally: Tally) -> ImportReport:
        """Count what these rows would do, and write down how far that leads."""

    @abstractmethod
    async def _take(self, task: Task, batch: Sequence[Row | Bad], tally: Tally) -> ImportReport:
        """Take these rows in, and write down how far that leads, in one transaction."""

    async def receive(
        self,
        body: BinaryIO,
        *,
        file_name: str,
        person_id: UUID | None,
        sheet: str = "",
        about: Mapping[str, str] = MappingProxyType({}),
    ) -> str:
        """Keep a file, CSV or a sheet of a workbook (the first, if none is named), to be worked on; its random name.

        Raises UnfitFileError for one that is too large, of another kind, or without a row below its heading.
        """
        with TemporaryDirectory() as folder:
            table = await as_csv(body, Path(folder), sheet=sheet)
            with table.open("rb") as file:
                glance = await asyncio.to_thread(look_over, file, self.vocabulary)
                return await self.uploads.keep(file, glance, file_name=file_name, person_id=person_id, about=about)

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
            log.warning("another process has taken the list over")
        except asyncio.CancelledError:
            await self.uploads.release(task)
            raise
        except Exception as error:
            if passing(error):
                await self.uploads.release(task)
                raise
            log.exception("a list could not be read")
            await self.uploads.finish(task, task.report, refusal=BROKE_OFF)
        ended, self._ended = self._ended, asyncio.Event()
        ended.set()
        return True

    async def forget(self) -> bool:
        """Forget the lists that were brought more than a day ago; there is no more to do after it."""
        await self.uploads.forget()
        return False

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
        rows = islice(self._rows(file, task), report.rows, None)
        async for batch in batches(rows):
            report = await (self._try(task, batch, tally) if tries else self._take(task, batch, tally))
        await self.uploads.finish(task, report)


def bad_rows(decisions: Iterable[object]) -> list[Bad]:
    """Those that cannot be taken."""
    return [decision for decision in decisions if isinstance(decision, Bad)]


async def batches(rows: Iterable[Row]) -> AsyncIterator[list[Row]]:
    """BATCH rows at a time, read in a thread, so that whoever else is served need not wait."""
    iterator: Iterator[Row] = iter(rows)
    while batch := await asyncio.to_thread(lambda: list(islice(iterator, BATCH))):
        yield batch
