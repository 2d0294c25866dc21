"""Register file store: lists are read into the register in batches; files wait here to be imported."""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, LargeBinary, delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import load_only
from sqlmodel import Field, col

from services.intake.audit.model import Act, Deed
from services.intake.audit.store import record
from services.intake.register_file.model import (
    Bad,
    Changed,
    ImportReport,
    Known,
    Listed,
    New,
    RowError,
    Same,
    Tally,
    compare,
)
from services.intake.registry.model import ContactState, Entry, Person, name_key
from services.intake.registry.store import Association, Contact, tell
from services.intake.schema import IntakeTable
from shared.clock import Clock
from shared.db import Database, UtcDateTime
from shared.i18n import N_
from shared.ids import new_id, new_token
from shared.realm import LIVE

BATCH = 500
UPLOAD_KEPT = timedelta(days=1)

Decision = New | Changed | Same | Bad


class Upload(IntakeTable, table=True):
    """A register file between its dry run and its import, under a random name; a day later it is forgotten."""

    __tablename__ = "upload"

    id: str = Field(primary_key=True)
    person_id: UUID
    state: str
    body: bytes = Field(sa_type=LargeBinary)
    report: dict[str, Any] = Field(sa_type=JSON)
    uploaded_at: datetime = Field(sa_type=UtcDateTime, index=True)


class RegisterFileStore:
    """Lists of associations on their way into the register."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def preview(self, rows: Iterable[Listed | Bad]) -> ImportReport:
        """What importing these rows would do. Writes nothing."""
        tally = Tally()
        for batch in _batches(rows):
            async with self._database.read() as session:
                for decision in await _plan(session, batch):
                    tally.add(decision)
        return tally.report()

    async def import_rows(self, rows: Iterable[Listed | Bad], *, by: UUID | None = None) -> AsyncIterator[ImportReport]:
        """Take the good rows, BATCH in a transaction; yields the counts so far after each.

        Each association that is new or changed is announced with its row. Importing the same again changes nothing
        and says nothing. Bad rows are counted and passed over: whoever must not do so previews first.
        """
        tally = Tally()
        yield tally.report()
        for batch in _batches(rows):
            async with self._database.write() as session:
                plan = await _plan(session, batch)
                await self._apply(session, plan, by=by)
            for decision in plan:
                tally.add(decision)
            yield tally.report()

    async def _apply(self, session: AsyncSession, plan: Sequence[Decision], *, by: UUID | None) -> None:
        new = [decision for decision in plan if isinstance(decision, New)]
        changed = [decision for decision in plan if isinstance(decision, Changed)]
        if not new and not changed:
            return
        now = self._clock.now()
        told = [*await _insert_new(session, new), *await _update_changed(session, changed)]
        await tell(session, told, now)
        details: dict[str, str | int] = {"new": len(new), "changed": len(changed)}
        await record(session, Deed(now, Act.REGISTRY_IMPORTED, by, "registry", details))

    async def keep_upload(self, body: bytes, report: ImportReport, *, person_id: UUID) -> str:
        """Keep a file and the report of its dry run; its random name."""
        name = new_token()
        values = {
            "id": name,
            "person_id": person_id,
            "state": "waiting",
            "body": body,
            "report": report.model_dump(mode="json"),
            "uploaded_at": self._clock.now(),
        }
        async with self._database.write() as session:
            await session.execute(insert(Upload), values)
        return name

    async def upload(self, name: str, *, person_id: UUID) -> tuple[str, ImportReport] | None:
        """The state (`waiting`, `running`, `done`) and report of this person's file; None if there is none."""
        light = load_only(Upload.id, Upload.state, Upload.report)  # type: ignore[arg-type]  # SQLModel's columns
        mine = select(Upload).options(light).where(col(Upload.id) == name, col(Upload.person_id) == person_id)
        async with self._database.read() as session:
            row = (await session.execute(mine)).scalar_one_or_none()
        return (row.state, ImportReport.model_validate(row.report)) if row else None

    async def claim_upload(self, name: str, *, person_id: UUID) -> bytes | None:
        """The file, for the one caller who imports it; None for anybody else, or when somebody does already."""
        waiting = (
            update(Upload)
            .where(col(Upload.id) == name, col(Upload.person_id) == person_id, col(Upload.state) == "waiting")
            .values(state="running")
            .returning(col(Upload.body))
        )
        async with self._database.write() as session:
            return (await session.execute(waiting)).scalar_one_or_none()

    async def finish_upload(self, name: str, report: ImportReport) -> None:
        """The file is imported: forget it, and keep what came of it."""
        done = update(Upload).where(col(Upload.id) == name)
        async with self._database.write() as session:
            await session.execute(done.values(state="done", body=b"", report=report.model_dump(mode="json")))

    async def release_upload(self, name: str) -> None:
        """The import broke off: it can be started again."""
        async with self._database.write() as session:
            await session.execute(update(Upload).where(col(Upload.id) == name).values(state="waiting"))

    async def forget_uploads(self) -> None:
        """Forget the files that were uploaded more than a day ago."""
        old = self._clock.now() - UPLOAD_KEPT
        async with self._database.write() as session:
            await session.execute(delete(Upload).where(col(Upload.uploaded_at) < old))


