"""Confirmation store: campaigns, whom they asked, and what the contacts said."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Index, LargeBinary, UniqueConstraint, and_, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field, col

from services.intake.audit.model import Act
from services.intake.audit.store import record
from services.intake.confirmation.model import LINK_VALID, Asking, Reason, due_before, half_year, letter, wait
from services.intake.contacts.store import card_of, changed_columns
from services.intake.invitation.store import RoundRow
from services.intake.registry.model import Card, ContactState, ProposalKind
from services.intake.registry.store import Association, Contact, Proposal, tell
from services.intake.schema import IntakeTable
from shared.audit import Deed
from shared.clock import Clock
from shared.db import Database, UtcDateTime, insert_into
from shared.ids import digest, new_id, new_token
from shared.outbox import announce
from shared.realm import LIVE

BATCH = 200
CAMPAIGNS = 20


class Campaign(IntakeTable, table=True):
    """Contacts are asked whether their details are right. `slot` is the half-year of one that began by itself."""

    __tablename__ = "campaign"

    id: UUID = Field(primary_key=True)
    slot: str | None = Field(default=None, unique=True)
    started_at: datetime = Field(sa_type=UtcDateTime)
    finished_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Confirmation(IntakeTable, table=True):
    """A contact was asked, by a link that is known by its hash only."""

    __tablename__ = "confirmation"
    __table_args__ = (
        UniqueConstraint("campaign_id", "contact_id"),
        Index("confirmation_contact", "contact_id", "asked_at"),
    )

    id: UUID = Field(primary_key=True)
    campaign_id: UUID
    contact_id: UUID
    token_hash: bytes = Field(sa_type=LargeBinary, unique=True)
    asked_at: datetime = Field(sa_type=UtcDateTime)
    answered_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


@dataclass(frozen=True)
class Progress:
    """How far a campaign is."""

    campaign: Campaign
    asked: int
    answered: int


@dataclass(frozen=True)
class Details:
    """What a contact sees of itself behind the link."""

    confirmation: Confirmation
    contact: Contact
    association: Association
    proposals: Sequence[Proposal]


class ConfirmationStore:
    """Asks contacts, and hears them."""

    def __init__(self, database: Database, *, clock: Clock, public_url: str) -> None:
        self._database = database
        self._clock = clock
        self._public_url = public_url

    async def due(self) -> int:
        """How many contacts a campaign would ask now."""
        counting = select(func.count()).select_from(Contact).join(Association, _OF_IT).where(_due(self._clock.now()))
        async with self._database.read() as session:
            return (await session.execute(counting)).scalar_one()

    async def campaigns(self) -> Sequence[Progress]:
        """The last campaigns that began, newest first, with how many were asked and have answered."""
        began = or_(
            col(Campaign.slot).is_(None),
            col(Campaign.finished_at).is_(None),
            col(Campaign.finished_at) > col(Campaign.started_at),
        )
        rows = (
            select(Campaign, func.count(col(Confirmation.id)), func.count(col(Confirmation.answered_at)))
            .outerjoin(Confirmation, col(Confirmation.campaign_id) == col(Campaign.id))
            .where(began)
            .group_by(*Campaign.__table__.columns)  # type: ignore[attr-defined]  # SQLModel's table
            .order_by(col(Campaign.id).desc())
            .limit(CAMPAIGNS)
        )
        async with self._database.read() as session:
            return [Progress(*row) for row in await session.execute(rows)]

    async def waits_for(self) -> Reason:
        """Why the running campaign asks nobody just now; no reason where none runs."""
        now = self._clock.now()
        async with self._database.read() as session:
            campaign = await _running(session)
            if campaign is None:
                return Reason.NONE
            return wait(now, by_itself=campaign.slot is not None, round_open=await _round_open(session, now))

    async def start(self, *, by: UUID) -> bool:
        """Begin a campaign that asks all who are due; False while another runs."""
        now = self._clock.now()
        async with self._database.write() as session:
            if await _running(session) is not None:
                return False
            await session.execute(insert(Campaign), {"id": new_id(), "slot": None, "started_at": now})
            await record(session, Deed(now, Act.CONFIRMATION_ASKED, by, "registry"))
        return True

    async def begin_half_year(self) -> bool:
        """Begin the campaign of this half-year unless it has begun; True if it begins now.

        The half-year in which an installation starts counts as done: a register that was just taken in is not asked
        about at once.
        """
        now = self._clock.now()
        slot = half_year(now)
        async with self._database.read() as session:
            last = (await session.execute(select(func.max(col(Campaign.slot))))).scalar_one()
        if last is not None and last >= slot:
            return False
        values = {"id": new_id(), "slot": slot, "started_at": now, "finished_at": None if last else now}
        statement = insert_into(self._database.dialect, Campaign).on_conflict_do_nothing()
        async with self._database.write() as session:
            made = await session.execute(statement.returning(col(Campaign.id)), values)
            return made.scalar_one_or_none() is not None and last is not None

    async def ask_some(self) -> tuple[Reason, bool]:
        """Ask the next BATCH of the running campaign. Why nobody was asked, if so; and whether there may be more."""
        now = self._clock.now()
        async with self._database.write() as session:
            campaign = await _running(session)
            if campaign is None:
                return Reason.NONE, False
            reason = wait(now, by_itself=campaign.slot is not None, round_open=await _round_open(session, now))
            if reason:
                return reason, False
            asking = await _next(session, now)
            if asking:
                await self._ask(session, campaign.id, asking, now)
            else:
                ended = update(Campaign).where(col(Campaign.id) == campaign.id)
                await session.execute(ended.values(finished_at=now))
        return Reason.NONE, bool(asking)

    async def _ask(self, session: AsyncSession, campaign_id: UUID, asking: Sequence[Asking], now: datetime) -> None:
        """Save the links and wish for the letters. Of two replicas that ask the same contact, only one does."""
        tokens = {one.contact_id: new_token() for one in asking}
        rows = [
            {
                "id": new_id(),
                "campaign_id": campaign_id,
                "contact_id": own,
                "token_hash": digest(token),
                "asked_at": now,
            }
            for own, token in tokens.items()
        ]
        statement = insert_into(self._database.dialect, Confirmation).on_conflict_do_nothing()
        made = await session.execute(statement.returning(col(Confirmation.id), col(Confirmation.contact_id)), rows)
        ids = {contact_id: confirmation_id for confirmation_id, contact_id in made}
        letters = [
            letter(
                one,
                campaign_id=campaign_id,
                confirmation_id=ids[one.contact_id],
                link=f"{self._public_url}/d/{tokens[one.contact_id]}",
                now=now,
            )
            for one in asking
            if one.contact_id in ids
        ]
        await announce(session, letters)

    async def details(self, token: str) -> Details | None:
        """What stands behind the link; None if it is unknown or too old, or the contact is not in the register."""
        async with self._database.read() as session:
            return await self._behind(session, token)

    async def confirm(self, token: str) -> bool:
        """All is right, says the contact; False if the link leads nowhere."""
        return await self._answer(token, lambda _details: {})

    async def correct(self, token: str, card: Card) -> bool:
        """This is right, says the contact. The address stays: a new one is proposed, never taken from a link."""

        def changed(details: Details) -> dict[str, Any]:
            present = card_of(details.contact)
            wanted = Card(card.name, present.email, card.phone, card.best_time, card.language)
            return changed_columns(details.contact, wanted)

        return await self._answer(token, changed)

    async def propose(self, token: str, kind: ProposalKind, address: str | None = None) -> bool:
        """Keep for the clerk what the contact asks for; saying the same again changes nothing."""
        now = self._clock.now()
        async with self._database.write() as session:
            details = await self._behind(session, token)
            if details is None:
                return False
            if any((one.kind, one.address) == (kind.value, address) for one in details.proposals):
                return True
            values = {
                "id": new_id(),
                "association_id": details.association.id,
                "contact_id": details.contact.id,
                "kind": kind.value,
                "address": address,
                "proposed_at": now,
            }
            await session.execute(insert(Proposal), values)
            await _answered(session, details.confirmation.id, now)
        return True

    async def not_delivered(self, confirmation_id: UUID) -> None:
        """The letter did not arrive: it is shown with the contact, unless the details were confirmed after it."""
        asked = (
            select(col(Confirmation.contact_id))
            .join(Contact, col(Contact.id) == col(Confirmation.contact_id))
            .where(
                col(Confirmation.id) == confirmation_id,
                or_(col(Contact.confirmed_at).is_(None), col(Contact.confirmed_at) <= col(Confirmation.asked_at)),
            )
        )
        failed = update(Contact).where(col(Contact.id).in_(asked)).values(state=ContactState.FAILED.value)
        async with self._database.write() as session:
            await session.execute(failed.execution_options(synchronize_session=False))

    async def _answer(self, token: str, change: Any) -> bool:
        now = self._clock.now()
        async with self._database.write() as session:
            details = await self._behind(session, token)
            if details is None:
                return False
            changed = change(details)
            fresh = {"state": ContactState.CONFIRMED.value, "confirmed_at": now}
            own = update(Contact).where(col(Contact.id) == details.contact.id)
            await session.execute(own.values(**{**changed, **fresh}))
            await _answered(session, details.confirmation.id, now)
            if changed:  # whoever edits the association sees that it is not as it was
                raised = update(Association).where(col(Association.id) == details.association.id)
                await session.execute(raised.values(version=col(Association.version) + 1))
                await tell(session, [details.association.id], now)
        return True

    async def _behind(self, session: AsyncSession, token: str) -> Details | None:
        rows = (
            select(Confirmation, Contact, Association)
            .join(Contact, col(Contact.id) == col(Confirmation.contact_id))
            .join(Association, _OF_IT)
            .where(
                col(Confirmation.token_hash) == digest(token),
                col(Confirmation.asked_at) > self._clock.now() - LINK_VALID,
            )
        )
        found = (await session.execute(rows)).one_or_none()
        if found is None:
            return None
        open_ones = select(Proposal).where(col(Proposal.contact_id) == found[1].id, col(Proposal.decided_at).is_(None))
        proposals = list((await session.execute(open_ones.order_by(col(Proposal.id)))).scalars())
        return Details(found[0], found[1], found[2], proposals)


_OF_IT = col(Association.id) == col(Contact.association_id)


def _due(now: datetime) -> ColumnElement[bool]:
    """The condition for contacts of associations in use who have an address and were not heard of for half a year."""
    before = due_before(now)
    asked = select(col(Confirmation.id)).where(
        col(Confirmation.contact_id) == col(Contact.id), col(Confirmation.asked_at) > before
    )
    return and_(
        col(Association.retired).is_(False),
        col(Contact.email).is_not(None),
        or_(col(Contact.confirmed_at).is_(None), col(Contact.confirmed_at) <= before),
        ~asked.exists(),
    )


async def _next(session: AsyncSession, now: datetime) -> list[Asking]:
    rows = (
        select(col(Contact.id), col(Contact.email), col(Contact.language), col(Association.name))
        .join(Association, _OF_IT)
        .where(_due(now))
        .order_by(col(Contact.id))
        .limit(BATCH)
    )
    return [Asking(own, email or "", language, name) for own, email, language, name in await session.execute(rows)]


async def _running(session: AsyncSession) -> Campaign | None:
    """The campaign that is under way; the oldest, should two be."""
    rows = select(Campaign).where(col(Campaign.finished_at).is_(None)).order_by(col(Campaign.id)).limit(1)
    return (await session.execute(rows)).scalar_one_or_none()


async def _round_open(session: AsyncSession, now: datetime) -> bool:
    rows = select(col(RoundRow.round_id)).where(
        col(RoundRow.realm) == LIVE.id, col(RoundRow.closed_at).is_(None), col(RoundRow.closes_at) > now
    )
    return (await session.execute(rows.limit(1))).scalar_one_or_none() is not None


async def _answered(session: AsyncSession, confirmation_id: UUID, now: datetime) -> None:
    await session.execute(update(Confirmation).where(col(Confirmation.id) == confirmation_id).values(answered_at=now))
