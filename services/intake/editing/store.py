"""Editing store: what clerks write of associations, with its audit and its announcement."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from services.intake.audit.model import Act
from services.intake.audit.store import record
from services.intake.editing.model import Details, Outcome, Verdict, changed_fields, judge
from services.intake.registry.model import Ability, Card, Plan, name_key, register_key
from services.intake.registry.store import (
    Association,
    AssociationCapability,
    AssociationNetwork,
    Contact,
    Record,
    claim,
    new_contact,
    record_of,
    tell,
)
from shared.audit import Deed
from shared.clock import Clock
from shared.db import Database, insert_into
from shared.ids import new_id
from shared.realm import LIVE

BATCH = 500


@dataclass(frozen=True, kw_only=True)
class Supplement:
    """What is to be added to an association of the register, known by its number; contacts come after the present."""

    register_number: str
    plan: Plan = Plan.UNKNOWN
    plan_year: int | None = None
    networks: tuple[str, ...] = ()
    abilities: tuple[Ability, ...] = ()
    contacts: tuple[Card, ...] = ()


class EditingStore:
    """The clerks' pen."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def add(self, wanted: Details, *, by: UUID, beside_namesakes: bool = False) -> Outcome:
        """Enter a new association."""
        own = new_id()
        try:
            async with self._database.write() as session:
                outcome = await _judged(session, None, wanted, seen=True, own=own, beside_namesakes=beside_namesakes)
                if outcome.verdict is Verdict.SAVED:
                    await session.execute(
                        insert(Association), {"id": own, "realm": LIVE.id, "version": 1, **_columns(wanted)}
                    )
                    await _put_networks(session, own, wanted.networks)
                    await _put_abilities(session, own, wanted.abilities)
                    await self._written(session, Act.ASSOCIATION_ADDED, own, by=by)
        except IntegrityError:  # somebody else entered the number between our look and our commit
            return await self._number_taken(wanted, own)
        return outcome

    async def save(
        self, association_id: UUID, wanted: Details, *, version: int, by: UUID, beside_namesakes: bool = False
    ) -> Outcome:
        """Change the association from the `version` that the clerk looked at; it says what stands in the way."""
        try:
            async with self._database.write() as session:
                found = await record_of(session, association_id)
                if found is None:
                    return Outcome(Verdict.GONE, association_id)
                seen = found.association.version == version
                outcome = await _judged(
                    session, found, wanted, seen=seen, own=association_id, beside_namesakes=beside_namesakes
                )
                if outcome.verdict is not Verdict.SAVED:
                    return outcome
                before = details_of(found)  # the claim changes the row that is held here
                if not await claim(session, association_id, version=version, **_columns(wanted)):
                    return Outcome(Verdict.CONFLICT, association_id)
                await self._apply(session, association_id, before, wanted, by=by)
        except IntegrityError:
            return await self._number_taken(wanted, association_id)
        return outcome

    async def _apply(self, session: AsyncSession, own: UUID, before: Details, wanted: Details, *, by: UUID) -> None:
        if before.networks != wanted.networks:
            await session.execute(delete(AssociationNetwork).where(col(AssociationNetwork.association_id) == own))
            await _put_networks(session, own, wanted.networks)
        if before.abilities != wanted.abilities:
            await session.execute(delete(AssociationCapability).where(col(AssociationCapability.association_id) == own))
            await _put_abilities(session, own, wanted.abilities)
        fields = " ".join(changed_fields(before, wanted))
        await self._written(session, Act.ASSOCIATION_CHANGED, own, by=by, fields=fields)

    async def _written(self, session: AsyncSession, act: Act, own: UUID, *, by: UUID, **details: str | int) -> None:
        now = self._clock.now()
        await tell(session, [own], now)
        await record(session, Deed(now, act, by, str(own), details))

    async def _number_taken(self, wanted: Details, own: UUID) -> Outcome:
        async with self._database.read() as session:
            holder = await _holder(session, wanted)
        return Outcome(Verdict.NUMBER_TAKEN, holder or own)

    async def supplement(self, additions: Iterable[Supplement]) -> int:
        """Add to many associations at once, BATCH in a transaction, and announce them; how many were found.

        Networks and capabilities that are there already stay as they are. It is the operator's act, not the clerks'.
        """
        waiting, count = list(additions), 0
        for start in range(0, len(waiting), BATCH):
            batch = {register_key(one.register_number): one for one in waiting[start : start + BATCH]}
            async with self._database.write() as session:
                count += await self._supplement(session, batch)
        return count

    async def _supplement(self, session: AsyncSession, batch: dict[str, Supplement]) -> int:
        numbered = select(col(Association.id), col(Association.register_number)).where(
            col(Association.realm) == LIVE.id, col(Association.register_number).in_(batch)
        )
        known = [
            (row.id, batch[row.register_number])
            for row in await session.execute(numbered.order_by(col(Association.id)))
        ]
        if not known:
            return 0
        dialect = self._database.dialect
        for table, rows in (
            (AssociationNetwork, [row for own, one in known for row in _network_rows(own, one.networks)]),
            (AssociationCapability, [row for own, one in known for row in _ability_rows(own, one.abilities)]),
            (Contact, await _contact_rows(session, known)),
        ):
            if rows:
                await session.execute(insert_into(dialect, table).on_conflict_do_nothing(), rows)
        planned = [{"id": own, "plan": one.plan.value, "plan_year": one.plan_year} for own, one in known]
        await session.execute(update(Association), planned)
        ids = [own for own, _ in known]
        await session.execute(
            update(Association).where(col(Association.id).in_(ids)).values(version=col(Association.version) + 1)
        )
        now = self._clock.now()
        await tell(session, ids, now)
        await record(session, Deed(now, Act.ASSOCIATION_CHANGED, None, "registry", {"changed": len(ids)}))
        return len(ids)


