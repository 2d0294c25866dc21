"""Store: reports, numbered and frozen with the figures of one moment, in every form in which they went out."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Connection, UniqueConstraint, func, insert, select
from sqlmodel import Field, col

from services.status.network.store import NETWORK
from services.status.readiness.model import Dimension, State, TallyKey
from services.status.readiness.standing_rows import STANDING, TALLY, lock
from services.status.report.model import Event, Facts, Form, Note, Report, compile_report
from services.status.schema import StatusTable
from services.status.situation.model import Situation
from services.status.situation.store import ROUND
from services.status.timeline.store import updates_of
from shared.clock import Clock
from shared.db import Database, UtcDateTime, insert_into
from shared.i18n import Locale
from shared.realm import LIVE

EVENTS = 5
"""The newest updates of the timeline that a report tells: it is one page."""

Render = Callable[[Report, Form, Locale], bytes]
"""Puts a report into a form and a language: the same report always says the same."""


class ReportRow(StatusTable, table=True):
    """A report, frozen. `content` is all of it; the columns beside it are what lists and links ask for."""

    __tablename__ = "report"
    __table_args__ = (UniqueConstraint("realm", "id", name="report_once"),)

    realm: str = Field(primary_key=True)
    situation_id: UUID = Field(primary_key=True)
    number: int = Field(primary_key=True)
    id: UUID
    report_version: int
    figures_at: datetime = Field(sa_type=UtcDateTime)
    next_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    compiled_by: UUID
    content: dict[str, Any] = Field(sa_type=JSON)


class ReportFormRow(StatusTable, table=True):
    """A report in one form and language, as it went out the first time."""

    __tablename__ = "report_form"

    realm: str = Field(primary_key=True)
    situation_id: UUID = Field(primary_key=True)
    number: int = Field(primary_key=True)
    form: str = Field(primary_key=True)
    locale: str = Field(primary_key=True)
    content: bytes
    made_at: datetime = Field(sa_type=UtcDateTime)


REPORT = StatusTable.metadata.tables["report"]


@dataclass(frozen=True)
class Listed:
    """A report on the list."""

    number: int
    figures_at: datetime
    next_at: datetime | None


class ReportStore:
    """Freezes reports and finds them."""

    def __init__(self, database: Database, *, clock: Clock, render: Render) -> None:
        self._database = database
        self._clock = clock
        self._render = render

    async def freeze(self, situation: Situation, note: Note) -> Report:
        """Make the next report of the situation, with the figures of this moment, and its pages in every language.

        Nobody else writes into the situation meanwhile, so that all figures are of one moment and no two reports get
        one number. A note that was frozen before brings the report that it became.
        """

        def write(connection: Connection) -> Report:
            lock(connection, [(situation.realm, situation.id)])
            earlier = select(REPORT.c.content).where(*_in(REPORT, situation), REPORT.c.id == note.report_id)
            found = connection.execute(earlier).scalar()
            if found is not None:
                return Report.model_validate(found)
            now = self._clock.now()
            previous = _newest(connection, situation)
            report = compile_report(
                situation,
                _facts(connection, situation),
                note,
                number=previous.number + 1 if previous else 1,
                previous=previous,
                now=now,
            )
            connection.execute(insert(ReportRow), _values(report))
            pages = [self._form(report, Form.HTML, locale, now) for locale in Locale]
            connection.execute(insert(ReportFormRow), pages)
            return report

        async with self._database.write() as session:
            return await session.run_sync(lambda sync: write(sync.connection()))

    async def facts(self, situation: Situation) -> Facts:
        """What a report would say now."""
        async with self._database.read() as session:
            return await session.run_sync(lambda sync: _facts(sync.connection(), situation))

    async def newest(self, situation: Situation) -> Report | None:
        """The situation's newest report."""
        async with self._database.read() as session:
            return await session.run_sync(lambda sync: _newest(sync.connection(), situation))

    async def get(self, situation: Situation, number: int) -> Report | None:
        """The situation's report with this number."""
        wanted = select(REPORT.c.content).where(*_in(REPORT, situation), REPORT.c.number == number)
        async with self._database.read() as session:
            found = (await session.execute(wanted)).scalar()
        return Report.model_validate(found) if found else None

    async def list_all(self, situation: Situation) -> list[Listed]:
        """The situation's reports, newest first."""
        columns = (REPORT.c.number, REPORT.c.figures_at, REPORT.c.next_at)
        rows = select(*columns).where(*_in(REPORT, situation)).order_by(REPORT.c.number.desc())
        async with self._database.read() as session:
            return [Listed(*row) for row in await session.execute(rows)]

    async def form(self, report: Report, form: Form, locale: Locale) -> bytes:
        """The report in this form and language: the same bytes for ever, made when they are first asked for."""
        kept = await self._kept(report, form, locale)
        if kept is not None:
            return kept
        values = await asyncio.to_thread(self._form, report, form, locale, self._clock.now())
        async with self._database.write() as session:
            await session.execute(insert_into(self._database.dialect, ReportFormRow).on_conflict_do_nothing(), values)
        kept = await self._kept(report, form, locale)
        return kept if kept is not None else bytes(values["content"])

    async def _kept(self, report: Report, form: Form, locale: Locale) -> bytes | None:
        wanted = select(col(ReportFormRow.content)).where(
            col(ReportFormRow.realm) == report.realm,
            col(ReportFormRow.situation_id) == report.situation_id,
            col(ReportFormRow.number) == report.number,
            col(ReportFormRow.form) == form,
            col(ReportFormRow.locale) == locale,
        )
        async with self._database.read() as session:
            return (await session.execute(wanted)).scalar_one_or_none()

    def _form(self, report: Report, form: Form, locale: Locale, now: datetime) -> dict[str, Any]:
        return {
            "realm": report.realm,
            "situation_id": report.situation_id,
            "number": report.number,
            "form": form,
            "locale": locale,
            "content": self._render(report, form, locale),
            "made_at": now,
        }


