"""Uploads: lists on their way into a service, with how far each has come; a day later they are forgotten."""

import secrets
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, BinaryIO
from uuid import UUID

from sqlalchemy import JSON, LargeBinary, Update, delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, SQLModel, col

from shared.clock import Clock
from shared.db import Database, UtcDateTime
from shared.ids import new_token
from shared.list_report import Bad, ImportReport, RowError, UploadState
from shared.records import Glance

UPLOAD_KEPT = timedelta(days=1)
LEASE = timedelta(minutes=1)
"""For so long after its last batch a file belongs to whoever works on it; then another may go on with it."""

PART = 256 * 1024
PROBLEMS_AT_ONCE = 500
AT_WORK = (UploadState.TRYING.value, UploadState.RUNNING.value)
KEPT_CELL = 300


class UploadColumns(SQLModel):
    """A file under a random name. `done` rows are behind it in its present state, of `total`."""

    id: str = Field(primary_key=True)
    person_id: UUID | None = None
    file_name: str
    state: str
    headings: list[str] = Field(sa_type=JSON)
    samples: list[list[str]] = Field(sa_type=JSON)
    columns: dict[str, int] = Field(sa_type=JSON)
    report: dict[str, Any] = Field(sa_type=JSON)
    done: int = 0
    total: int = 0
    refusal: str = ""
    claim: str = ""
    claimed_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    uploaded_at: datetime = Field(sa_type=UtcDateTime, index=True)


class UploadPartColumns(SQLModel):
    """A piece of a file, so that no file is ever in the memory as a whole. Forgotten when the file is imported."""

    upload_id: str = Field(primary_key=True)
    number: int = Field(primary_key=True)
    body: bytes = Field(sa_type=LargeBinary)


class UploadProblemColumns(SQLModel):
    """A row that cannot be taken, as it was written, and what is wrong with it."""

    upload_id: str = Field(primary_key=True)
    row: int = Field(primary_key=True)
    cells: list[str] = Field(sa_type=JSON)
    errors: list[dict[str, Any]] = Field(sa_type=JSON)


@dataclass(frozen=True)
class UploadTables:
    """The tables of a service in which its files are kept."""

    upload: type[UploadColumns]
    part: type[UploadPartColumns]
    problem: type[UploadProblemColumns]


@dataclass(frozen=True)
class Kept:
    """An uploaded file as its owner sees it."""

    state: UploadState
    file_name: str
    headings: tuple[str, ...]
    samples: tuple[tuple[str, ...], ...]
    columns: Mapping[str, int]
    report: ImportReport
    done: int
    total: int
    refusal: str

    @property
    def at_work(self) -> bool:
        """True while rows are being read."""
        return self.state.value in AT_WORK


@dataclass(frozen=True)
class Task:
    """A file that has been claimed, to be read on from row `done` of its rows."""

    name: str
    claim: str
    state: UploadState
    person_id: UUID | None
    columns: Mapping[str, int]
    report: ImportReport
    done: int


class LostClaimError(Exception):
    """Somebody else works on the file: whoever sees this wrote nothing in this transaction, and stops."""


