"""Capabilities store: the register's word on who can do what, and the fresh answers of a situation. It only reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from services.intake.capabilities.model import Able, Answered, Person, enough, order, standing
from services.intake.checkin.store import CheckInRow
from services.intake.invitation.store import Invitation, RoundRow
from services.intake.registry.model import Wanted
from services.intake.registry.store import Association, AssociationCapability, Contact, matching
from services.intake.rehearsal.store import takes_part
from shared.clock import Clock
from shared.db import Database
from shared.events.intake import OperatingStatus
from shared.realm import LIVE, Realm

RECENT = timedelta(days=7)
SITUATIONS = 20


@dataclass(frozen=True)
class Situation:
    """A situation in which associations were asked; `names` by locale."""

    situation_id: UUID
    realm: Realm
    names: Mapping[str, str]
    round_ids: tuple[UUID, ...]


class CapabilityStore:
    """Who can do what, and where."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def situations(self) -> Sequence[Situation]:
        """Those with a round that is open or ended within a week; the real ones first, the newest first."""
        now = self._clock.now()
        recent = (
            select(RoundRow)
            .where(col(RoundRow.closes_at) > now - RECENT)
            .order_by(col(RoundRow.round_id).desc())
            .limit(10 * SITUATIONS)
        )
        async with self._database.read() as session:
            rounds = list((await session.execute(recent)).scalars())
        by_id: dict[UUID, list[RoundRow]] = {}
        for row in rounds:
            if row.names:  # a round whose closing was heard before its opening asked nobody
                by_id.setdefault(row.situation_id, []).append(row)
        found = [
            Situation(own, Realm(rows[0].realm), rows[0].names, tuple(row.round_id for row in rows))
            for own, rows in by_id.items()
        ]
        return sorted(found, key=lambda one: not one.realm.live)[:SITUATIONS]

    async def who_can(
        self, capability: str, area: Wanted, *, least: int = 1, situation: Situation | None = None
    ) -> Sequence[Able]:
        """Everybody in the area who can do this by the register, or who offered it in the situation.

        Those who can now come first. `area` holds the place and what may be seen; of it, nothing else is looked at.
        """
        here = matching(
            Wanted(municipality=area.municipality, sub_region=area.sub_region, within=area.within, of=area.of)
        )
        async with self._database.read() as session:
            registered = await _registered(session, capability, here)
            answers = await _answers(session, capability, here, situation) if situation else {}
            asked = await _asked(session, here, situation) if situation else set()
            offering = [own for own, (answered, _) in answers.items() if answered.offered]
            ids = {*registered, *offering}
            contacts = await _first_contacts(session, here, ids, realm=situation.realm if situation else LIVE)
        now = self._clock.now()
        able = []
        for own in ids:
            answered, association = answers.get(own, (None, None))
            known = registered.get(own)
            row = known.Association if known else association
            assert row is not None  # noqa: S101 - every id comes from one of the two
            able.append(
                Able(
                    association_id=own,
                    name=row.name,
                    municipality=row.municipality,
                    registered=known is not None,
                    amount=known.amount if known else None,
                    note=known.note if known else "",
                    answered=answered,
                    standing=standing(answered, asked=own in asked, now=now) if situation else None,
                    contact=contacts.get(own),
                )
            )
        return sorted((one for one in able if enough(one, least)), key=order)


async def _registered(session: AsyncSession, capability: str, here: ColumnElement[bool]) -> dict[UUID, Any]:
    able = AssociationCapability
    rows = select(Association, col(able.amount), col(able.note)).join(
        able, and_(col(able.association_id) == col(Association.id), col(able.capability) == capability)
    )
    return {row.Association.id: row for row in await session.execute(rows.where(here))}


async def _asked(session: AsyncSession, here: ColumnElement[bool], situation: Situation) -> set[UUID]:
    rows = (
        select(col(Invitation.association_id))
        .join(Association, col(Association.id) == col(Invitation.association_id))
        .where(col(Invitation.round_id).in_(situation.round_ids), here)
    )
    return set((await session.execute(rows)).scalars())


async def _answers(
    session: AsyncSession, capability: str, here: ColumnElement[bool], situation: Situation
) -> dict[UUID, tuple[Answered, Association]]:
    """The present answer of each association of the area: the last one, whichever round it was given in."""
    newest = func.row_number().over(
        partition_by=col(CheckInRow.association_id),
        order_by=(col(CheckInRow.reported_at).desc(), col(CheckInRow.id).desc()),
    )
    ranked = (
        select(col(CheckInRow.id), newest.label("age"))
        .where(col(CheckInRow.round_id).in_(situation.round_ids))
        .subquery()
    )
    rows = (
        select(CheckInRow, Association)
        .join(ranked, and_(ranked.c.id == col(CheckInRow.id), ranked.c.age == 1))
        .join(Association, col(Association.id) == col(CheckInRow.association_id))
        .where(here)
    )
    return {
        answer.association_id: (_answered(answer, capability), association)
        for answer, association in await session.execute(rows)
    }


def _answered(row: CheckInRow, capability: str) -> Answered:
    offer = next((one for one in row.offers if one.get("capability") == capability), None)
    at: datetime = row.reported_at
    return Answered(
        status=OperatingStatus(row.status),
        at=at,
        until=row.until,
        offered=offer is not None,
        amount=offer.get("amount") if offer else None,
    )


async def _first_contacts(
    session: AsyncSession, here: ColumnElement[bool], ids: set[UUID], *, realm: Realm
) -> dict[UUID, Person]:
    """Whom to call first; in an exercise only those who take part in it."""
    rows = (
        select(Contact)
        .join(Association, col(Association.id) == col(Contact.association_id))
        .where(here, takes_part(realm))
        .order_by(col(Contact.association_id), col(Contact.position).desc())
    )
    return {
        one.association_id: Person(one.name, one.phone, one.best_time)
        for one in (await session.execute(rows)).scalars()
        if one.association_id in ids
    }
