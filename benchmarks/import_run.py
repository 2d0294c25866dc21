"""`python -m benchmarks.import_run FOLDER FILE`: looks a register file over, imports it; how long, how large."""

import asyncio
import json
import re
import resource
import sys
import time
from pathlib import Path

from services.intake.app import make_app
from services.intake.register_file.store import RegisterFileStore
from services.intake.register_file.uploads import Kept
from shared.house import House
from shared.migrate import migrate
from shared.settings import Nats, Settings


def main() -> None:
    """Import it as an upload is imported, and print what it took as JSON."""
    print(json.dumps(asyncio.run(_run(Path(sys.argv[1]), Path(sys.argv[2])))))


async def _run(folder: Path, file: Path) -> dict[str, float]:
    settings = Settings(
        database=f"sqlite+aiosqlite:///{folder}/{{service}}.db",
        secret="no secret: nobody signs in to a measurement",  # noqa: S106 - none
        nats=Nats(url="nats://127.0.0.1:1"),
        var=folder,
    )
    app = make_app(settings)
    house: House = app.state.house
    await migrate(house.database, house.migrations)
    began = time.perf_counter()
    files: RegisterFileStore = app.state.register_files
    with file.open("rb") as source:
        name = await files.receive(source, file_name=file.name, person_id=None)
    await files.work()
    looked_over = time.perf_counter()
    await files.uploads.start(name, person_id=None)
    await files.work()
    ended = time.perf_counter()
    report = _kept(await files.uploads.get(name, person_id=None)).report
    await house.database.close()
    return {
        "rows": report.rows,
        "new": report.new,
        "look_seconds": looked_over - began,
        "import_seconds": ended - looked_over,
        "peak_mib": _peak(),
        "reader_mib": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024,
    }


def _kept(found: Kept | None) -> Kept:
    if found is None:
        raise LookupError("the file is not kept any more")
    return found


def _peak() -> float:
    """The largest resident set of this process so far, in MiB.

    Not getrusage's: that one begins with the size of the process that started this one.
    """
    told = Path("/proc/self/status").read_text(encoding="ascii")
    [kibibytes] = re.findall(r"^VmHWM:\s*(\d+) kB$", told, re.MULTILINE)
    return int(kibibytes) / 1024


if __name__ == "__main__":
    main()
