"""Standing rows: standings are saved, moved and taken away, and every figure with them, in the caller's transaction."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, delete, func, insert, select
from sqlmodel import col

from services.status.association.model import Traits
from services.status.association.store import associations
from services.status.readiness.model import (
    Dimension,
    Standing,
    State,
    Tallies,
    TallyKey,
    difference,
    nonzero,
    recounted,
    slot_of,
    tally_deltas,
)
from services.status.readiness.schema import ChangeRow, StandingRow, TallyRow, TrendRow
from services.status.schema import StatusTable
from services.status.situation.store import SITUATION
from shared.db import insert_into
from shared.events.intake import OperatingStatus
from shared.events.status import ReadinessChanged
from shared.outbox import announce_all
from shared.realm import Realm

Place = tuple[str, UUID]
"""A situation: its realm and id."""
Key = tuple[str, UUID, UUID]
"""A standing: realm, situation, association."""

_tables = StatusTable.metadata.tables
STANDING = _tables["standing"]
TALLY, TREND, CHANGE = _tables["tally"], _tables["trend"], _tables["change"]
IDENTITY = frozenset({"realm", "situation_id", "association_id"})
"""The columns of a standing that never change."""


@dataclass(frozen=True)
class Step:
    """A standing before (None: there was none) and after (None: there is none any more)."""

    before: Standing | None
    after: Standing | None

    @property
    def standing(self) -> Standing:
        """The one that there is. Raises ValueError for a step from nothing to nothing."""
        found = self.after or self.before
        if found is None:
            raise ValueError("a step needs a standing")
        return found

    @property
    def place(self) -> Place:
        """The situation in which it is taken."""
        return self.standing.realm, self.standing.situation_id


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
    steps = sorted((step for step in steps if step.before != step.after), key=lambda step: key_of(step.standing))
    if not steps:
        return
    _save(connection, [step.after for step in steps if step.after])
    _take_away(connection, [step.standing for step in steps if not step.after])
    for place in dict.fromkeys(step.place for step in steps):
        tallies: Tallies = Counter()
        for step in steps:
            if step.place == place:
                tallies.update(tally_deltas(step.before, step.after))
        move_tallies(connection, place, tallies, now)
    _note_changes(connection, [step for step in steps if step.after and _state_before(step) != step.after.state], now)


def _save(connection: Connection, standings: Sequence[Standing]) -> None:
    if standings:
        statement = insert_into(connection.dialect.name, StandingRow)
        moved = {name: statement.excluded[name] for name in STANDING.c.keys() if name not in IDENTITY}  # noqa: SIM118 - no dict
        keys = sorted(IDENTITY)
        connection.execute(
            statement.on_conflict_do_update(index_elements=keys, set_=moved), [dict(vars(one)) for one in standings]
        )


def _take_away(connection: Connection, standings: Sequence[Standing]) -> None:
    if standings:
        gone = (
            delete(StandingRow)
            .where(col(StandingRow.realm) == bindparam("in_realm"))
            .where(col(StandingRow.situation_id) == bindparam("situation"))
            .where(col(StandingRow.association_id) == bindparam("association"))
        )
        keys = [dict(zip(("in_realm", "situation", "association"), key_of(one), strict=True)) for one in standings]
        connection.execute(gone, keys)


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
    traits = (STANDING.c.municipality, STANDING.c.sector, STANDING.c.networks, STANDING.c.capabilities)
    rows = connection.execute(
        select(*traits, STANDING.c.state, STANDING.c.declined, func.count())
        .where(STANDING.c.realm == place[0], STANDING.c.situation_id == place[1])
        .group_by(*traits, STANDING.c.state, STANDING.c.declined)
    )
    return recounted((Traits(*row[:4]), State(row[4]), row[5], row[6]) for row in rows)


def differences(connection: Connection, place: Place) -> Tallies:
    """How far the kept figures are from a recount; empty when they are equal."""
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
    names = associations(connection, {step.standing.association_id for step in steps})
    rows = [
        {
            "realm": step.standing.realm,
            "situation_id": step.standing.situation_id,
            "association_id": step.standing.association_id,
            "name": names[step.standing.association_id].name,
            "municipality": step.standing.municipality,
            "before": _state_before(step),
            "after": step.standing.state,
            "at": now,
        }
        for step in steps
    ]
    connection.execute(insert(ChangeRow), rows)


def standings(connection: Connection, keys: Iterable[Key]) -> dict[Key, Standing]:
    """Those of these standings that there are."""
    wanted = set(keys)
    realms, situations, ids = (sorted({key[part] for key in wanted}) for part in range(3))
    rows = connection.execute(
        select(STANDING).where(
            STANDING.c.realm.in_(realms), STANDING.c.situation_id.in_(situations), STANDING.c.association_id.in_(ids)
        )
    )
    found = map(standing_of, rows.mappings())
    return {key_of(standing): standing for standing in found if key_of(standing) in wanted}


def standing_of(row: Mapping[Any, Any]) -> Standing:
    """The standing that a row tells of."""
    status = OperatingStatus(row["status"]) if row["status"] else None
    return Standing(**{**row, "realm": Realm(row["realm"]), "state": State(row["state"]), "status": status})


def key_of(standing: Standing) -> Key:
    """What tells a standing from all others."""
    return standing.realm, standing.situation_id, standing.association_id


def _state_before(step: Step) -> State:
    return step.before.state if step.before else State.NOT_ASKED
