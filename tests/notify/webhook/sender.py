"""A sender as a process of its own, to be killed: `python -m tests.notify.webhook.sender DATABASE AHEAD`."""

import asyncio
import sys

from services.notify.app import make_app
from shared.settings import Settings
from tests.notify.delivery.sender import ClockAhead


async def send_all(database: str, ahead: float) -> None:
    """Plan and send, `ahead` seconds later than it is, until nothing is due: claims of a dead sender have ended."""
    installed = Settings.model_validate({"database": database, "secret": "a secret of at least thirty-two characters"})
    app = make_app(installed, clock=ClockAhead(ahead))
    await app.state.courier.plan()
    more = True
    while more:
        more = await app.state.courier.unit()
    await app.state.house.database.close()


if __name__ == "__main__":
    asyncio.run(send_all(sys.argv[1], float(sys.argv[2])))
