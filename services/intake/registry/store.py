"""Registry store: associations, their contacts, and files that wait to be imported."""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Index, LargeBinary, Select, UniqueConstraint, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import load_only
from sqlmodel import Field, col

from services.intake.audit.model import Act, Deed
from services.intake.audit.store import record
from services.intake.registry.model import (
    Bad,
    Changed,
    ContactState,
    Entry,
    ImportReport,
    Known,
    Listed,
    New,
    Person,
    RowError,
    Same,
    Tally,
    compare,
    name_key,
)
from services.intake.schema import IntakeTable
from shared.clock import Clock
from shared.db import Database, UtcDateTime
from shared.events.intake import AssociationChanged
from shared.i18n import N_
from shared.ids import new_id, new_token
from shared.outbox import announce
from shared.realm import LIVE, Realm

BATCH = 500
PAGE = 50
UPLOAD_KEPT = timedelta(days=1)

Decision = New | Changed | Same | Bad


class Association(IntakeTable, table=True):
    """An association of the register. `version` grows with every change that others are told of."""

    __tablename__ = "association"
    __table_args__ = (
        UniqueConstraint("realm", "register_number"),
        Index("association_name", "realm", "name_key"),
        Index("association_place", "realm", "municipality", "sector"),
    )

    id: UUID = Field(primary_key=True)
    realm: str
    register_number: str
    name: str
    name_key: str
    municipality: str
    sector: str
    language: str
    retired: bool = False
    version: int


class Contact(IntakeTable, table=True):
    """A person who answers for an association; `position` 1 is asked first."""

    __tablename__ = "contact"
    __table_args__ = (UniqueConstraint("association_id", "position"),)

    id: UUID = Field(primary_key=True)
    association_id: UUID
    position: int
    name: str
    email: str | None = None
    phone: str
    language: str
    confirmed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    state: str


class Upload(IntakeTable, table=True):
    """A register file between its dry run and its import, under a random name; a day later it is forgotten."""

    __tablename__ = "upload"

    id: str = Field(primary_key=True)
    person_id: UUID
    state: str
    body: bytes = Field(sa_type=LargeBinary)
    report: dict[str, Any] = Field(sa_type=JSON)
    uploaded_at: datetime = Field(sa_type=UtcDateTime, index=True)


@dataclass(frozen=True)
class Wanted:
    """Which associations are looked for; `within` are the municipalities that may be seen, empty means all."""

    text: str = ""
    municipality: str = ""
    sector: str = ""
    within: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Found:
    """One page of what was looked for, and how many there are in all."""

    associations: Sequence[Association]
    count: int


class RegistryStore:
    """The register of associations."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def find(self, wanted: Wanted, *, page: int = 1) -> Found:
        """One page of the associations looked for, by name; `page` counts from 1, PAGE to a page."""
        async with self._database.read() as session:
            count = await session.scalar(_matching(select(func.count()).select_from(Association), wanted))
            ordered = _matching(select(Association), wanted).order_by(col(Association.name_key), col(Association.id))
            rows = await session.execute(ordered.offset((page - 1) * PAGE).limit(PAGE))
            return Found(list(rows.scalars()), count or 0)

    async def get(self, association_id: UUID) -> tuple[Association, Sequence[Contact]] | None:
        """The association and its contacts in the order in which they are asked; None if there is none."""
        of_it = select(Contact).where(col(Contact.association_id) == association_id).order_by(col(Contact.position))
        async with self._database.read() as session:
            association = await session.get(Association, association_id)
            contacts = list((await session.execute(of_it)).scalars())
        return (association, contacts) if association else None

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
        await announce(session, [_association_changed(values, now) for values in told])
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


def _matching(statement: Select[Any], wanted: Wanted) -> Select[Any]:
    statement = statement.where(col(Association.realm) == LIVE.id)
    if wanted.text:
        statement = statement.where(col(Association.name_key).contains(name_key(wanted.text), autoescape=True))
    if wanted.municipality:
        statement = statement.where(col(Association.municipality) == wanted.municipality)
    if wanted.sector:
        statement = statement.where(col(Association.sector) == wanted.sector)
    if wanted.within:
        statement = statement.where(col(Association.municipality).in_(sorted(wanted.within)))
    return statement


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


async def _insert_new(session: AsyncSession, new: Sequence[New]) -> list[dict[str, Any]]:
    """Add the associations and their contacts; the rows to tell of."""
    values = [_association_values(new_id(), decision.entry, version=1) for decision in new]
    if values:
        await session.execute(insert(Association), values)
    pairs = zip(values, new, strict=True)
    contacts = [_contact_values(row["id"], decision.contact) for row, decision in pairs if decision.contact]
    if contacts:
        await session.execute(insert(Contact), contacts)
    return values


async def _update_changed(session: AsyncSession, changed: Sequence[Changed]) -> list[dict[str, Any]]:
    """Change the associations and contacts that differ; the rows to tell of."""
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
    return told


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


def _association_changed(values: dict[str, Any], now: datetime) -> AssociationChanged:
    return AssociationChanged(
        happened_at=now,
        realm=Realm(values["realm"]),
        association_id=values["id"],
        version=values["version"],
        name=values["name"],
        municipality=values["municipality"],
        sector=values["sector"],
        retired=values["retired"],
    )
