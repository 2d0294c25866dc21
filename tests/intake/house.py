"""A whole intake for tests: the real service on its own database, with what a test wants to know of it."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any
from uuid import UUID

from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from sqlalchemy import delete, func, insert, select
from sqlmodel import col

from services.intake.access.model import PersonEntry
from services.intake.app import make_app
from services.intake.register_file.table_file import read_table
from services.intake.registry.store import Association, Contact
from services.intake.schema import IntakeTable
from shared.db import Database
from shared.events.exercise import ExerciseStarted, RosterFrozen
from shared.events.status import RoundOpened
from shared.identity import Role
from shared.ids import new_id
from shared.list_report import ImportReport
from shared.plumbing import OutboxRow
from shared.realm import LIVE, Realm
from shared.settings import Settings
from tests.fakes import FakeClock

ADDRESS = "http://127.0.0.1:8000"
HEADING = "Nimi;Rekisterinumero;Kotipaikka;Toimiala;Yhteyshenkilö;Sähköposti;Puhelin;Kieli"
AINO = "Hattulan Martat;1001;Hattula;Muut;Aino Kuura;aino@example.org;040 1;suomi"
BERTTA = "Forssa Byalag;1002;Forssa;Muut;Bertta Sumu;bertta@example.org;;ruotsi"
CECILIA = "Lopen Kyläseura;1003;Loppi;Kylä-, kotiseutu- ja asukastoiminta;Cecilia Tuuli;;040 3;"
"""Aino and Bertta answer by letter, in Finnish and Swedish; Cecilia has a telephone only."""


@dataclass(frozen=True)
class Round:
    """A round that was opened in a test."""

    round_id: UUID
    situation_id: UUID
    closes_at: datetime
    realm: Realm


@dataclass(frozen=True)
class Intake:
    """The running service. Its clock stands still until the test moves it."""

    app: FastAPI
    clock: FakeClock
    browser: AsyncClient

    @property
    def database(self) -> Database:
        database: Database = self.app.state.house.database
        return database

    async def take_in(self, *lines: str) -> ImportReport:
        """Import these lines below the usual heading."""
        report = ImportReport()
        rows = read_table(BytesIO("\n".join([HEADING, *lines]).encode()))
        async for progress in self.app.state.register_files.import_rows(rows):
            report = progress
        return report

    async def ids(self) -> list[UUID]:
        """All associations, in the order in which they came."""
        async with self.database.read() as session:
            return list((await session.execute(select(col(Association.id)).order_by(col(Association.id)))).scalars())

    async def add_contact(self, association_id: UUID, position: int, email: str | None) -> None:
        values = {"id": new_id(), "association_id": association_id, "position": position, "name": "", "phone": ""}
        async with self.database.write() as session:
            await session.execute(insert(Contact), {**values, "email": email, "language": "fi", "state": "confirmed"})

    async def open_round(
        self, ids: Sequence[UUID], *, realm: Realm = LIVE, hours: int = 24, roster: Sequence[str] | None = None
    ) -> Round:
        """Have these associations asked, as the bus would; in an exercise every contact takes part, or the roster."""
        if not realm.live:
            await self.enrol(realm, *(await self._addresses() if roster is None else roster))
        opened = Round(new_id(), new_id(), self.clock.now() + timedelta(hours=hours), realm)
        await self.app.state.invitation.invite(round_opened(opened, ids, self.clock.now()))
        return opened

    async def enrol(self, realm: Realm, *addresses: str) -> None:
        """Have an exercise begin in which these take part."""
        for event in started(realm, addresses, self.clock.now()):
            if isinstance(event, RosterFrozen):
                await self.app.state.rehearsals.enrol(event)
            else:
                await self.app.state.rehearsals.begin(event)

    async def _addresses(self) -> Sequence[str]:
        async with self.database.read() as session:
            known = select(col(Contact.email)).where(col(Contact.email).is_not(None))
            return [address for address in (await session.execute(known)).scalars() if address]

    async def said(self, fact: str = "") -> list[dict[str, Any]]:
        """What waits to be published, oldest first: bodies of the events of that fact."""
        async with self.database.read() as session:
            rows = (await session.execute(select(OutboxRow).order_by(col(OutboxRow.id)))).scalars()
            return [json.loads(row.body) for row in rows if row.subject.endswith(fact)]

    async def forget_said(self) -> None:
        async with self.database.write() as session:
            await session.execute(delete(OutboxRow))

    async def link(self, number: int = 0) -> str:
        """The path of a link that was sent in a letter of a round, counted from 0."""
        return str((await self.said("bulk"))[number]["personal"]["link"]).removeprefix(ADDRESS)

    async def count(self, table: type[IntakeTable]) -> int:
        async with self.database.read() as session:
            return int((await session.execute(select(func.count()).select_from(table))).scalar_one())

    async def sign_in(
        self, *roles: Role, municipalities: frozenset[str] = frozenset(), email: str = "aino@example.org"
    ) -> UUID:
        """Have somebody with these roles signed in in the browser; the person's id."""
        entry = PersonEntry("Aino", email, frozenset(roles), municipalities)
        person_id: UUID = await self.app.state.access.add_person(entry)
        link = await self.app.state.access.operator_link(email, timedelta(minutes=5))
        answer = await self.browser.post(link.removeprefix(ADDRESS))
        assert answer.status_code == 303
        return person_id


def started(realm: Realm, addresses: Sequence[str], now: datetime) -> tuple[RosterFrozen, ExerciseStarted]:
    """What tells that an exercise began, and who takes part."""
    key: dict[str, Any] = {"happened_at": now, "realm": realm, "exercise_id": new_id()}
    return (
        RosterFrozen(**key, addresses=tuple(addresses)),
        ExerciseStarted(**key, titles={"fi": "HARJOITUS: Myrsky"}, municipalities=("082",), rosters=1),
    )


def round_opened(opened: Round, ids: Sequence[UUID], now: datetime, *, part: int = 1, parts: int = 1) -> RoundOpened:
    """The event that asks these associations."""
    return RoundOpened(
        happened_at=now,
        realm=opened.realm,
        situation_id=opened.situation_id,
        round_id=opened.round_id,
        names={"fi": "Myrsky", "sv": "Storm"},
        closes_at=opened.closes_at,
        association_ids=tuple(ids),
        part=part,
        parts=parts,
    )


@asynccontextmanager
async def running_intake(settings: Settings, clock: FakeClock) -> AsyncIterator[Intake]:
    """The service with its tables, its doors open."""
    app = make_app(settings, clock=clock)
    async with (
        app.router.lifespan_context(app),
        AsyncClient(transport=ASGITransport(app=app), base_url=ADDRESS) as browser,
    ):
        yield Intake(app, clock, browser)
