"""Notify whose sender dies between the relay's 250 and its own commit, at the third time it would settle."""

import sys
from collections.abc import Sequence

from services.notify.app import make_app
from services.notify.delivery.model import Outcome
from services.notify.delivery.store import Ledger
from tests.faults.children.dying import die, live, settings_of_child

SETTLED_BEFORE = 2


def main() -> None:
    app = make_app(settings_of_child())
    ledger: Ledger = app.state.ledger
    settle = ledger.settle
    calls = 0

    async def settle_or_die(outcomes: Sequence[Outcome]) -> int:
        nonlocal calls
        calls += 1
        if calls > SETTLED_BEFORE:
            die(f"not settled: {len(outcomes)}")
        sys.stdout.write(f"settling {len(outcomes)}\n")
        return await settle(outcomes)

    ledger.settle = settle_or_die  # type: ignore[method-assign]
    live(app)


if __name__ == "__main__":
    main()