def details_of(found: Record) -> Details:
    """The association as a clerk writes it down."""
    row = found.association
    return Details(
        register_number=row.register_number,
        name=row.name,
        municipality=row.municipality,
        sector=row.sector,
        language=row.language,
        plan=Plan(row.plan),
        plan_year=row.plan_year,
        networks=frozenset(found.networks),
        abilities=tuple(found.abilities),
    )


async def _judged(
    session: AsyncSession, found: Record | None, wanted: Details, *, seen: bool, own: UUID, beside_namesakes: bool
) -> Outcome:
    present = details_of(found) if found else None
    moved = present is None or (name_key(present.name), present.municipality) != (
        name_key(wanted.name),
        wanted.municipality,
    )
    return judge(
        present,
        wanted,
        seen=seen,
        holder=await _holder(session, wanted),
        namesakes=await _namesakes(session, wanted) if moved and not beside_namesakes else (),
        own=own,
    )


async def _holder(session: AsyncSession, wanted: Details) -> UUID | None:
    """Who has the register number."""
    holding = select(col(Association.id)).where(
        col(Association.realm) == LIVE.id, col(Association.register_number) == wanted.register_number
    )
    return (await session.execute(holding)).scalar_one_or_none()


async def _namesakes(session: AsyncSession, wanted: Details) -> Sequence[UUID]:
    """Who bears the name in the municipality and is not retired; a few are enough."""
    same = select(col(Association.id)).where(
        col(Association.realm) == LIVE.id,
        col(Association.name_key) == name_key(wanted.name),
        col(Association.municipality) == wanted.municipality,
        col(Association.retired).is_(False),
    )
    return list((await session.execute(same.order_by(col(Association.id)).limit(2))).scalars())


def _columns(wanted: Details) -> dict[str, Any]:
    return {
        "register_number": wanted.register_number,
        "name": wanted.name,
        "name_key": name_key(wanted.name),
        "municipality": wanted.municipality,
        "sector": wanted.sector,
        "language": wanted.language,
        "plan": wanted.plan.value,
        "plan_year": wanted.plan_year,
    }


async def _put_networks(session: AsyncSession, own: UUID, networks: Iterable[str]) -> None:
    if rows := _network_rows(own, networks):
        await session.execute(insert(AssociationNetwork), rows)


async def _put_abilities(session: AsyncSession, own: UUID, abilities: Iterable[Ability]) -> None:
    if rows := _ability_rows(own, abilities):
        await session.execute(insert(AssociationCapability), rows)


def _network_rows(own: UUID, networks: Iterable[str]) -> list[dict[str, Any]]:
    return [{"association_id": own, "network": code} for code in sorted(networks)]


def _ability_rows(own: UUID, abilities: Iterable[Ability]) -> list[dict[str, Any]]:
    return [
        {"association_id": own, "capability": one.capability, "amount": one.amount, "note": one.note}
        for one in sorted(abilities, key=lambda one: one.capability)
    ]


async def _contact_rows(session: AsyncSession, known: Sequence[tuple[UUID, Supplement]]) -> list[dict[str, Any]]:
    """The further contacts, each after the last one that is there."""
    owners = [own for own, one in known if one.contacts]
    present = select(col(Contact.association_id), col(Contact.position)).where(col(Contact.association_id).in_(owners))
    ordered = await session.execute(present.order_by(col(Contact.position)))
    last = dict(ordered.all())
    return [
        new_contact(own, card, position=last.get(own, 0) + number)
        for own, one in known
        for number, card in enumerate(one.contacts, 1)
    ]
