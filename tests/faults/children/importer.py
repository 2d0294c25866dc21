"""Intake or notify, as the first argument says, whose import of a list dies after some batches: before or after the
commit that the second argument names."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from shared.house import House
from tests.faults.children.dying import die, live, settings_of_child
from tests.faults.lists import KEEPERS

BATCHES_BEFORE = 2


def main() -> None:
    keeper = KEEPERS[sys.argv[1]]
    app = keeper.make_app(settings_of_child())
    house: House = app.state.house
    uploads: Any = keeper.lists(app).uploads
    advance, write = uploads.advance, house.database.write
    batches, after_commit = 0, sys.argv[2] == "after-commit"

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

    uploads.advance = counted
    house.database.write = writes  # type: ignore[method-assign]
    live(app)


if __name__ == "__main__":
    main()
