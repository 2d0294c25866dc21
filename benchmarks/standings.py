"""What a check-in and a look at the picture cost, with three thousand standings in a situation and with a million."""

import asyncio
import random
import sqlite3
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from uuid import UUID

import asyncpg
from pydantic import SecretStr
from sqlalchemy.dialects import sqlite

import services.status
from benchmarks.processes import postgresql
from benchmarks.results import Measured, Result, at_most
from services.status.association.model import Traits
from services.status.picture.model import RECENT, picture_of
from services.status.picture.picture_html import picture_html
from services.status.picture.store import PictureStore
from services.status.readiness.model import State, Verdict, recounted
from services.status.readiness.store import PACE, ReadinessStore
from services.status.schema import StatusTable
from services.status.situation.model import (
    ALL_CAPABILITIES,
    ALL_MUNICIPALITIES,
    ALL_SECTORS,
    Names,
    Opened,
    Situation,
    SituationDraft,
    open_situation,
)
from services.status.situation.store import SituationStore
from shared.clock import SystemClock
from shared.db import Database
from shared.events.intake import Channel, CheckInReceived, OperatingStatus
from shared.i18n import Locale
from shared.ids import new_id
from shared.plumbing import Plumbing
from shared.realm import LIVE
from shared.settings import Settings
from shared.web import Pages

SIZES = (3_253, 100_000, 1_000_000)
GROUP = 100
GROUPS = 15
ROUNDS = 3
WARM_UP = 10
FIRST = 0x0199_0000_0000_7000_8000_0000_0000_0000
"""The first association's id; the others count on from it, as ids of one import do."""


TEMPLATES = Path(services.status.__file__).parent / "templates"
LOOKS = 40
"""Readings of the whole picture, as HTML, at each size and in each round."""


class CostError(Exception):
    """The figures do not stand as they must: what was measured is worth nothing."""


@dataclass(frozen=True)
class Region:
    """A situation of so many standings, ready to hear."""

    size: int
    database: Database
    situation: Situation
    round_id: UUID
    store: ReadinessStore
    pages: Pages

    async def hear(self, groups: int) -> float:
        """Let `groups` groups of check-ins come in; microseconds for one check-in."""
        took = 0.0
        for _ in range(groups):
            news = [self._checkin(number) for number in random.sample(range(self.size), GROUP)]
            await asyncio.sleep(1.2 * PACE)  # in which the store waits for a larger crowd: no cost
            began = time.perf_counter()
            verdicts = await asyncio.gather(*(self.store.hear(event) for event in news))
            took += time.perf_counter() - began
            if set(verdicts) != {Verdict.HEARD}:
                raise CostError(f"not all were heard: {set(verdicts)}")
        return took / groups / GROUP * 1e6

    async def look(self, times: int) -> float:
        """Read and write the picture so often; microseconds for one."""
        store = PictureStore(self.database)
        began = time.perf_counter()
        for _ in range(times):
            now = datetime.now(UTC)
            glance = await store.glance(self.situation, since=now - RECENT)
            if not picture_html(self.pages, Locale.FI, picture_of(self.situation, glance, now)):
                raise CostError("there is no picture")
        return (time.perf_counter() - began) / times * 1e6

    def _checkin(self, number: int) -> CheckInReceived:
        now = datetime.now(UTC)
        return CheckInReceived(
            happened_at=now,
            realm=LIVE,
            checkin_id=new_id(),
            association_id=UUID(int=FIRST + number),
            situation_id=self.situation.id,
            round_id=self.round_id,
            status=random.choice(list(OperatingStatus)),  # noqa: S311 - a load, no secret
            reported_at=now,
            channel=Channel.LINK,
        )


def standings(folder: Path) -> Sequence[Result]:
    """Groups of a hundred check-ins, and looks at the picture after them, at each size in turn, on SQLite."""

    async def region(size: int) -> Region:
        path = folder / f"standings{size}.db"
        region = await _region(f"sqlite+aiosqlite:///{path}", size)
        await asyncio.to_thread(_load_sqlite, path, region)
        return region

    return _measured(region, "")


def standings_postgresql(folder: Path) -> Sequence[Result]:
    """The same on PostgreSQL. Raises MissingProgramError where there is none."""
    with postgresql(folder / "postgresql") as server:

        async def region(size: int) -> Region:
            url = server.create(f"standings{size}")
            region = await _region(url, size)
            await _load_postgresql(url.replace("+asyncpg", ""), region)
            return region

        return _measured(region, "_postgresql")


def _measured(region_of: Callable[[int], Awaitable[Region]], on: str) -> Sequence[Result]:
    hearing, looking = asyncio.run(_measure(region_of))
    return (_flat(f"checkin_cost_flat{on}", hearing), _flat(f"picture_read_flat{on}", looking))


