"""Merger store: two entries become one, an entry is retired or restored. History stays where it was made.

What was answered before a merger stays the answer of the association that gave it. An open invitation of the merged
one stays too: its links still take answers, in its own name; the register shows the one that remains.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from services.intake.audit.model import Act
from services.intake.audit.store import record
from services.intake.contacts.store import put_order
from services.intake.invitation.store import InvitationToken
from services.intake.merger.model import Answering, United, Verdict, Whole, united
from services.intake.registry.model import Card, Plan
from services.intake.registry.store import (
    Association,
    AssociationCapability,
    AssociationNetwork,
    Contact,
    Proposal,
    Record,
    claim,
    record_of,
    tell,
)
from shared.audit import Deed
from shared.clock import Clock
from shared.db import Database

FAR = 1_000_000
"""Added to a place among the contacts, where no two meet before they are put into their new order."""


class _CrossedError(Exception):
    """Somebody else changed one of the two while we did: all that was written so far is undone."""


class MergerStore:
    """Merging, retiring and restoring."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def merge(self, kept_id: UUID, other_id: UUID, *, versions: dict[UUID, int], by: UUID) -> Verdict:
        """Merge the other into the one that remains, both from the versions that the clerk looked at."""
        try:
            return await self._merge(kept_id, other_id, versions, by=by)
        except _CrossedError:
            return Verdict.CONFLICT

    async def _merge(self, kept_id: UUID, other_id: UUID, versions: dict[UUID, int], *, by: UUID) -> Verdict:
        async with self._database.write() as session:
            kept, other = await record_of(session, kept_id), await record_of(session, other_id)
            if kept is None or other is None or kept_id == other_id:
                return Verdict.GONE
            if other.association.merged_into == kept_id:
                return Verdict.SAME
            if kept.association.retired or other.association.retired:
                return Verdict.NOT_IN_USE
            if any(one.association.version != versions.get(one.association.id) for one in (kept, other)):
                return Verdict.CONFLICT
            result = united(whole_of(kept), whole_of(other))
            await _claim_both(session, kept, other, result.whole)
            await self._unite(session, kept_id, other_id, result)
            now = self._clock.now()
            await tell(session, [kept_id, other_id], now)
            await record(session, Deed(now, Act.ASSOCIATION_MERGED, by, str(other_id), {"into": str(kept_id)}))
        return Verdict.DONE

    async def _unite(self, session: AsyncSession, kept_id: UUID, other_id: UUID, result: United) -> None:
        """Write the whole that remains; the other keeps its name and its history."""
        for double, same in sorted(result.doubles.items()):
            links = update(InvitationToken).where(col(InvitationToken.contact_id) == double)
            await session.execute(links.values(contact_id=same))
            await session.execute(update(Proposal).where(col(Proposal.contact_id) == double).values(contact_id=same))
        await session.execute(delete(Contact).where(col(Contact.id).in_(result.doubles)))
        joining = update(Contact).where(col(Contact.association_id) == other_id)
        await session.execute(joining.values(association_id=kept_id, position=col(Contact.position) + FAR))
        await put_order(session, kept_id, [one.contact_id for one in result.whole.contacts])
        await session.execute(
            update(Proposal).where(col(Proposal.association_id) == other_id).values(association_id=kept_id)
        )
        member, able = AssociationNetwork, AssociationCapability
        await session.execute(delete(member).where(col(member.association_id).in_([kept_id, other_id])))
        await session.execute(delete(able).where(col(able.association_id).in_([kept_id, other_id])))
        networks = [{"association_id": kept_id, "network": code} for code in sorted(result.whole.networks)]
        abilities = [
            {"association_id": kept_id, "capability": one.capability, "amount": one.amount, "note": one.note}
            for one in result.whole.abilities
        ]
        for table, rows in ((member, networks), (able, abilities)):
            if rows:
                await session.execute(insert(table), rows)

    async def set_retired(self, association_id: UUID, *, retired: bool, version: int, by: UUID) -> Verdict:
        """Take the association out of use, or into use again. One that was merged stays merged."""
        async with self._database.write() as session:
            association = await session.get(Association, association_id)
            if association is None:
                return Verdict.GONE
            if association.merged_into is not None:
                return Verdict.NOT_IN_USE
            if association.retired == retired:
                return Verdict.SAME
            if not await claim(session, association_id, version=version, retired=retired):
                return Verdict.CONFLICT
            now = self._clock.now()
            act = Act.ASSOCIATION_RETIRED if retired else Act.ASSOCIATION_RESTORED
            await tell(session, [association_id], now)
            await record(session, Deed(now, act, by, str(association_id)))
        return Verdict.DONE


def whole_of(found: Record) -> Whole:
    """What of an association is united with another's."""
    cards = (
        Answering(one.id, Card(one.name, one.email or "", one.phone, one.best_time, one.language))
        for one in found.contacts
    )
    return Whole(
        contacts=tuple(cards),
        networks=frozenset(found.networks),
        abilities=tuple(found.abilities),
        plan=Plan(found.association.plan),
        plan_year=found.association.plan_year,
    )


async def _claim_both(session: AsyncSession, kept: Record, other: Record, whole: Whole) -> None:
    """Claim both, always in the same order, so that two mergers that cross wait for one another and never for ever."""
    remains: dict[str, Any] = {"plan": whole.plan.value, "plan_year": whole.plan_year}
    leaves: dict[str, Any] = {"retired": True, "merged_into": kept.association.id}
    pair = [(kept.association, remains), (other.association, leaves)]
    for association, values in sorted(pair, key=lambda one: one[0].id):
        if not await claim(session, association.id, version=association.version, **values):
            raise _CrossedError
