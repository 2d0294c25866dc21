"""Standing rows: standings are saved, moved and taken away, and every figure with them, in the caller's transaction."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import Connection, bindparam, delete, func, insert, select
from sqlmodel import col

from services.status.answer.model import Answer, Pin
from services.status.association.model import Traits
from services.status.association.store import associations
from services.status.readiness.model import (
    Dimension,
    Group,
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
from shared.events.intake import OperatingStatus
from shared.events.status import ReadinessChanged
from shared.outbox import announce_all
from shared.realm import Realm
from shared.rows import RowReader, RowWriter

Place = tuple[str, UUID]
"""A situation: its realm and id."""
Key = tuple[str, UUID, UUID]
"""A standing: realm, situation, association."""

_tables = StatusTable.metadata.tables
STANDING = _tables["standing"]
TALLY, TREND, CHANGE = _tables["tally"], _tables["trend"], _tables["change"]
ANSWERS = TypeAdapter(tuple[Answer, ...])
COLUMNS: Sequence[str] = STANDING.c.keys()
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


_SAVE = RowWriter(
    StandingRow,
    rest=lambda statement: statement.on_conflict_do_update(
        index_elements=sorted(IDENTITY),
        set_={name: statement.excluded[name] for name in COLUMNS if name not in IDENTITY},
    ),
)


def _save(connection: Connection, standings: Sequence[Standing]) -> None:
    _SAVE(connection, [_row(one) for one in standings])


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


_ADD = RowWriter(
    TallyRow,
    rest=lambda statement: statement.on_conflict_do_update(
        index_elements=["realm", "situation_id", "dimension", "key", "state"],
        set_={"count": TALLY.c["count"] + statement.excluded["count"]},
    ),
)


def move_tallies(connection: Connection, place: Place, deltas: Tallies, now: datetime) -> None:
    """Add the deltas to the situation's figures and to its trend, and tell the open pictures to look again."""
    realm, situation_id = place
    figures = [
        {"realm": realm, "situation_id": situation_id, **key._asdict(), "count": count}
        for key, count in sorted(nonzero(deltas).items())
    ]
    if figures:
        _ADD(connection, figures)
        _move_trend(connection, place, deltas, now)
    announce_all(connection, [ReadinessChanged(happened_at=now, realm=Realm(realm), situation_id=situation_id)])


def counted(connection: Connection, place: Place) -> Tallies:
    """The figures of a situation from scratch: reads all its standings."""
    traits = (STANDING.c.municipality, STANDING.c.sector, STANDING.c.networks, STANDING.c.capabilities)
    rows = connection.execute(
        select(*traits, STANDING.c.state, func.count(), STANDING.c.declined, STANDING.c.disputed)
        .where(STANDING.c.realm == place[0], STANDING.c.situation_id == place[1])
        .group_by(*traits, STANDING.c.state, STANDING.c.declined, STANDING.c.disputed)
    )
    return recounted(Group(Traits(*row[:4]), State(row[4]), *row[5:]) for row in rows)


def differences(connection: Connection, place: Place) -> Tallies:
    """How far the kept figures are from a recount; empty when they are equal."""
    rows = connection.execute(
        select(TALLY.c.dimension, TALLY.c.key, TALLY.c.state, TALLY.c["count"]).where(
            TALLY.c.realm == place[0], TALLY.c.situation_id == place[1]
        )
    )
    kept = {TallyKey(Dimension(dim), key, State(state)): count for dim, key, state, count in rows}
    return difference(Counter(kept), counted(connection, place))


_ADD_TREND = RowWriter(
    TrendRow,
    rest=lambda statement: statement.on_conflict_do_update(
        index_elements=["realm", "situation_id", "slot", "state"],
        set_={"delta": TREND.c.delta + statement.excluded.delta},
    ),
)


def _move_trend(connection: Connection, place: Place, deltas: Tallies, now: datetime) -> None:
    realm, situation_id = place
    rows = [
        {"realm": realm, "situation_id": situation_id, "slot": slot_of(now), "state": key.state, "delta": count}
        for key, count in sorted(deltas.items())
        if key.dimension is Dimension.REGION
    ]
    _ADD_TREND(connection, rows)


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


_STANDINGS = RowReader(
    select(STANDING).where(
        STANDING.c.realm.in_(bindparam("realms", expanding=True)),
        STANDING.c.situation_id.in_(bindparam("situations", expanding=True)),
        STANDING.c.association_id.in_(bindparam("ids", expanding=True)),
    )
)


def standings(connection: Connection, keys: Iterable[Key]) -> dict[Key, Standing]:
    """Those of these standings that there are."""
    wanted = set(keys)
    if not wanted:
        return {}
    realms, situations, ids = (sorted({key[part] for key in wanted}) for part in range(3))
    rows = _STANDINGS(connection, realms=realms, situations=situations, ids=ids)
    found = (standing_of(row._asdict()) for row in rows)
    return {key_of(standing): standing for standing in found if key_of(standing) in wanted}


def standing_of(row: Mapping[Any, Any]) -> Standing:
    """The standing that a row tells of."""
    return Standing(
        **{
            **row,
            "realm": Realm(row["realm"]),
            "state": State(row["state"]),
            "status": OperatingStatus(row["status"]) if row["status"] else None,
            "answers": answers_of(row["answers"]),
            "pin": pin_of(row["pin"]),
        }
    )


def answers_of(column: Any) -> tuple[Answer, ...]:
    """The answers that a column holds."""
    return ANSWERS.validate_python(column or ())


def pin_of(column: Any) -> Pin | None:
    """The pin that a column holds, or none."""
    return Pin.model_validate(column) if column else None


def _row(standing: Standing) -> dict[str, Any]:
    return {
        **vars(standing),
        "answers": ANSWERS.dump_python(standing.answers, mode="json") or None,
        "pin": standing.pin.model_dump(mode="json") if standing.pin else None,
    }


def key_of(standing: Standing) -> Key:
    """What tells a standing from all others."""
    return standing.realm, standing.situation_id, standing.association_id


def _state_before(step: Step) -> State:
    return step.before.state if step.before else State.NOT_ASKED
