"""A whole system with an exercise in which all associations of the region answer at once; prints how fast they did."""

import asyncio
import json
import sys
from datetime import timedelta
from pathlib import Path

import uvloop

from services.demo.loader import prepare
from services.exercise.exercise.model import Exercise
from services.exercise.scenario.model import Behaviour, Delay, Scenario
from services.exercise.scenario.store import ready_scenarios
from services.local import Running, free_port, run_local
from services.playthrough import Progress, Wish, play, report_on
from shared import region
from shared.events.intake import CheckInReceived
from shared.log import configure
from tests.told import told

HOST = "127.0.0.1"
SPEED = 60
EDGE = 0.1
"""Part of the answers that is left out at the beginning and at the end of the crowd."""


def crowded() -> Scenario:
    """A storm over the whole region, in which everybody is reached and answers a minute after being asked."""
    storm = ready_scenarios()["winter-storm"]
    manner = storm.behaviour.elsewhere.model_copy(
        update={
            "answering": 1.0,
            "unreachable": 0.0,
            "again": 0.0,
            "delay": Delay(median=timedelta(minutes=1), spread=0.0),
        }
    )
    return storm.model_copy(
        update={
            "municipalities": tuple(place.code for place in region.MUNICIPALITIES),
            "behaviour": Behaviour(seed=1, elsewhere=manner),
            "length": timedelta(hours=1),
        }
    )


async def measured(folder: Path) -> dict[str, float]:
    """Play it; `rate` is answers a second in the thick of the crowd, `answers` how many came."""
    found: dict[str, float] = {}

    async def ready(running: Running) -> None:
        await prepare(running, load=True)
        exercise = await play(running, Wish(crowded(), SPEED, 1, 0), tell=_nobody)
        await report_on(running, exercise)
        found.update(await _rate(running, exercise))
        running.stopping.set()

    await run_local(
        folder,
        host=HOST,
        port=free_port(HOST),
        mail_port=free_port(HOST),
        smtp_port=free_port(HOST),
        reply_port=free_port(HOST),
        bounce_port=free_port(HOST),
        ready=ready,
        environment={},
    )
    return found


async def _rate(running: Running, exercise: Exercise) -> dict[str, float]:
    answers = sorted(event.happened_at for event in await told(running.settings.nats, CheckInReceived, exercise.realm))
    first, last = int(len(answers) * EDGE), int(len(answers) * (1 - EDGE))
    return {"rate": (last - first) / (answers[last] - answers[first]).total_seconds(), "answers": len(answers)}


def _nobody(_progress: Progress) -> None:
    """Nobody is told."""


def main() -> None:
    """`FOLDER`: where the system's data stands."""
    configure("text")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run(measured(Path(sys.argv[1])))))


if __name__ == "__main__":
    main()
