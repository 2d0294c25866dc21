"""Contacts store: what clerks change about contacts, and how they decide on what contacts propose."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from services.intake.audit.model import Act
from services.intake.audit.store import record
from services.intake.contacts.model import Verdict, moved, without
from services.intake.registry.model import Card, ContactState, ProposalKind
from services.intake.registry.store import Association, Contact, Proposal, claim, contacts_of, new_contact, tell
from shared.audit import Deed
from shared.clock import Clock
from shared.db import Database


class ContactStore:
    """Those who answer. Every change claims the association's version, as any other edit of it does."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def add(self, association_id: UUID, card: Card, *, version: int, by: UUID) -> Verdict:
        """Add a contact, who is asked last."""
        async with self._database.write() as session:
            if not await claim(session, association_id, version=version):
                return await _why(session, association_id)
            present = await contacts_of(session, association_id)
            position = present[-1].position + 1 if present else 1
            await session.execute(insert(Contact), new_contact(association_id, card, position=position))
            await self._written(session, Act.CONTACT_ADDED, association_id, by=by)
        return Verdict.SAVED

    async def save(self, association_id: UUID, contact_id: UUID, card: Card, *, version: int, by: UUID) -> Verdict:
        """Change a contact. A new address was never confirmed, whatever was known of the old one."""
        async with self._database.write() as session:
            present = await session.get(Contact, contact_id)
            if present is None or present.association_id != association_id:
                return Verdict.GONE
            if card_of(present) == card:
                return Verdict.SAME
            if not await claim(session, association_id, version=version):
                return await _why(session, association_id)
            changed = changed_columns(present, card)
            await session.execute(update(Contact).where(col(Contact.id) == contact_id).values(**changed))
            await self._written(session, Act.CONTACT_CHANGED, association_id, by=by, fields=" ".join(sorted(changed)))
        return Verdict.SAVED

    async def move(self, association_id: UUID, contact_id: UUID, *, places: int, version: int, by: UUID) -> Verdict:
        """Have a contact asked so many places later (negative: earlier)."""
        async with self._database.write() as session:
            order = [contact.id for contact in await contacts_of(session, association_id)]
            if contact_id not in order:
                return Verdict.GONE
            after = moved(order, contact_id, by=places)
            if list(after) == order:
                return Verdict.SAME
            if not await claim(session, association_id, version=version):
                return await _why(session, association_id)
            await put_order(session, association_id, after)
            await self._written(session, Act.CONTACT_MOVED, association_id, by=by)
        return Verdict.SAVED

    async def remove(self, association_id: UUID, contact_id: UUID, *, version: int, by: UUID) -> Verdict:
        """Forget a contact; those after it move up."""
        async with self._database.write() as session:
            order = [contact.id for contact in await contacts_of(session, association_id)]
            if contact_id not in order:
                return Verdict.GONE
            if not await claim(session, association_id, version=version):
                return await _why(session, association_id)
            await self._forget(session, association_id, contact_id, order)
            await self._written(session, Act.CONTACT_REMOVED, association_id, by=by)
        return Verdict.SAVED

    async def decide(self, association_id: UUID, proposal_id: UUID, *, accept: bool, by: UUID) -> Verdict:
        """Do what a contact proposed, or dismiss it. A proposal that is decided already stays as it was decided."""
        now = self._clock.now()
        decided = (
            update(Proposal)
            .where(
                col(Proposal.id) == proposal_id,
                col(Proposal.association_id) == association_id,
                col(Proposal.decided_at).is_(None),
            )
            .values(decided_at=now, accepted=accept)
            .returning(col(Proposal.contact_id), col(Proposal.kind), col(Proposal.address))
        )
        async with self._database.write() as session:
            proposal = (await session.execute(decided)).one_or_none()
            if proposal is None:
                return Verdict.GONE
            raised = update(Association).where(col(Association.id) == association_id)
            await session.execute(raised.values(version=col(Association.version) + 1))
            if accept:
                await self._do(session, association_id, proposal)
            told: dict[str, str | int] = {"kind": proposal.kind, "accepted": int(accept)}
            await self._written(session, Act.PROPOSAL_DECIDED, association_id, by=by, **told)
        return Verdict.SAVED

    async def _do(self, session: AsyncSession, association_id: UUID, proposal: Any) -> None:
        present = await session.get(Contact, proposal.contact_id)
        if present is None:
            return
        if proposal.kind == ProposalKind.LEAVES.value:
            order = [contact.id for contact in await contacts_of(session, association_id)]
            await self._forget(session, association_id, present.id, order)
        else:
            fresh = {"email": proposal.address, "state": ContactState.UNCONFIRMED.value, "confirmed_at": None}
            await session.execute(update(Contact).where(col(Contact.id) == present.id).values(**fresh))

    async def _forget(
        self, session: AsyncSession, association_id: UUID, contact_id: UUID, order: Sequence[UUID]
    ) -> None:
        await session.execute(delete(Contact).where(col(Contact.id) == contact_id))
        waiting = (col(Proposal.contact_id) == contact_id) & col(Proposal.decided_at).is_(None)
        await session.execute(update(Proposal).where(waiting).values(decided_at=self._clock.now(), accepted=False))
        await put_order(session, association_id, without(order, contact_id))

    async def _written(
        self, session: AsyncSession, act: Act, association_id: UUID, *, by: UUID, **details: str | int
    ) -> None:
        now = self._clock.now()
        await tell(session, [association_id], now)
        await record(session, Deed(now, act, by, str(association_id), details))


def card_of(contact: Contact) -> Card:
    """The contact as a person writes it down."""
    return Card(
        name=contact.name,
        email=contact.email or "",
        phone=contact.phone,
        best_time=contact.best_time,
        language=contact.language,
    )


def changed_columns(present: Contact, card: Card) -> dict[str, Any]:
    """The columns in which the contact differs from the card; an address that differs is not confirmed."""
    wanted = {
        "name": card.name,
        "email": card.email or None,
        "phone": card.phone,
        "best_time": card.best_time,
        "language": card.language,
    }
    changed = {name: value for name, value in wanted.items() if getattr(present, name) != value}
    fresh = {"state": ContactState.UNCONFIRMED.value, "confirmed_at": None} if "email" in changed else {}
    return {**changed, **fresh}


async def put_order(session: AsyncSession, association_id: UUID, order: Sequence[UUID]) -> None:
    """Number the association's contacts from 1 in this order. No two ever hold one place: all step aside first."""
    aside = update(Contact).where(col(Contact.association_id) == association_id)
    await session.execute(aside.values(position=-col(Contact.position)))
    if order:
        places = [{"id": contact_id, "position": place} for place, contact_id in enumerate(order, 1)]
        await session.execute(update(Contact), sorted(places, key=lambda row: str(row["id"])))


async def _why(session: AsyncSession, association_id: UUID) -> Verdict:
    """Why the claim did not succeed."""
    there = select(col(Association.id)).where(col(Association.id) == association_id)
    return Verdict.CONFLICT if (await session.execute(there)).scalar_one_or_none() else Verdict.GONE
