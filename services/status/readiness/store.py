"""Store: standings, their tallies, trend and changes, kept together by delta in one transaction."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Index, func, insert, select
from sqlmodel import Field

from services.status.association.store import associations
from services.status.readiness.model import (
    FRESH,
    Dimension,
    Standing,
    State,
    Tallies,
    TallyKey,
    Verdict,
    difference,
    expire,
    hear,
    nonzero,
    not_reached,
    recounted,
    slot_of,
    tally_deltas,
)
from services.status.schema import StatusTable
from services.status.situation.store import SITUATION
from shared.clock import Clock
from shared.db import Database, UtcDateTime, insert_into
from shared.events.intake import AssociationNotReached, CheckInReceived, OperatingStatus
from shared.events.status import ReadinessChanged
from shared.inbox import unseen
from shared.outbox import announce_all
from shared.plumbing import SERIAL
from shared.realm import Realm

CONSUMER = "readiness"
PAGE = 500

News = CheckInReceived | AssociationNotReached
Place = tuple[str, UUID]
"""A situation: its realm and id."""
Key = tuple[str, UUID, UUID]
"""A standing: realm, situation, association."""


class StandingRow(StatusTable, table=True):
    """How one association stands in one situation. Municipality and sector are those of when it entered."""

    __tablename__ = "standing"
    __table_args__ = (
        Index("standing_newest", "realm", "situation_id", "state", "reported_at"),
        Index("standing_due", "realm", "situation_id", "state", "fresh_until"),
        Index("standing_place", "realm", "situation_id", "municipality", "state"),
    )

    realm: str = Field(primary_key=True)
    situation_id: UUID = Field(primary_key=True)
    association_id: UUID = Field(primary_key=True)
    municipality: str
    sector: str
    state: str
    status: str | None = None
    reported_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    fresh_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    checkin_id: UUID | None = None
    asked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    round_id: UUID | None = None
    reached: bool = True


class TallyRow(StatusTable, table=True):
    """One figure of the picture."""

    __tablename__ = "tally"

    realm: str = Field(primary_key=True)
    situation_id: UUID = Field(primary_key=True)
    dimension: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    state: str = Field(primary_key=True)
    count: int


class TrendRow(StatusTable, table=True):
    """By how many a state's count changed within five minutes."""

    __tablename__ = "trend"

    realm: str = Field(primary_key=True)
    situation_id: UUID = Field(primary_key=True)
    slot: datetime = Field(primary_key=True, sa_type=UtcDateTime)
    state: str = Field(primary_key=True)
    delta: int