class Uploads:
    """Files on their way. Each belongs to the person who brought it, or to the operator (None)."""

    def __init__(self, database: Database, *, clock: Clock, tables: UploadTables) -> None:
        self._file, self._part, self._problem = tables.upload, tables.part, tables.problem
        self._database = database
        self._clock = clock

    async def keep(
        self,
        body: BinaryIO,
        glance: Glance,
        *,
        file_name: str,
        person_id: UUID | None,
        about: Mapping[str, str] = MappingProxyType({}),
    ) -> str:
        """Keep a file, to be tried out as soon as its columns are known; its random name.

        `about` fills the columns that the service's own table has besides.
        """
        name = new_token()
        values = {
            "id": name,
            "person_id": person_id,
            "file_name": file_name[:200],
            "state": (UploadState.COLUMNS if glance.missing else UploadState.TRYING).value,
            "headings": list(glance.headings),
            "samples": [list(cells) for cells in glance.samples],
            "columns": dict(glance.columns),
            "report": {},
            "uploaded_at": self._clock.now(),
            **about,
        }
        async with self._database.write() as session:
            await session.execute(insert(self._file), {"done": 0, "total": 0, "refusal": "", "claim": "", **values})
            number = 0
            while part := body.read(PART):
                await session.execute(insert(self._part), {"upload_id": name, "number": number, "body": part})
                number += 1
        return name

    async def get(self, name: str, *, person_id: UUID | None) -> Kept | None:
        """This person's file; None if there is none of that name."""
        async with self._database.read() as session:
            row = await session.get(self._file, name)
        return _kept(row) if row and row.person_id == person_id else None

    async def choose_columns(self, name: str, columns: Mapping[str, int], *, person_id: UUID | None) -> bool:
        """Try the file out anew with these columns; False where it is being read, or was imported, already."""
        again = {"state": UploadState.TRYING.value, "columns": dict(columns), "done": 0, "report": {}, "refusal": ""}
        before = (UploadState.COLUMNS.value, UploadState.WAITING.value, UploadState.REFUSED.value)
        return await self._turn(self._mine(name, person_id).where(col(self._file.state).in_(before)).values(**again))

    async def start(self, name: str, *, person_id: UUID | None) -> bool:
        """Have the file imported; True for the one caller who does."""
        waiting = self._mine(name, person_id).where(col(self._file.state) == UploadState.WAITING.value)
        return await self._turn(waiting.values(state=UploadState.RUNNING.value, done=0, report={}))

    async def _turn(self, statement: Update) -> bool:
        async with self._database.write() as session:
            found = await session.execute(statement.values(claim="", claimed_until=None).returning(col(self._file.id)))
            name = found.scalar_one_or_none()
            await session.execute(delete(self._problem).where(col(self._problem.upload_id) == name))
            return name is not None

    async def busy(self, name: str) -> bool:
        """True while the file waits to be read, or is being read."""
        at_work = select(col(self._file.id)).where(col(self._file.id) == name, col(self._file.state).in_(AT_WORK))
        async with self._database.read() as session:
            return (await session.execute(at_work)).scalar_one_or_none() is not None

    async def claim(self) -> Task | None:
        """The oldest file that nobody reads, for this caller alone; None if there is none."""
        now = self._clock.now()
        free = or_(col(self._file.claimed_until).is_(None), col(self._file.claimed_until) < now)
        oldest = (
            select(col(self._file.id))
            .where(col(self._file.state).in_(AT_WORK), free)
            .order_by(col(self._file.uploaded_at))
        )
        claim = secrets.token_hex(8)
        async with self._database.write() as session:
            name = (await session.execute(oldest.limit(1))).scalar_one_or_none()
            mine = update(self._file).where(col(self._file.id) == name, free, col(self._file.state).in_(AT_WORK))
            values = {"claim": claim, "claimed_until": now + LEASE}
            found = await session.execute(mine.values(**values).returning(col(self._file.id)))
            if found.scalar_one_or_none() is None:
                return None
            row = (await session.execute(select(self._file).where(col(self._file.id) == name))).scalar_one()
        report = ImportReport.model_validate(row.report)
        return Task(row.id, claim, UploadState(row.state), row.person_id, row.columns, report, row.done)

    async def fetch(self, task: Task, target: BinaryIO) -> None:
        """Write the file there, and be at its start."""
        part = col(self._part.body)
        number = 0
        while True:
            here = (col(self._part.upload_id) == task.name, col(self._part.number) == number)
            async with self._database.read() as session:
                body = (await session.execute(select(part).where(*here))).scalar_one_or_none()
            if body is None:
                break
            target.write(body)
            number += 1
        target.seek(0)

    async def advance(self, session: AsyncSession, task: Task, report: ImportReport, bad: Iterable[Bad]) -> None:
        """Write down in the session's transaction how far the file has come. Raises LostClaimError."""
        told = report.model_dump(mode="json")
        await self._fenced(session, task, done=report.rows, report=told, claimed_until=self._clock.now() + LEASE)
        problems = [_problem_values(task, one) for one in bad]
        if problems:
            await session.execute(insert(self._problem), problems)

    async def finish(self, task: Task, report: ImportReport, *, refusal: str = "") -> None:
        """The file has been read to its end, or is refused for the given reason. Raises LostClaimError."""
        after = UploadState.WAITING if task.state is UploadState.TRYING else UploadState.DONE
        state = UploadState.REFUSED if refusal else after
        values = {"state": state.value, "report": report.model_dump(mode="json"), "done": report.rows}
        async with self._database.write() as session:
            await self._fenced(
                session, task, **values, total=report.rows, refusal=refusal, claim="", claimed_until=None
            )
            if state is UploadState.DONE:
                await session.execute(delete(self._part).where(col(self._part.upload_id) == task.name))

    async def release(self, task: Task) -> None:
        """Somebody else may go on at once."""
        async with self._database.write() as session:
            mine = update(self._file).where(col(self._file.id) == task.name, col(self._file.claim) == task.claim)
            await session.execute(mine.values(claim="", claimed_until=None))

    async def problems(self, name: str) -> AsyncIterator[tuple[int, Sequence[str], Sequence[RowError]]]:
        """The rows that cannot be taken: number, cells, and what is wrong; in their order, some at a time."""
        last = 0
        while True:
            after = select(self._problem).where(col(self._problem.upload_id) == name, col(self._problem.row) > last)
            async with self._database.read() as session:
                page = after.order_by(col(self._problem.row)).limit(PROBLEMS_AT_ONCE)
                rows = list((await session.execute(page)).scalars())
            for row in rows:
                yield row.row, row.cells, [RowError.model_validate(error) for error in row.errors]
            if len(rows) < PROBLEMS_AT_ONCE:
                return
            last = rows[-1].row

    async def forget(self) -> None:
        """Forget the files that were uploaded more than a day ago."""
        old = select(col(self._file.id)).where(col(self._file.uploaded_at) < self._clock.now() - UPLOAD_KEPT)
        async with self._database.write() as session:
            for part in (self._part, self._problem):
                await session.execute(delete(part).where(col(part.upload_id).in_(old)))
            await session.execute(delete(self._file).where(col(self._file.id).in_(old)))

    def _mine(self, name: str, person_id: UUID | None) -> Update:
        whose = col(self._file.person_id).is_not_distinct_from(person_id)
        return update(self._file).where(col(self._file.id) == name, whose)

    async def _fenced(self, session: AsyncSession, task: Task, **values: Any) -> None:
        mine = update(self._file).where(col(self._file.id) == task.name, col(self._file.claim) == task.claim)
        if (await session.execute(mine.values(**values).returning(col(self._file.id)))).scalar_one_or_none() is None:
            raise LostClaimError(task.name)


def _problem_values(task: Task, bad: Bad) -> dict[str, Any]:
    return {
        "upload_id": task.name,
        "row": bad.row,
        "cells": [cell[:KEPT_CELL].replace("\0", "�") for cell in bad.cells[:200]],
        "errors": [error.model_dump() for error in bad.errors],
    }


def _kept(row: UploadColumns) -> Kept:
    return Kept(
        state=UploadState(row.state),
        file_name=row.file_name,
        headings=tuple(row.headings),
        samples=tuple(tuple(cells) for cells in row.samples),
        columns=row.columns,
        report=ImportReport.model_validate(row.report),
        done=row.done,
        total=row.total,
        refusal=row.refusal,
    )