def _flat(name: str, costs: Mapping[int, Sequence[float]]) -> Result:
    found = {size: median(costs[size]) for size in SIZES}
    few, *_, most = found.values()
    told = ", ".join(f"{cost:,.0f} µs at {size:,}" for size, cost in found.items())
    return Result(name, Measured(most / few, "x", told, most / few), at_most(2))


async def _measure(
    region_of: Callable[[int], Awaitable[Region]],
) -> tuple[Mapping[int, Sequence[float]], Mapping[int, Sequence[float]]]:
    regions = [await region_of(size) for size in SIZES]
    hearing: defaultdict[int, list[float]] = defaultdict(list)
    looking: defaultdict[int, list[float]] = defaultdict(list)
    for region in regions:
        await region.hear(WARM_UP)
        await region.look(WARM_UP)
    for _ in range(ROUNDS):
        for region in regions:
            hearing[region.size].append(await region.hear(GROUPS))
            looking[region.size].append(await region.look(LOOKS))
    for region in regions:
        if await region.store.recount(LIVE, region.situation.id):
            raise CostError("the tallies differ from a recount")
        await region.database.close()
    return hearing, looking


async def _region(url: str, size: int) -> Region:
    """A situation for so many standings, which are loaded next."""
    clock = SystemClock()
    database = Database(url)
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
    pages = Pages(Settings(secret=SecretStr("x" * 32)), TEMPLATES)
    return Region(size, database, opened.situation, new_id(), ReadinessStore(database, clock=clock), pages)


ASSOCIATION_COLUMNS = (
    *("realm", "association_id", "version", "name", "municipality", "sector", "networks", "capabilities"),
    "retired",
)
TALLY_COLUMNS = ("realm", "situation_id", "dimension", "key", "state", "count")
STANDINGS = """INSERT INTO standing (realm, situation_id, association_id, municipality, sector, networks, capabilities,
    state, round_id, reached, declined)
    SELECT realm, {situation}, association_id, municipality, sector, networks, capabilities, '{state}', {round}, {yes},
    {no}
    FROM association"""
"""All are asked, and silent."""


def _load_sqlite(path: Path, region: Region) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA cache_size=-400000")
        for table, columns, rows in (
            ("association", ASSOCIATION_COLUMNS, _associations(region, lambda id_: id_.hex)),
            ("tally", TALLY_COLUMNS, _tallies(region, lambda id_: id_.hex)),
        ):
            statement = (
                StatusTable.metadata.tables[table].insert().compile(dialect=sqlite.dialect(), column_keys=columns)
            )
            connection.executemany(str(statement), rows)
        ids = {"situation": f"'{region.situation.id.hex}'", "round": f"'{region.round_id.hex}'"}
        connection.execute(STANDINGS.format(**ids, state=State.NOT_ANSWERED, yes=1, no=0))


async def _load_postgresql(url: str, region: Region) -> None:
    connection = await asyncpg.connect(url)
    try:
        for table, columns, rows in (
            ("association", ASSOCIATION_COLUMNS, _associations(region, lambda id_: id_)),
            ("tally", TALLY_COLUMNS, _tallies(region, lambda id_: id_)),
        ):
            await connection.copy_records_to_table(table, columns=columns, records=rows)
        ids = {"situation": f"'{region.situation.id}'", "round": f"'{region.round_id}'"}
        await connection.execute(STANDINGS.format(**ids, state=State.NOT_ANSWERED, yes="true", no="false"))
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()


def _associations(region: Region, written: Callable[[UUID], object]) -> Iterator[tuple[object, ...]]:
    for number in range(region.size):
        id_ = written(UUID(int=FIRST + number))
        yield (LIVE.id, id_, 1, f"Association {number}", *_columns(_traits(number)), False)


def _tallies(region: Region, written: Callable[[UUID], object]) -> Iterator[tuple[object, ...]]:
    groups = Counter(_traits(number) for number in range(region.size))
    tallies = recounted((traits, State.NOT_ANSWERED, False, count) for traits, count in groups.items())
    for key, count in tallies.items():
        yield (LIVE.id, written(region.situation.id), *map(str, key), count)


def _traits(number: int) -> Traits:
    """A third belongs to a network, and a third can do one or two things."""
    able = ALL_CAPABILITIES[number % len(ALL_CAPABILITIES)], ALL_CAPABILITIES[number // 3 % len(ALL_CAPABILITIES)]
    return Traits(
        ALL_MUNICIPALITIES[number % len(ALL_MUNICIPALITIES)],
        ALL_SECTORS[number % len(ALL_SECTORS)],
        (f"network-{number % 7}",) if number % 3 == 0 else (),
        tuple(sorted(set(able))) if number % 3 == 1 else (),
    )


def _columns(traits: Traits) -> tuple[str, str, str, str]:
    networks, capabilities = (f" {' '.join(codes)} " if codes else "" for codes in traits[2:])
    return traits.municipality, traits.sector, networks, capabilities
