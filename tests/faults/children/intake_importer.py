"""Intake whose import dies after some batches: before or after the commit that its second argument names."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncSession

from services.intake.app import make_app
from shared.house import House
from tests.faults.children.dying import die, live, settings_of_child

BATCHES_BEFORE = 2


def main() -> None:
    app = make_app(settings_of_child())
    house: House = app.state.house
    advance = app.state.register_files.uploads.advance
    write = house.database.write
    batches, after_commit = 0, sys.argv[1] == "after-commit"

    async def counted(session: AsyncSession, *arguments: object) -> None:
        nonlocal batches
        await advance(session, *arguments)
        batches += 1
        if batches > BATCHES_BEFORE and not after_commit:
            die(f"not committed: batch {batches}")

    @asynccontextmanager
    async def writes() -> AsyncIterator[AsyncSession]:
        before = batches
        async with write() as session:
            yield session
        if batches > max(before, BATCHES_BEFORE) and after_commit:
            die(f"committed: batch {batches}")

    app.state.register_files.uploads.advance = counted
    house.database.write = writes  # type: ignore[method-assign]
    live(app)


if __name__ == "__main__":
    main()
