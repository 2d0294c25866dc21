"""Exercise whose director dies when it has put in its second inject: before its commit, or just after."""

import sys
from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from services.exercise.app import make_app
from services.exercise.director import store as director_store
from shared.events import Event
from shared.events.exercise import InjectFired
from shared.house import House
from shared.outbox import announce
from tests.faults.children.dying import die, live, settings_of_child

PUT_IN_BEFORE = 1


def main() -> None:
    app, before_commit = make_app(settings_of_child()), sys.argv[1] == "before-commit"
    house: House = app.state.house
    put_in = 0

    async def announce_or_die(session: AsyncSession, events: Sequence[Event]) -> None:
        nonlocal put_in
        await announce(session, events)
        put_in += sum(isinstance(event, InjectFired) for event in events)
        if before_commit and put_in > PUT_IN_BEFORE:
            die("saved, not committed")

    def die_after_commit() -> None:
        if not before_commit and put_in > PUT_IN_BEFORE:
            die("committed")

    director_store.announce = announce_or_die  # type: ignore[attr-defined]
    house.database.after_commit(die_after_commit)
    live(app)


if __name__ == "__main__":
    main()
