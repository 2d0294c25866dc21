"""Store: rules and their calls. A look reads as many figures as there are rules, however many associations."""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, and_, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import Field

from services.status.attention.model import (
    MOST_RULES,
    Flaw,
    Refused,
    Rule,
    Subject,
    Watch,
    Watched,
    figures_of,
    look,
    read,
)
from services.status.readiness.model import Dimension, State, Tallies, TallyKey
from services.status.readiness.standing_rows import TALLY
from services.status.schema import StatusTable
from services.status.situation.store import ROUND, SITUATION
from shared.clock import Clock
from shared.db import Database, UtcDateTime, insert_into
from shared.events.status import ReadinessChanged
from shared.outbox import announce
from shared.realm import Realm

LOOK_EVERY = timedelta(seconds=20)


class RuleRow(StatusTable, table=True):
    """A rule, and what is known of its figure."""

    __tablename__ = "attention_rule"

    realm: str = Field(primary_key=True)
    situation_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    subject: str
    area: str
    capability: str
    wanted: int
    hours: int
    made_at: datetime = Field(sa_type=UtcDateTime)
    made_by: UUID
    value: int | None = None
    low_since: datetime | None = Field(default=None, sa_type=UtcDateTime)
    opened_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    told_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    acknowledged_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    acknowledged_by: UUID | None = None
    acknowledged_until: datetime | None = Field(default=None, sa_type=UtcDateTime)


class AttentionRow(StatusTable, table=True):
    """When a situation's figures were last looked at, and when its calls were last told."""

    __tablename__ = "attention"

    realm: str = Field(primary_key=True)
    situation_id: UUID = Field(primary_key=True)
    looked_at: datetime = Field(sa_type=UtcDateTime, index=True)
    told_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


RULE, ATTENTION = StatusTable.metadata.tables["attention_rule"], StatusTable.metadata.tables["attention"]
LOOKED_AT = ("value", "low_since", "opened_at", "told_at", "ended_at")
"""What a look changes; the rest belongs to whoever acknowledges."""


