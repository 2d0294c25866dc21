"""Exercise that dies when the door has taken answers: before it notes that, or just after."""

import sys
from collections.abc import Iterable

from services.exercise.app import make_app
from services.exercise.simulated.model import Settled
from services.exercise.simulated.store import Due, SimulatedStore
from tests.faults.children.dying import die, live, settings_of_child


def main() -> None:
    app, before_note = make_app(settings_of_child()), sys.argv[1] == "before-note"
    store: SimulatedStore = app.state.simulated
    note = store.settle

    async def note_or_die(outcomes: Iterable[tuple[Due, Settled]]) -> None:
        if before_note:
            die("taken, not noted")
        await note(outcomes)
        die("noted")

    store.settle = note_or_die  # type: ignore[method-assign]
    live(app)


if __name__ == "__main__":
    main()