def _batches(rows: Iterable[Listed | Bad]) -> Iterable[list[Listed | Bad]]:
    iterator = iter(rows)
    while batch := list(islice(iterator, BATCH)):
        yield batch


async def _plan(session: AsyncSession, batch: Sequence[Listed | Bad]) -> list[Decision]:
    """What each row would do, by one look at the register."""
    listed = [row for row in batch if isinstance(row, Listed)]
    known = await _known(session, listed)
    by_number = {one.entry.register_number: one for one in known}
    by_name = {(name_key(one.entry.name), one.entry.municipality): one.entry.register_number for one in known}
    return [row if isinstance(row, Bad) else _decide(row, by_number, by_name) for row in batch]


def _decide(row: Listed, by_number: dict[str, Known], by_name: dict[tuple[str, str], str]) -> Decision:
    namesake = by_name.get((name_key(row.name), row.municipality), row.register_number)
    if namesake == row.register_number:
        return compare(by_number.get(row.register_number), row)
    message = N_("An association of this name in this municipality is in the register as number %(number)s.")
    error = RowError(row=row.row, column="Nimi", message=message, values={"number": namesake})
    return Bad(row.row, (error,))


async def _known(session: AsyncSession, rows: Sequence[Listed]) -> list[Known]:
    meant = or_(
        col(Association.register_number).in_([row.register_number for row in rows]),
        col(Association.name_key).in_([name_key(row.name) for row in rows]),
    )
    first = (col(Contact.association_id) == col(Association.id)) & (col(Contact.position) == 1)
    statement = select(Association, Contact).outerjoin(Contact, first).where(col(Association.realm) == LIVE.id, meant)
    return [_known_of(association, contact) for association, contact in await session.execute(statement)]


def _known_of(row: Association, contact: Contact | None) -> Known:
    return Known(
        association_id=row.id,
        version=row.version,
        entry=Entry(row.register_number, row.name, row.municipality, row.sector, row.language),
        retired=row.retired,
        contact_id=contact.id if contact else None,
        contact=Person(contact.name, contact.email, contact.phone, contact.language) if contact else None,
    )


async def _insert_new(session: AsyncSession, new: Sequence[New]) -> list[UUID]:
    """Add the associations and their contacts; those to tell of."""
    values = [_association_values(new_id(), decision.entry, version=1) for decision in new]
    if values:
        await session.execute(insert(Association), values)
    pairs = zip(values, new, strict=True)
    contacts = [_contact_values(row["id"], decision.contact) for row, decision in pairs if decision.contact]
    if contacts:
        await session.execute(insert(Contact), contacts)
    return [row["id"] for row in values]


async def _update_changed(session: AsyncSession, changed: Sequence[Changed]) -> list[UUID]:
    """Change the associations and contacts that differ; those to tell of."""
    told = [
        _association_values(
            one.present.association_id, one.entry, version=one.present.version + 1, retired=one.present.retired
        )
        for one in sorted(changed, key=lambda one: one.present.association_id)
        if one.told
    ]
    if told:
        await session.execute(update(Association), told)
    with_contact = [one for one in changed if one.contact]
    added = [
        _contact_values(one.present.association_id, one.contact) for one in with_contact if not one.present.contact
    ]
    if added:
        await session.execute(insert(Contact), added)
    for one in with_contact:
        if one.present.contact_id:
            await session.execute(
                update(Contact).where(col(Contact.id) == one.present.contact_id).values(**_contact_change(one))
            )
    return [row["id"] for row in told]


def _association_values(association_id: UUID, entry: Entry, *, version: int, retired: bool = False) -> dict[str, Any]:
    own = {"id": association_id, "realm": LIVE.id, "name_key": name_key(entry.name)}
    return {**asdict(entry), **own, "version": version, "retired": retired}


def _contact_values(association_id: UUID, contact: Person | None) -> dict[str, Any]:
    own = {"id": new_id(), "association_id": association_id, "position": 1, "state": ContactState.UNCONFIRMED.value}
    return {**asdict(contact or Person()), **own}


def _contact_change(one: Changed) -> dict[str, Any]:
    """A new address was never confirmed, whatever was known of the old one."""
    before, after = one.present.contact or Person(), one.contact or Person()
    fresh = {"state": ContactState.UNCONFIRMED.value, "confirmed_at": None} if after.email != before.email else {}
    return {**asdict(after), **fresh}