class AttentionStore:
    """Keeps rules, and calls where figures are too low."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def listed(self, realm: Realm, situation_id: UUID) -> list[Watched]:
        """The rules of a situation, the oldest first."""
        return await self._database.look(partial(_rules, realm=realm, situation_id=situation_id))

    async def calls(self, realm: Realm, situation_id: UUID) -> list[Watched]:
        """Those for which there is a call now, the oldest call first."""
        called = [one for one in await self.listed(realm, situation_id) if one.watch.opened_at]
        return sorted(called, key=lambda one: (one.watch.opened_at or one.rule.made_at, one.rule.id))

    async def set_rule(self, rule: Rule) -> Refused | None:
        """Save a rule; saving the same one again changes nothing. Refused if there are MOST_RULES, or if the
        situation has been closed meanwhile."""
        here = {"realm": str(rule.realm), "situation_id": rule.situation_id}
        async with self._database.write() as session:
            locked = select(SITUATION.c.closed_at).where(
                SITUATION.c.realm == rule.realm, SITUATION.c.id == rule.situation_id
            )
            if (await session.execute(locked.with_for_update())).scalar_one() is not None:
                return Refused((Flaw.SITUATION_CLOSED,))
            rules = await (await session.connection()).run_sync(_rules, rule.realm, rule.situation_id)
            if rule.id in {one.rule.id for one in rules}:
                return None
            if len(rules) >= MOST_RULES:
                return Refused((Flaw.TOO_MANY,))
            await session.execute(insert_into(self._database.dialect, RuleRow), [dict(vars(rule))])
            first = insert_into(self._database.dialect, AttentionRow).on_conflict_do_nothing()
            await session.execute(first, [{**here, "looked_at": rule.made_at - LOOK_EVERY}])
        return None

    async def remove(self, realm: Realm, situation_id: UUID, rule_id: UUID) -> None:
        """Forget a rule and its call; forgetting it again changes nothing."""
        async with self._database.write() as session:
            gone = delete(RULE).where(*_is(realm, situation_id, rule_id)).returning(RULE.c.opened_at)
            found = (await session.execute(gone)).first()
            if found is not None and found.opened_at is not None:
                await self._wake(session, realm, situation_id)

    async def acknowledge(self, realm: Realm, situation_id: UUID, rule_id: UUID, *, hours: int, by: UUID) -> bool:
        """Keep a call quiet for so many hours; False if there is no such call any more."""
        now = self._clock.now()
        noted = (
            update(RULE)
            .where(*_is(realm, situation_id, rule_id), RULE.c.opened_at.is_not(None))
            .values(acknowledged_at=now, acknowledged_by=by, acknowledged_until=now + timedelta(hours=hours))
            .returning(RULE.c.id)
        )
        async with self._database.write() as session:
            if (await session.execute(noted)).first() is None:
                return False
            await self._wake(session, realm, situation_id)
        return True

    async def look_next(self) -> bool:
        """Look at the figures of the one open situation whose look is longest due; False if none is due.

        It is claimed by a conditional update: of two replicas one looks.
        """
        now = self._clock.now()
        due = (
            select(ATTENTION.c.realm, ATTENTION.c.situation_id, ATTENTION.c.looked_at, ATTENTION.c.told_at)
            .join(SITUATION, and_(SITUATION.c.realm == ATTENTION.c.realm, SITUATION.c.id == ATTENTION.c.situation_id))
            .where(SITUATION.c.closed_at.is_(None), ATTENTION.c.looked_at <= now - LOOK_EVERY)
            .order_by(ATTENTION.c.looked_at)
            .limit(1)
        )
        async with self._database.read() as session:
            row = (await session.execute(due)).first()
        if row is None:
            return False
        async with self._database.write() as session:
            here = (ATTENTION.c.realm == row.realm, ATTENTION.c.situation_id == row.situation_id)
            claim = update(ATTENTION).where(*here, ATTENTION.c.looked_at == row.looked_at).values(looked_at=now)
            if (await session.execute(claim.returning(ATTENTION.c.realm))).first() is not None:
                await self._look(session, Realm(row.realm), row.situation_id, told_at=row.told_at, now=now)
        return True

    async def _look(
        self, session: AsyncSession, realm: Realm, situation_id: UUID, *, told_at: datetime | None, now: datetime
    ) -> None:
        watched = {one.rule.id: one for one in await (await session.connection()).run_sync(_rules, realm, situation_id)}
        asked_since = await _asked_since(session, realm, situation_id)
        tallies = await _tallies(session, realm, situation_id, {figures_of(one.rule) for one in watched.values()})
        values = {
            rule_id: read(one.rule, tallies, asked_since=asked_since, now=now) for rule_id, one in watched.items()
        }
        looked = look(watched, values, told_at=told_at, now=now)
        before = {rule_id: one.watch for rule_id, one in watched.items()}
        changed = {rule_id: watch for rule_id, watch in looked.watches.items() if watch != before[rule_id]}
        for rule_id, watch in changed.items():
            moved = {name: getattr(watch, name) for name in LOOKED_AT}
            await session.execute(update(RULE).where(*_is(realm, situation_id, rule_id)).values(**moved))
        if looked.told:
            here = (ATTENTION.c.realm == realm, ATTENTION.c.situation_id == situation_id)
            await session.execute(update(ATTENTION).where(*here).values(told_at=now))
        if any(watch.opened_at != before[rule_id].opened_at for rule_id, watch in changed.items()) or looked.told:
            await self._wake(session, realm, situation_id)

    async def _wake(self, session: AsyncSession, realm: Realm, situation_id: UUID) -> None:
        """Have the open pictures look again."""
        await announce(
            session, [ReadinessChanged(happened_at=self._clock.now(), realm=realm, situation_id=situation_id)]
        )


def _rules(connection: Connection, realm: Realm, situation_id: UUID) -> list[Watched]:
    rows = connection.execute(
        select(RULE)
        .where(RULE.c.realm == realm, RULE.c.situation_id == situation_id)
        .order_by(RULE.c.made_at, RULE.c.id)
    )
    return [_watched(row) for row in rows.mappings()]


def _watched(row: Mapping[Any, Any]) -> Watched:
    values = {**row, "realm": Realm(row["realm"]), "subject": Subject(row["subject"])}
    return Watched(
        Rule(**{one.name: values[one.name] for one in fields(Rule)}),
        Watch(**{one.name: values[one.name] for one in fields(Watch)}),
    )


async def _asked_since(session: AsyncSession, realm: Realm, situation_id: UUID) -> datetime | None:
    """When the situation's first round was opened."""
    first = select(func.min(ROUND.c.opened_at)).where(ROUND.c.realm == realm, ROUND.c.situation_id == situation_id)
    asked_since: datetime | None = (await session.execute(first)).scalar()
    return asked_since


async def _tallies(
    session: AsyncSession, realm: Realm, situation_id: UUID, keys: Iterable[tuple[Dimension, str]]
) -> Tallies:
    """The figures of these keys, each found by its own index entry."""
    wanted = [and_(TALLY.c.dimension == dimension.value, TALLY.c.key == key) for dimension, key in sorted(keys)]
    tallies: Tallies = Tallies()
    if wanted:
        rows = await session.execute(
            select(TALLY.c.dimension, TALLY.c.key, TALLY.c.state, TALLY.c["count"]).where(
                TALLY.c.realm == realm, TALLY.c.situation_id == situation_id, or_(*wanted)
            )
        )
        tallies.update({TallyKey(Dimension(dim), key, State(state)): count for dim, key, state, count in rows})
    return tallies


def _is(realm: Realm, situation_id: UUID, rule_id: UUID) -> tuple[Any, ...]:
    return RULE.c.realm == realm, RULE.c.situation_id == situation_id, RULE.c.id == rule_id
