"""What a check-in costs the picture, with three thousand standings in a situation and with a million."""

import asyncio
import random
import sqlite3
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from uuid import UUID

from benchmarks.results import Measured, Result, at_most
from services.status.readiness.model import State, Verdict, recounted
from services.status.readiness.store import ReadinessStore
from services.status.schema import StatusTable
from services.status.situation.model import (
    ALL_MUNICIPALITIES,
    ALL_SECTORS,
    Names,
    Opened,
    SituationDraft,
    open_situation,
)
from services.status.situation.store import SituationStore
from shared.clock import SystemClock
from shared.db import Database
from shared.events.intake import Channel, CheckInReceived, OperatingStatus
from shared.ids import new_id
from shared.plumbing import Plumbing
from shared.realm import LIVE

SIZES = (3_253, 100_000, 1_000_000)
GROUP = 100
GROUPS = 30
ROUNDS = 3
WARM_UP = 10
FIRST = 0x0199_0000_0000_7000_8000_0000_0000_0000
"""The first association's id; the others count on from it, as ids of one import do."""


class CostError(Exception):
    """The figures do not stand as they must: what was measured is worth nothing."""


@dataclass(frozen=True)
class Region:
    """A situation of so many standings, ready to hear."""

    size: int
    database: Database
    situation_id: UUID
    round_id: UUID
    store: ReadinessStore

    async def hear(self, groups: int) -> float:
        """Let `groups` groups of check-ins come in; microseconds for one check-in."""
        took = 0.0
        for _ in range(groups):
            news = [self._checkin(number) for number in random.sample(range(self.size), GROUP)]
            began = time.perf_counter()
            verdicts = await asyncio.gather(*(self.store.hear(event) for event in news))
            took += time.perf_counter() - began
            if set(verdicts) != {Verdict.HEARD}:
                raise CostError(f"not all were heard: {set(verdicts)}")
        return took / groups / GROUP * 1e6

    def _checkin(self, number: int) -> CheckInReceived:
        now = datetime.now(UTC)
        return CheckInReceived(
            happened_at=now,
            realm=LIVE,
            checkin_id=new_id(),
            association_id=UUID(int=FIRST + number),
            situation_id=self.situation_id,
            round_id=self.round_id,
            status=random.choice(list(OperatingStatus)),  # noqa: S311 - a load, no secret
            reported_at=now,
            channel=Channel.LINK,
        )


def checkin_cost_flat(folder: Path) -> Sequence[Result]:
    """Groups of a hundred check-ins at each size in turn."""
    costs = asyncio.run(_measure(folder))
    few, *_, most = (costs[size] for size in SIZES)
    told = ", ".join(f"{cost:,.0f} µs at {size:,}" for size, cost in costs.items())
    return (Result("checkin_cost_flat", Measured(most / few, "x", told, most / few), at_most(2)),)


async def _measure(folder: Path) -> dict[int, float]:
    regions = [await _region(folder / f"standings{size}.db", size) for size in SIZES]
    costs: dict[int, list[float]] = {size: [] for size in SIZES}
    for region in regions:
        await region.hear(WARM_UP)
    for _ in range(ROUNDS):
        for region in regions:
            costs[region.size].append(await region.hear(GROUPS))
    for region in regions:
        if await region.store.recount(LIVE, region.situation_id):
            raise CostError("the tallies differ from a recount")
        await region.database.close()
    return {size: median(found) for size, found in costs.items()}


async def _region(path: Path, size: int) -> Region:
    """A situation with so many standings of associations that were asked and are silent, loaded by SQL."""
    clock = SystemClock()
    database = Database(f"sqlite+aiosqlite:///{path}")
    await database.create_tables(Plumbing.metadata, StatusTable.metadata)
    opened = open_situation(
        SituationDraft(Names("Myrsky", "Storm", "Storm"), "storm", ALL_MUNICIPALITIES, 12),
        situation_id=new_id(),
        realm=LIVE,
        opened_by=new_id(),
        now=clock.now() - timedelta(hours=1),
    )
    if not isinstance(opened, Opened):
        raise CostError(str(opened))
    await SituationStore(database, clock=clock).open(opened)
    region = Region(size, database, opened.situation.id, new_id(), ReadinessStore(database, clock=clock))
    await asyncio.to_thread(_load, path, region)
    return region


def _load(path: Path, region: Region) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA cache_size=-400000")
        connection.executemany(
            "INSERT INTO association (realm, association_id, version, name, municipality, sector, retired)"
            " VALUES (?, ?, 1, ?, ?, ?, 0)",
            (
                (LIVE.id, f"{FIRST + number:032x}", f"Association {number}", *_place(number))
                for number in range(region.size)
            ),
        )
        connection.execute(
            "INSERT INTO standing (realm, situation_id, association_id, municipality, sector, state, round_id, reached)"
            " SELECT realm, ?, association_id, municipality, sector, ?, ?, 1 FROM association",
            (region.situation_id.hex, State.NOT_ANSWERED, region.round_id.hex),
        )
        places = Counter(_place(number) for number in range(region.size))
        tallies = recounted((town, sector, State.NOT_ANSWERED, count) for (town, sector), count in places.items())
        connection.executemany(
            "INSERT INTO tally (realm, situation_id, dimension, key, state, count) VALUES (?, ?, ?, ?, ?, ?)",
            [(LIVE.id, region.situation_id.hex, *key, count) for key, count in tallies.items()],
        )


def _place(number: int) -> tuple[str, str]:
    return ALL_MUNICIPALITIES[number % len(ALL_MUNICIPALITIES)], ALL_SECTORS[number % len(ALL_SECTORS)]
