"""All ready scenarios at full speed, side by side in one system: each report tells what the streams tell."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from uuid import UUID

import pytest
import pytest_asyncio

from services.demo.loader import prepare
from services.exercise.evaluation.model import AfterActionReport, Dimension
from services.exercise.exercise.model import ClockHistory, Exercise, State
from services.exercise.scenario.store import ready_scenarios
from services.local import Running, free_port, run_local
from services.playthrough import Progress, Wish, participants, play, report_on
from shared.events.exercise import InjectFired
from shared.events.intake import AssociationDeclined, AssociationNotReached, CheckInReceived
from shared.events.status import RoundOpened
from tests.told import told

pytestmark = [
    pytest.mark.connected,
    pytest.mark.slow,
    pytest.mark.timeout(1500),
    pytest.mark.asyncio(loop_scope="module"),
]

HOST = "127.0.0.1"
SCENARIOS = ready_scenarios()


@dataclass(frozen=True)
class Figures:
    """What of an exercise can be counted from the streams alone; times by the exercise's clock."""

    asked: int
    answered: int
    not_reached: int
    first: timedelta | None
    half: timedelta | None
    ninety: timedelta | None


@dataclass(frozen=True)
class Played:
    """One exercise, its report, the recount, the injects that were told, and who got a letter of it."""

    report: AfterActionReport
    recount: Figures
    injects: tuple[int, ...]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def played(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, Played]]:
    """Every scenario, played in one system."""
    done: dict[str, Played] = {}

    async def ready(running: Running) -> None:
        await prepare(running, load=True)
        wishes = [Wish(scenario, 600, scenario.behaviour.seed) for scenario in SCENARIOS.values()]
        exercises = await asyncio.gather(*(play(running, wish, tell=_nobody) for wish in wishes))
        for wish, exercise in zip(wishes, exercises, strict=True):
            done[wish.scenario.key] = await _looked_back(running, exercise)
        running.stopping.set()

    await run_local(
        tmp_path_factory.mktemp("valmius"),
        host=HOST,
        port=free_port(HOST),
        mail_port=free_port(HOST),
        smtp_port=free_port(HOST),
        reply_port=free_port(HOST),
        bounce_port=free_port(HOST),
        ready=ready,
        environment={},
    )
    yield done


def _nobody(_progress: Progress) -> None:
    """Nobody is told."""


async def _looked_back(running: Running, exercise: Exercise) -> Played:
    report = await report_on(running, exercise)
    history: ClockHistory = await running.apps["exercise"].state.exercises.history(exercise)
    fired = await told(running.settings.nats, InjectFired, exercise.realm)
    return Played(report, await _recount(running, exercise, history), tuple(event.number for event in fired))


async def _recount(running: Running, exercise: Exercise, history: ClockHistory) -> Figures:
    """The figures from the streams, association by association."""
    bus, realm = running.settings.nats, exercise.realm
    asked: dict[UUID, datetime] = {}
    for opened in await told(bus, RoundOpened, realm):
        for association_id in opened.association_ids:
            asked[association_id] = min(opened.happened_at, asked.get(association_id, opened.happened_at))
    answered = _first(await told(bus, CheckInReceived, realm))
    declined = {event.association_id for event in await told(bus, AssociationDeclined, realm)}
    unreached = {event.association_id for event in await told(bus, AssociationNotReached, realm)}
    delays = sorted(
        max(history.offset(answered[one]) - history.offset(asked[one]), timedelta()) for one in answered if one in asked
    )
    return Figures(
        asked=len(asked),
        answered=len(delays),
        not_reached=len(unreached & asked.keys() - answered.keys() - declined),
        first=_rank(delays, 0),
        half=_rank(delays, 0.5),
        ninety=_rank(delays, 0.9),
    )


def _first(answers: Iterable[CheckInReceived]) -> dict[UUID, datetime]:
    first: dict[UUID, datetime] = {}
    for event in answers:
        at = min(event.reported_at, event.happened_at)
        first[event.association_id] = min(at, first.get(event.association_id, at))
    return first


def _rank(ordered: list[timedelta], share: float) -> timedelta | None:
    return ordered[max(ceil(round(share * len(ordered), 9)), 1) - 1] if ordered else None


@pytest.mark.parametrize("key", SCENARIOS)
async def test_the_figures_of_a_report_are_those_of_the_streams(played: dict[str, Played], key: str) -> None:
    whole, recount = played[key].report.whole, played[key].recount

    assert recount == Figures(whole.asked, whole.answered, whole.not_reached, whole.first, whole.half, whole.ninety)
    assert whole.asked == whole.answered + whole.declined + whole.not_reached + whole.silent
    for dimension in (Dimension.MUNICIPALITY, Dimension.SECTOR):
        assert sum(part.measures.asked for part in played[key].report.parts[dimension]) == whole.asked


@pytest.mark.parametrize("key", SCENARIOS)
async def test_every_inject_was_put_in_once_and_the_area_answered_as_the_scenario_says(
    played: dict[str, Played], key: str
) -> None:
    one, scenario = played[key], SCENARIOS[key]
    manners = [scenario.behaviour.elsewhere, *scenario.behaviour.areas]

    assert sorted(one.injects) == [inject.number for inject in scenario.injects]
    assert one.report.exercise.state is State.ENDED
    assert one.report.whole.asked > 500
    reaching = [(1 - manner.unreachable) * manner.answering for manner in manners]
    assert min(reaching) - 0.06 < one.report.whole.share(one.report.whole.answered) < max(reaching) + 0.06
    assert len(participants(Wish(scenario, 600, 1))) == 5
