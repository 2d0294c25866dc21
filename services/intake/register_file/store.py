"""Register file store: lists are read into the register in batches, and written from it."""

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from typing import Any, BinaryIO
from uuid import UUID

from sqlalchemy import Select, select
from sqlmodel import col

from services.intake.audit.model import Act
from services.intake.audit.store import record
from services.intake.register_file.batch import apply, holdings, network_codes, plan
from services.intake.register_file.cells import examples_of
from services.intake.register_file.columns import VOCABULARY
from services.intake.register_file.model import Decision, Holding, Listed
from services.intake.register_file.schema import UPLOADS
from services.intake.register_file.table_file import read_table
from services.intake.registry.model import Wanted
from services.intake.registry.store import Association, matching
from shared.audit import Deed
from shared.clock import Clock
from shared.db import Database
from shared.list_report import Bad, ImportReport, Tally
from shared.list_work import BATCH, ListWork, bad_rows, batches
from shared.uploads import Task, Uploads


class RegisterFileStore(ListWork[Listed]):
    """Lists of associations on their way into the register and out of it."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        super().__init__(Uploads(database, clock=clock, tables=UPLOADS), VOCABULARY)
        self._database = database
        self._clock = clock

    async def preview(self, rows: Iterable[Listed | Bad]) -> ImportReport:
        """What importing these rows would do. Writes nothing."""
        tally = Tally()
        async for batch in batches(rows):
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
        async for batch in batches(rows):
            async with self._database.write() as session:
                decisions = await plan(session, batch, networks=await network_codes(session), locked=True)
                await apply(session, decisions, by=by, now=self._clock.now())
            for decision in decisions:
                tally.add(decision)
            yield tally.report()

    def _rows(self, file: BinaryIO, task: Task) -> Iterator[Listed | Bad]:
        return read_table(file, task.columns)

    async def _try(self, task: Task, batch: Sequence[Listed | Bad], tally: Tally) -> ImportReport:
        decisions = await self._look(batch)
        for decision in decisions:
            tally.add(decision, examples_of(decision))
        async with self._database.write() as session:
            await self.uploads.advance(session, task, tally.report(), bad_rows(decisions))
        return tally.report()

    async def _take(self, task: Task, batch: Sequence[Listed | Bad], tally: Tally) -> ImportReport:
        async with self._database.write() as session:
            decisions = await plan(session, batch, networks=await network_codes(session), locked=True)
            await apply(session, decisions, by=task.person_id, now=self._clock.now())
            for decision in decisions:
                tally.add(decision, examples_of(decision))
            await self.uploads.advance(session, task, tally.report(), bad_rows(decisions))
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
