"""People store: the list of the staff. Each change is in the audit, and ends the sessions that hold other rights."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import func, select
from sqlmodel import col

from services.intake.access.model import PersonEntry
from services.intake.access.store import Person, SessionRow, by_email, change_person, entry_of, insert_person
from services.intake.people.model import Known, Refusal, administers, fingerprint, refusal
from services.intake.registry.store import Network
from shared.clock import Clock
from shared.db import Database


class PeopleStore:
    """The staff."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def everybody(self) -> list[Known]:
        """All people by name, those who left at the end."""
        open_sessions = (
            select(col(SessionRow.person_id), func.count())
            .where(col(SessionRow.ended_at).is_(None), col(SessionRow.valid_until) > self._clock.now())
            .group_by(col(SessionRow.person_id))
        )
        async with self._database.read() as session:
            counts = {row[0]: row[1] for row in await session.execute(open_sessions)}
            people = (await session.execute(select(Person))).scalars()
            known = [Known(person.id, entry_of(person), counts.get(person.id, 0)) for person in people]
        return sorted(known, key=lambda one: (one.entry.retired, one.entry.name.casefold(), one.person_id))

    async def get(self, person_id: UUID) -> Known | None:
        """The person of that id."""
        return next((known for known in await self.everybody() if known.person_id == person_id), None)

    async def names(self, ids: Collection[UUID]) -> dict[UUID, str]:
        """The names of those of these ids who are people."""
        named = select(col(Person.id), col(Person.name)).where(col(Person.id).in_(sorted(ids)))
        async with self._database.read() as session:
            return {row[0]: row[1] for row in await session.execute(named)}

    async def networks(self) -> dict[str, dict[str, str]]:
        """The networks to which somebody can be limited: names by locale, by code."""
        async with self._database.read() as session:
            rows = await session.execute(select(Network).order_by(col(Network.code)))
            return {row.code: row.names for row in rows.scalars() if not row.retired}

    async def add(self, entry: PersonEntry, *, by: UUID) -> UUID | Refusal:
        """Add somebody; the id."""
        async with self._database.write() as session:
            if await by_email(session, entry.email) is not None:
                return Refusal.ADDRESS_TAKEN
            return await insert_person(session, entry, by=by, now=self._clock.now())

    async def change(self, person_id: UUID, entry: PersonEntry, *, seen: str, by: UUID) -> UUID | Refusal:
        """Change the person whom the form showed as `seen` (a fingerprint); the id.

        All rows are locked in one order, so that two administrators cannot take the role from each other at once.
        """
        everybody = select(Person).order_by(col(Person.id)).with_for_update()
        async with self._database.write() as session:
            people = {person.id: person for person in (await session.execute(everybody)).scalars()}
            present = people.pop(person_id, None)
            if present is None:
                return Refusal.GONE
            with_address = await by_email(session, entry.email)
            if with_address is not None and with_address.id != person_id:
                return Refusal.ADDRESS_TAKEN
            before = entry_of(present)
            if fingerprint(before) != seen:
                return Refusal.CHANGED_MEANWHILE
            others = sum(administers(entry_of(person)) for person in people.values())
            refused = refusal(before, entry, own=person_id == by, others=others)
            if refused is None:
                await change_person(session, present, entry, by=by, now=self._clock.now())
            return refused or person_id
