"""Store: reads what the picture shows. The cost is that of the figures, not of the associations."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, func, select

from services.status.answer.model import Answer, Pin
from services.status.association.model import Traits
from services.status.association.store import ASSOCIATION, ids_in_sight
from services.status.picture.model import LIVE_CHANGES, NEWEST_CHANGES, Change, Glance, TrendStep
from services.status.readiness.model import FRESH, Dimension, State, Tallies, TallyKey
from services.status.readiness.standing_rows import CHANGE, STANDING, TALLY, TREND, answers_of, pin_of
from services.status.situation.model import Situation
from shared.db import Database
from shared.identity import Within
from shared.realm import LIVE
from shared.rows import RowReader

LIST_PAGE = 50


@dataclass(frozen=True)
class Listed:
    """One association on the list of a municipality."""

    association_id: UUID
    name: str
    sector: str
    state: State
    reported_at: datetime | None
    until: datetime | None
    answers: tuple[Answer, ...]
    pin: Pin | None
    disputed: bool


ANSWERED = (*sorted(FRESH), State.STALE)
"""The states in which answers are."""


def _here(table: Any) -> tuple[Any, Any]:
    return table.c.realm == bindparam("in_realm"), table.c.situation_id == bindparam("situation")


def _of(situation: Situation) -> dict[str, Any]:
    return {"in_realm": situation.realm.id, "situation": situation.id}


class PictureStore:
    """Looks at a situation."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def glance(self, situation: Situation, *, since: datetime, within: Within = None) -> Glance:
        """All figures of the situation, and the LIVE_CHANGES newest changes after `since`, in one consistent state;
        the figures are everybody's, the changes, which name associations, those `within` sight."""

        def read(connection: Connection) -> Glance:
            return Glance(
                tallies=_tallies(connection, situation),
                newest=_newest(connection, situation),
                trend=_trend(connection, situation),
                changes=_changes(connection, situation, since, limit=LIVE_CHANGES, within=within),
            )

        return await self._database.look(read)

    async def changes(self, situation: Situation, *, since: datetime, within: Within = None) -> Sequence[Change]:
        """The NEWEST_CHANGES newest changes after `since`, newest first, `within` sight."""
        return await self._database.look(
            partial(_changes, situation=situation, since=since, limit=NEWEST_CHANGES, within=within)
        )

    async def counts(self, situation: Situation) -> list[tuple[Traits, State, int]]:
        """How many associations of the same traits are in the same state: as many rows as there are such groups.

        Reads every standing once; for a table that somebody asks for, not for the live picture.
        """
        traits = (STANDING.c.municipality, STANDING.c.sector, STANDING.c.networks, STANDING.c.capabilities)
        groups = select(*traits, STANDING.c.state, func.count()).where(*_in(STANDING, situation))
        async with self._database.read() as session:
            rows = await session.execute(groups.group_by(*traits, STANDING.c.state))
            return [(Traits(*row[:4]), State(row[4]), row[5]) for row in rows]

    async def listed(
        self, situation: Situation, municipality: str, *, state: State | None, page: int, within: Within = None
    ) -> tuple[list[Listed], int]:
        """One page (from 1) of a municipality's associations by name, `within` sight, and how many there are in all."""
        wanted = [*_in(STANDING, situation), STANDING.c.municipality == municipality]
        wanted += ids_in_sight(within, STANDING.c.association_id)
        if state is not None:
            wanted.append(STANDING.c.state == state)
        named = (ASSOCIATION.c.association_id == STANDING.c.association_id) & (ASSOCIATION.c.realm == LIVE)
        rows = (
            select(
                STANDING.c.association_id,
                ASSOCIATION.c.name,
                STANDING.c.sector,
                STANDING.c.state,
                STANDING.c.reported_at,
                STANDING.c.until,
                STANDING.c.answers,
                STANDING.c.pin,
                STANDING.c.disputed,
            )
            .join(ASSOCIATION, named)
            .where(*wanted)
            .order_by(ASSOCIATION.c.name, STANDING.c.association_id)
            .offset((page - 1) * LIST_PAGE)
            .limit(LIST_PAGE)
        )
        async with self._database.read() as session:
            found = await session.execute(rows)
            listed = [
                Listed(id_, name, sector, State(state_now), at, until, answers_of(answers), pin_of(pin), disputed)
                for id_, name, sector, state_now, at, until, answers, pin, disputed in found
            ]
            total = await session.execute(select(func.count()).select_from(STANDING).where(*wanted))
            return listed, int(total.scalar_one())


_TALLIES = RowReader(
    select(TALLY.c.dimension, TALLY.c.key, TALLY.c.state, TALLY.c["count"]).where(
        *_here(TALLY), TALLY.c.dimension != Dimension.CAPABILITY_AREA.value, TALLY.c["count"] != 0
    )
)


def _tallies(connection: Connection, situation: Situation) -> Tallies:
    rows = _TALLIES(connection, **_of(situation))
    return Counter({TallyKey(Dimension(dim), key, State(state)): count for dim, key, state, count in rows})


_NEWEST = RowReader(
    select(
        *(
            select(func.max(STANDING.c.reported_at))
            .where(*_here(STANDING), STANDING.c.state == state)
            .scalar_subquery()
            .label(state.name.lower())
            for state in ANSWERED
        )
    )
)
"""Each is one step into an index."""


def _newest(connection: Connection, situation: Situation) -> dict[State, datetime]:
    """For each state in which answers are, when the newest was given."""
    [moments] = _NEWEST(connection, **_of(situation))
    return {state: at for state, at in zip(ANSWERED, moments, strict=True) if at is not None}


_TREND = RowReader(select(TREND.c.slot, TREND.c.state, TREND.c.delta).where(*_here(TREND)))


def _trend(connection: Connection, situation: Situation) -> list[TrendStep]:
    return [TrendStep(slot, State(state), delta) for slot, state, delta in _TREND(connection, **_of(situation))]


def _changes(
    connection: Connection, situation: Situation, since: datetime, *, limit: int, within: Within
) -> list[Change]:
    columns = (CHANGE.c.association_id, CHANGE.c.name, CHANGE.c.municipality, CHANGE.c.before, CHANGE.c.after)
    seen = ids_in_sight(within, CHANGE.c.association_id)
    rows = connection.execute(
        select(*columns, CHANGE.c.at)
        .where(*_in(CHANGE, situation), CHANGE.c.at > since, *seen)
        .order_by(CHANGE.c.at.desc(), CHANGE.c.id.desc())
        .limit(limit)
    )
    return [
        Change(id_, name, municipality, State(before), State(after), at)
        for id_, name, municipality, before, after, at in rows
    ]


def _in(table: Any, situation: Situation) -> tuple[Any, Any]:
    return table.c.realm == situation.realm, table.c.situation_id == situation.id
