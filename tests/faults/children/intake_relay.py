"""Intake whose relay dies: `before-publish`, with all rows still in the outbox, or `before-forget`, when the server
has acked them and none is deleted."""

import sys
from collections.abc import Callable, Sequence

from nats.aio.client import Client
from sqlalchemy import Connection

from services.intake.app import make_app
from shared.db import Database, Item, Outcome
from shared.house import House
from shared.plumbing import Saved
from tests.faults.children.dying import die, live, settings_of_child


class DiesBeforeForgetting(Database):
    """The relay's view of the database: it reads the outbox there, and its only write is to forget."""

    async def write_many(
        self,
        _write: Callable[[Connection, Sequence[Item]], Sequence[Outcome]],
        items: Sequence[Item],
        *,
        quietly: bool = False,
    ) -> Sequence[Outcome]:
        del quietly
        die(f"published, not forgotten: {len(items)}")


async def die_instead_of_publishing(_connection: Client, rows: Sequence[Saved]) -> None:
    """The step before the first publish of a batch."""
    die(f"about to publish {len(rows)}")


def main() -> None:
    settings = settings_of_child()
    app = make_app(settings)
    house: House = app.state.house
    if sys.argv[1] == "before-publish":
        house.bus.relay._publish = die_instead_of_publishing  # type: ignore[assignment]
    else:
        house.bus.relay._database = DiesBeforeForgetting(settings.database_of("intake"))
    live(app)


if __name__ == "__main__":
    main()