def _facts(connection: Connection, situation: Situation) -> Facts:
    figures = connection.execute(
        select(TALLY.c.dimension, TALLY.c.key, TALLY.c.state, TALLY.c["count"]).where(
            *_in(TALLY, situation),
            TALLY.c["count"] != 0,
            TALLY.c.dimension != Dimension.CAPABILITY_AREA.value,
        )
    )
    newest = connection.execute(select(func.max(STANDING.c.reported_at)).where(*_in(STANDING, situation)))
    rounds = connection.execute(select(func.count()).select_from(ROUND).where(*_in(ROUND, situation)))
    names = connection.execute(select(NETWORK.c.code, NETWORK.c.names).where(NETWORK.c.realm == LIVE))
    return Facts(
        tallies=Counter({TallyKey(Dimension(dim), key, State(state)): count for dim, key, state, count in figures}),
        newest_answer_at=newest.scalar_one(),
        rounds=int(rounds.scalar_one()),
        network_names={code: dict(by_locale) for code, by_locale in names},
        updates=tuple(Event(at=one.at, words=one.words) for one in updates_of(connection, situation, EVENTS)),
    )


def _newest(connection: Connection, situation: Situation) -> Report | None:
    rows = select(REPORT.c.content).where(*_in(REPORT, situation)).order_by(REPORT.c.number.desc()).limit(1)
    found = connection.execute(rows).scalar()
    return Report.model_validate(found) if found else None


def _values(report: Report) -> Mapping[str, Any]:
    columns = ("realm", "situation_id", "number", "id", "report_version", "figures_at", "next_at", "compiled_by")
    return {**{name: getattr(report, name) for name in columns}, "content": report.model_dump(mode="json")}


def _in(table: Any, situation: Situation) -> tuple[Any, Any]:
    return table.c.realm == situation.realm, table.c.situation_id == situation.id
