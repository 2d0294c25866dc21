"""Store: finds who can do something, by the register and by what was offered."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select

from services.status.aid.model import Side
from services.status.aid.store import AID
from services.status.association.store import ASSOCIATION, in_sight
from services.status.capability.model import OPERATES, Ability, Able, Answer, answer
from services.status.readiness.model import State
from services.status.readiness.standing_rows import STANDING
from services.status.schema import has_code
from services.status.situation.model import Situation
from shared.db import Database
from shared.identity import Within
from shared.realm import LIVE

LIST_PAGE = 50
EXPORTED = 10_000
"""Rows of one export at most."""


class CapabilityStore:
    """Who can do what."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def able(
        self,
        situation: Situation,
        capability: str,
        municipalities: Sequence[str],
        *,
        page: int,
        size: int = LIST_PAGE,
        network: str = "",
        within: Within = None,
    ) -> tuple[list[Able], Ability]:
        """One page (from 1) of those `within` sight who have the capability in these municipalities, and how they are
        together; `network` "" is all.

        First those who can by a fresh answer, the best first; then those who cannot; then those of whom it is not
        known.
        """
        having = _having(situation, capability, municipalities).where(*in_sight(within))
        if network:
            having = having.where(has_code(STANDING.c.networks, network))
        order = case({state.value: place for place, state in enumerate(ORDER)}, value=STANDING.c.state)
        rows = having.order_by(order, ASSOCIATION.c.name, STANDING.c.association_id)
        async with self._database.read() as session:
            found = await session.execute(rows.offset((page - 1) * size).limit(size))
            listed = [_able(row) for row in found]
            states = having.with_only_columns(STANDING.c.state, func.count()).group_by(STANDING.c.state)
            counts: Counter[Answer] = Counter()
            for state, count in await session.execute(states):
                counts[answer(State(state))] += count
        return listed, Ability(counts[Answer.CAN], counts[Answer.CANNOT], counts[Answer.NOT_KNOWN])


ORDER = (*sorted(OPERATES, reverse=True), State.SUSPENDED, State.STALE, State.NOT_ANSWERED, State.UNDELIVERABLE)


def _having(situation: Situation, capability: str, municipalities: Sequence[str]) -> Select[Any]:
    named = and_(ASSOCIATION.c.association_id == STANDING.c.association_id, ASSOCIATION.c.realm == LIVE)
    offered = and_(
        AID.c.realm == STANDING.c.realm,
        AID.c.situation_id == STANDING.c.situation_id,
        AID.c.association_id == STANDING.c.association_id,
        AID.c.side == Side.OFFER.value,
        AID.c.capability == capability,
    )
    registered: ColumnElement[bool] = has_code(STANDING.c.capabilities, capability)
    columns = (STANDING.c.association_id, ASSOCIATION.c.name, STANDING.c.municipality, STANDING.c.state)
    return (
        select(
            *columns,
            STANDING.c.reported_at,
            STANDING.c.until,
            registered.label("registered"),
            AID.c.association_id.is_not(None).label("offered"),
            AID.c.amount,
            STANDING.c.networks,
        )
        .select_from(STANDING)
        .join(ASSOCIATION, named)
        .outerjoin(AID, offered)
        .where(STANDING.c.realm == situation.realm, STANDING.c.situation_id == situation.id)
        .where(STANDING.c.municipality.in_(sorted(municipalities)), or_(registered, AID.c.association_id.is_not(None)))
    )


def _able(row: Any) -> Able:
    return Able(
        association_id=row.association_id,
        name=row.name,
        municipality=row.municipality,
        state=State(row.state),
        reported_at=row.reported_at,
        until=row.until,
        registered=bool(row.registered),
        offered=bool(row.offered),
        amount=row.amount,
        networks=row.networks,
    )
