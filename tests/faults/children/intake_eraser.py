"""Intake that dies when somebody is off every roster and still in the bytes: before the files are written anew. The key
of whoever is erased is the first argument."""

import asyncio
import sys

from services.intake.app import make_app
from shared.house import House
from tests.faults.children.dying import die, settings_of_child


async def die_instead_of_compacting() -> bool:
    """The step after the commit."""
    die("deleted, and in the files")


def main() -> None:
    app = make_app(settings_of_child())
    house: House = app.state.house
    house.database.compact = die_instead_of_compacting  # type: ignore[method-assign]
    asyncio.run(app.state.rehearsals.erase(sys.argv[1]))


if __name__ == "__main__":
    main()