class ChangeRow(StatusTable, table=True):
    """One association went from one state to another."""

    __tablename__ = "change"
    __table_args__ = (Index("change_of_situation", "realm", "situation_id", "at"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=SERIAL)
    realm: str
    situation_id: UUID
    association_id: UUID
    name: str
    municipality: str
    before: str
    after: str
    at: datetime = Field(sa_type=UtcDateTime)


_tables = StatusTable.metadata.tables
STANDING = _tables["standing"]
TALLY, TREND, CHANGE = _tables["tally"], _tables["trend"], _tables["change"]
MOVING = (
    "state",
    "status",
    "reported_at",
    "fresh_until",
    "until",
    "checkin_id",
    "asked_at",
    "round_id",
    "reached",
)
"""The columns of a standing that change; the others are its identity and place."""


@dataclass(frozen=True)
class Step:
    """A standing before (None: there was none) and after."""

    before: Standing | None
    after: Standing


class ReadinessStore:
    """Hears what happened to associations, and keeps every figure of the picture true to it."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._hear = database.group(self._write_news)

    async def hear(self, news: News) -> Verdict:
        """Apply a check-in, or that somebody was not reached. The cost does not depend on the number of associations.

        ASSOCIATION_UNKNOWN is the one verdict that is not remembered: the same event may be heard again later.
        """
        return await self._hear(news)

    async def expire_due(self) -> int:
        """Make stale what has outlived its freshness, PAGE standings of one open situation at most; how many."""
        now = self._clock.now()
        due = (
            select(STANDING.c.realm, STANDING.c.situation_id)
            .join(SITUATION, (SITUATION.c.realm == STANDING.c.realm) & (SITUATION.c.id == STANDING.c.situation_id))
            .where(SITUATION.c.closed_at.is_(None), *_due(now))
            .limit(1)
        )
        async with self._database.read() as session:
            place = (await session.execute(due)).first()
        if place is None:
            return 0
        [count] = await self._database.write_many(self._write_expired, [(place[0], place[1])])
        return count

    async def recount(self, realm: Realm, situation_id: UUID) -> Tallies:
        """How far the kept figures are from a recount of the standings; empty when they are equal, as they must be."""
        async with self._database.read() as session:
            connection = await session.connection()
            return await connection.run_sync(_differences, (str(realm), situation_id))

    def _write_news(self, connection: Connection, news: Sequence[News]) -> list[Verdict]:
        now = self._clock.now()
        freshness = lock(connection, {(event.realm, event.situation_id) for event in news})
        standings = _standings(connection, news)
        newcomers = _newcomers(connection, [event for event in news if _key(event) not in standings])
        known = {**newcomers, **standings}
        heard = [event for event in news if _key(event) in known and _key(event)[:2] in freshness]
        first = unseen(connection, CONSUMER, [event.event_id for event in heard], now)
        verdicts = []
        after: dict[Key, Standing] = {}
        for event in news:
            key = _key(event)
            verdict = _hindrance(event, freshness, known, first)
            if verdict is None:
                first.discard(event.event_id)
                outcome = _decide(after.get(key, known[key]), event, freshness[key[:2]], now)
                if isinstance(outcome, Standing):
                    after[key] = outcome
                    outcome = Verdict.HEARD
                verdict = outcome
            verdicts.append(verdict)
        record(connection, [Step(standings.get(key), standing) for key, standing in after.items()], now)
        return verdicts

    def _write_expired(self, connection: Connection, places: Sequence[Place]) -> list[int]:
        now = self._clock.now()
        lock(connection, set(places))
        counts = []
        for realm, situation_id in places:
            here = (STANDING.c.realm == realm, STANDING.c.situation_id == situation_id)
            rows = connection.execute(select(STANDING).where(*here, *_due(now)).limit(PAGE))
            steps = [Step(standing, expire(standing, now)) for standing in map(_standing, rows.mappings())]
            record(connection, steps, now)
            counts.append(len(steps))
        return counts


def lock(connection: Connection, places: Iterable[Place]) -> dict[Place, timedelta]:
    """Wait for every other writer of these situations; the freshness limits of those that exist.

    One writer per situation at a time loses nothing, as all of them meet in the tally of the region anyway, and it
    makes the order of all further row locks harmless. (On SQLite there is one writer in any case.)
    """
    wanted = set(places)
    rows = connection.execute(
        select(SITUATION.c.realm, SITUATION.c.id, SITUATION.c.freshness_hours)
        .where(SITUATION.c.id.in_(sorted({situation_id for _, situation_id in wanted})))
        .order_by(SITUATION.c.realm, SITUATION.c.id)
        .with_for_update()
    )
    return {(realm, id_): timedelta(hours=hours) for realm, id_, hours in rows if (realm, id_) in wanted}


def record(connection: Connection, steps: Sequence[Step], now: datetime) -> None:
    """Save these standings, and with them tallies, trend, changes and the event that wakes the open pictures."""
    if not steps:
        return
    steps = sorted(steps, key=lambda step: _standing_key(step.after))
    rows = [dict(vars(step.after)) for step in steps]
    statement = insert_into(connection.dialect.name, StandingRow)
    moved = {name: statement.excluded[name] for name in MOVING}
    connection.execute(
        statement.on_conflict_do_update(index_elements=["realm", "situation_id", "association_id"], set_=moved), rows
    )
    for place in dict.fromkeys(_standing_key(step.after)[:2] for step in steps):
        own = [step for step in steps if _standing_key(step.after)[:2] == place]
        tallies: Tallies = Counter()
        for step in own:
            before = step.before.state if step.before else None
            tallies.update(
                tally_deltas(before, step.after.state, municipality=step.after.municipality, sector=step.after.sector)
            )
        move_tallies(connection, place, tallies, now)
    _note_changes(connection, [step for step in steps if _state_before(step) != step.after.state], now)


def move_tallies(connection: Connection, place: Place, deltas: Tallies, now: datetime) -> None:
    """Add the deltas to the situation's figures and to its trend, and tell the open pictures to look again."""
    realm, situation_id = place
    figures = [
        {"realm": realm, "situation_id": situation_id, **key._asdict(), "count": count}
        for key, count in sorted(nonzero(deltas).items())
    ]
    if figures:
        statement = insert_into(connection.dialect.name, TallyRow)
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["realm", "situation_id", "dimension", "key", "state"],
                set_={"count": TALLY.c["count"] + statement.excluded["count"]},
            ),
            figures,
        )
        _move_trend(connection, place, deltas, now)
    announce_all(connection, [ReadinessChanged(happened_at=now, realm=Realm(realm), situation_id=situation_id)])


