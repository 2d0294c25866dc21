"""What reading a large register file costs, in time and in memory."""

import csv
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

import xlsxwriter

from benchmarks.processes import answer, module
from benchmarks.results import Measured, Result, at_least, at_most
from services.intake.register_file.cells import HEADING
from shared import region

ROWS = 100_000
FEW = 10_000
ROUNDS = 3
WITHIN = 600.0
FLAT = 1.25


class LostRowsError(Exception):
    """Not every row arrived: what was measured is worth nothing."""


def import_rows(folder: Path) -> Sequence[Result]:
    """100,000 associations with two contacts each, all new, against the bare rows into one bare table."""
    file = _csv(folder / "register.csv", ROWS)
    bare = [_bare(file, folder / f"bare{number}.db") for number in range(ROUNDS)]
    ours = _import(folder / "ours", file)
    took, looked = ours["import_seconds"], ours["look_seconds"]
    rate, peer = ROWS / took, ROWS / median(bare)
    against = f"csv.DictReader and executemany into one table, {peer:,.0f}/s; looking over took {looked:.0f} s before"
    limit = f"the limit of 120 s for {ROWS:,} rows, both readings"
    return (
        Result("import_rows", Measured(rate, "rows/s", against, rate / peer), at_least(0.01)),
        Result("import_whole", Measured(took + looked, "s", limit, (took + looked) / 120), at_most(1)),
    )


def import_peak_memory(folder: Path) -> Sequence[Result]:
    """How large the process gets, and by how much larger with ten times as many rows, as CSV and as XLSX."""
    return [
        _memory("import_peak_memory", folder / "csv", _csv),
        _memory("import_peak_memory_xlsx", folder / "xlsx", _workbook),
    ]


def _memory(name: str, folder: Path, write: Any) -> Result:
    folder.mkdir()
    few, many = (_import(folder / str(rows), write(folder / f"{rows}.{folder.name}", rows)) for rows in (FEW, ROWS))
    peak, before = many["peak_mib"], few["peak_mib"]
    reader = f"; its reader of workbooks {many['reader_mib']:.0f} MiB" if folder.name == "xlsx" else ""
    against = f"{before:.0f} MiB at {FEW:,} rows{reader}"
    return Result(name, Measured(peak, f"MiB at {ROWS:,} rows", against, peak / before), at_most(FLAT))


def _import(folder: Path, file: Path) -> dict[str, float]:
    folder.mkdir()
    told: dict[str, float] = answer(module("import_run", folder, file), within=WITHIN)
    if told["rows"] != told["new"] or told["rows"] not in {FEW, ROWS}:
        raise LostRowsError(f"of the rows of {file.name} there came {told}")
    return told


def _bare(file: Path, path: Path) -> float:
    """Seconds for the same cells into one table without a key, in one transaction, on the disk at its end."""
    began = time.perf_counter()
    with closing(sqlite3.connect(path)) as connection, file.open(encoding="utf-8", newline="") as source:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        places = ", ".join(f"c{place}" for place in range(len(HEADING)))
        connection.execute(f"CREATE TABLE bare ({places})")
        marks = ", ".join("?" for _ in HEADING)
        rows = (tuple(row.values()) for row in csv.DictReader(source, delimiter=";"))
        with connection:
            connection.executemany(f"INSERT INTO bare VALUES ({marks})", rows)  # noqa: S608 - our own names
        [(count,)] = connection.execute("SELECT count(*) FROM bare")
    if count != ROWS:
        raise LostRowsError(f"{count} rows in the bare table")
    return time.perf_counter() - began


def _csv(path: Path, count: int) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(HEADING)
        writer.writerows(_rows(count))
    return path


def _workbook(path: Path, count: int) -> Path:
    with xlsxwriter.Workbook(str(path), {"constant_memory": True, "tmpdir": str(path.parent)}) as workbook:
        sheet = workbook.add_worksheet()
        for number, cells in enumerate([HEADING, *_rows(count)]):
            for place, cell in enumerate(cells):
                sheet.write_string(number, place, cell)
    return path


def _rows(count: int) -> Iterator[list[str]]:
    """Invented associations with what a register file may hold: capabilities, a plan, two contacts."""
    rng = Random(count)  # noqa: S311 - a load, no secret
    for number in range(count):
        place, sector = rng.choice(region.MUNICIPALITIES), rng.choice(region.SECTORS)
        able = ", ".join(f"{one.fi}: {rng.randrange(1, 50)}" for one in rng.sample(region.CAPABILITIES, 2))
        first, second = (
            [f"Aino Kuura {number}", f"{who}{number}@example.org", f"040 {number}", "iltaisin", "fi"]
            for who in ("aino", "bertta")
        )
        name = f"{place.fi}n yhdistys {number}"
        own = [name, str(number + 1), place.fi, sector.fi, "fi", "", able, str(rng.randrange(2000, 2026))]
        yield [*own, *first, *second, *[""] * (len(HEADING) - len(own) - 10)]