def counted(connection: Connection, place: Place) -> Tallies:
    """The figures of a situation from scratch: reads all its standings."""
    rows = connection.execute(
        select(STANDING.c.municipality, STANDING.c.sector, STANDING.c.state, func.count())
        .where(STANDING.c.realm == place[0], STANDING.c.situation_id == place[1])
        .group_by(STANDING.c.municipality, STANDING.c.sector, STANDING.c.state)
    )
    return recounted((town, sector, State(state), count) for town, sector, state, count in rows)


def _differences(connection: Connection, place: Place) -> Tallies:
    rows = connection.execute(
        select(TALLY.c.dimension, TALLY.c.key, TALLY.c.state, TALLY.c["count"]).where(
            TALLY.c.realm == place[0], TALLY.c.situation_id == place[1]
        )
    )
    kept = {TallyKey(Dimension(dim), key, State(state)): count for dim, key, state, count in rows}
    return difference(Counter(kept), counted(connection, place))


def _move_trend(connection: Connection, place: Place, deltas: Tallies, now: datetime) -> None:
    realm, situation_id = place
    rows = [
        {"realm": realm, "situation_id": situation_id, "slot": slot_of(now), "state": key.state, "delta": count}
        for key, count in sorted(deltas.items())
        if key.dimension is Dimension.REGION
    ]
    if rows:
        statement = insert_into(connection.dialect.name, TrendRow)
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["realm", "situation_id", "slot", "state"],
                set_={"delta": TREND.c.delta + statement.excluded.delta},
            ),
            rows,
        )


def _note_changes(connection: Connection, steps: Sequence[Step], now: datetime) -> None:
    if not steps:
        return
    names = associations(connection, {step.after.association_id for step in steps})
    rows = [
        {
            "realm": step.after.realm,
            "situation_id": step.after.situation_id,
            "association_id": step.after.association_id,
            "name": names[step.after.association_id].name,
            "municipality": step.after.municipality,
            "before": _state_before(step),
            "after": step.after.state,
            "at": now,
        }
        for step in steps
    ]
    connection.execute(insert(ChangeRow), rows)


def _standings(connection: Connection, news: Sequence[News]) -> dict[Key, Standing]:
    rows = connection.execute(
        select(STANDING).where(
            STANDING.c.realm.in_(sorted({event.realm for event in news})),
            STANDING.c.situation_id.in_(sorted({event.situation_id for event in news})),
            STANDING.c.association_id.in_(sorted({event.association_id for event in news})),
        )
    )
    return {_standing_key(standing): standing for standing in map(_standing, rows.mappings())}


def _newcomers(connection: Connection, news: Sequence[News]) -> dict[Key, Standing]:
    """Where those begin who were not asked in the situation: known by the registry, not asked."""
    known = associations(connection, {event.association_id for event in news})
    return {
        _key(event): Standing(
            realm=event.realm,
            situation_id=event.situation_id,
            association_id=event.association_id,
            municipality=known[event.association_id].municipality,
            sector=known[event.association_id].sector,
        )
        for event in news
        if event.association_id in known
    }


def _hindrance(
    event: News, freshness: Mapping[Place, timedelta], known: Mapping[Key, Standing], first: set[UUID]
) -> Verdict | None:
    if (event.realm, event.situation_id) not in freshness:
        return Verdict.SITUATION_UNKNOWN
    if _key(event) not in known:
        return Verdict.ASSOCIATION_UNKNOWN
    return None if event.event_id in first else Verdict.REPEATED


def _decide(standing: Standing, event: News, freshness: timedelta, now: datetime) -> Standing | Verdict:
    if isinstance(event, CheckInReceived):
        return hear(standing, event, freshness=freshness, now=now)
    return not_reached(standing, event)


def _due(now: datetime) -> tuple[Any, ...]:
    return STANDING.c.state.in_(sorted(FRESH)), STANDING.c.fresh_until <= now


def _state_before(step: Step) -> State:
    return step.before.state if step.before else State.NOT_ASKED


def _key(event: News) -> Key:
    return event.realm, event.situation_id, event.association_id


def _standing_key(standing: Standing) -> Key:
    return standing.realm, standing.situation_id, standing.association_id


def _standing(row: Mapping[Any, Any]) -> Standing:
    status = OperatingStatus(row["status"]) if row["status"] else None
    return Standing(**{**row, "realm": Realm(row["realm"]), "state": State(row["state"]), "status": status})
