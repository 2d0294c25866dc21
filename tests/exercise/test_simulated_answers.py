"""Simulated associations answer by the clock of the exercise, each as it was drawn, once, whatever the door says."""

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import parse_qs
from uuid import UUID

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.exercise.exercise.model import Exercise
from services.exercise.simulated.handlers import SimulatedHandlers
from services.exercise.simulated.jobs import AT_ONCE, SimulatedJobs
from services.exercise.simulated.model import Conduct, Fate, Figures, Sending, Simulated, after_failure, conducts
from services.exercise.simulated.store import CLAIM, SimulatedStore
from shared.answer_door import AnswerDoor
from shared.events import NotPermittedError
from shared.events.exercise import SimulatedNotReached
from shared.events.intake import SimulatedAsked, SimulatedLink
from shared.ids import new_id
from shared.realm import LIVE, Realm
from tests.exercise.conftest import STORM, Stage
from tests.fakes import STORM_EVENING

MANY = [UUID(int=number) for number in range(1, 61)]
PLACES = ("834", "061")


def place(association_id: UUID) -> str:
    return PLACES[association_id.int % 2]


@dataclass
class Door:
    """The answer form as these tests see it: it takes what it is told to, and remembers all that it took."""

    says: Callable[[str, str], int] = lambda _method, _path: 200
    took: list[tuple[str, dict[str, list[str]]]] = field(default_factory=list)

    def answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        status = self.says(request.method, path)
        if status == httpx.codes.OK:
            self.took.append((path, parse_qs(request.content.decode())))
        return httpx.Response(status)


@dataclass(frozen=True)
class Play:
    """An exercise that runs, those whom it simulates, and the door at which they answer."""

    stage: Stage
    exercise: Exercise
    store: SimulatedStore
    jobs: SimulatedJobs
    door: Door
    round_id: UUID

    async def ask(self, *, turn: int = 1, event_id: UUID | None = None) -> None:
        """Intake says that all of MANY are simulated."""
        await SimulatedHandlers(self.store).on_simulated_asked(
            asked(self.exercise.realm, self.round_id, turn=turn, event_id=event_id or new_id())
        )

    async def run(self, seconds: int) -> None:
        for _ in range(seconds):
            await self.stage.run(1)
            while await self.jobs.answer():
                pass

    async def figures(self) -> Figures:
        return await self.store.figures(self.exercise)

    def drawn(self, *, opened: timedelta = timedelta()) -> list[Conduct]:
        """What each does, as the scenario says."""
        many = [Simulated(one, place(one)) for one in MANY]
        within = STORM.length - opened
        return list(conducts(STORM.behaviour, many, seed=self.exercise.seed, within=within))


def path_of(association_id: UUID) -> str:
    return f"/c/{association_id.hex}"


def asked(realm: Realm, round_id: UUID, *, turn: int = 1, event_id: UUID) -> SimulatedAsked:
    return SimulatedAsked(
        event_id=event_id,
        happened_at=STORM_EVENING,
        realm=realm,
        situation_id=new_id(),
        round_id=round_id,
        turn=turn,
        asked=tuple(SimulatedLink(association_id=one, municipality=place(one), path=path_of(one)) for one in MANY),
    )


@asynccontextmanager
async def played(stage: Stage, *, speed: int = 600) -> AsyncIterator[Play]:
    door, exercise = Door(), await stage.running(speed=speed)
    store = SimulatedStore(stage.database, clock=stage.clock)
    async with AnswerDoor("http://form", transport=httpx.MockTransport(door.answer)) as form:
        jobs = SimulatedJobs(store, form, clock=stage.clock)
        yield Play(stage, exercise, store, jobs, door, new_id())


@pytest.fixture
async def play(stage: Stage) -> AsyncIterator[Play]:
    async with played(stage) as made:
        yield made


async def test_each_answers_as_drawn_and_no_other_way(play: Play) -> None:
    await play.ask()
    await play.run(40)

    drawn = play.drawn()
    wanted = Counter((path_of(one.association_id), answer.status.value) for one in drawn for answer in one.answers)
    taken = Counter((path, fields["status"][0]) for path, fields in play.door.took)
    fates = Counter(one.fate for one in drawn)
    assert taken == wanted
    assert len({fields["checkin_id"][0] for _, fields in play.door.took}) == len(play.door.took)
    assert await play.figures() == Figures(
        asked=60, unreachable=fates[Fate.UNREACHABLE], silent=fates[Fate.SILENT], answered=fates[Fate.ANSWERS]
    )


async def test_needs_and_offers_are_marked_in_the_form(play: Play) -> None:
    await play.ask()
    await play.run(40)

    first = {one.association_id: one.answers[0] for one in play.drawn() if one.answers}
    forms = dict(reversed(play.door.took))
    offering = {path_of(own): answer for own, answer in first.items() if answer.offers}
    assert offering
    for path, answer in offering.items():
        amounts = {one.capability: one.amount for one in answer.offers}
        assert set(forms[path]["offer"]) == set(amounts)
        assert {code: int(forms[path][f"offer-{code}"][0]) for code in amounts} == amounts


async def test_an_answer_waits_for_its_moment_and_a_pause_stops_all(stage: Stage) -> None:
    async with played(stage, speed=60) as play:
        await play.ask()
        await play.run(20)
        at_20 = len(play.door.took)
        await stage.exercises.pause(play.exercise.id)
        await play.run(60)
        paused = len(play.door.took)
        await stage.exercises.resume(play.exercise.id)
        await play.run(20)

        due = [answer.at for one in play.drawn() for answer in one.answers]
        assert at_20 == paused == sum(at <= timedelta(minutes=20) for at in due)
        assert len(play.door.took) == sum(at <= timedelta(minutes=40) for at in due)
        assert (await play.figures()).to_come == len(due) - len(play.door.took)


async def test_the_end_drops_what_is_still_to_come(play: Play) -> None:
    await play.ask()
    await play.run(2)
    given = len(play.door.took)
    await play.stage.exercises.end(play.exercise.id)
    await play.run(40)
    await play.ask()

    figures = await play.figures()
    assert len(play.door.took) == given
    assert (figures.to_come, figures.asked) == (0, 60)
    assert figures.dropped == sum(len(one.answers) for one in play.drawn()) - given


async def test_those_not_reached_are_told_at_once_and_at_each_turn(play: Play) -> None:
    event_id = new_id()
    await play.ask(event_id=event_id)
    await play.ask(event_id=event_id)
    await play.ask(turn=2)

    told = [event for event in await play.stage.told() if isinstance(event, SimulatedNotReached)]
    lost = {one.association_id for one in play.drawn() if one.fate is Fate.UNREACHABLE}
    assert [(event.turn, set(event.association_ids)) for event in told] == [(1, lost), (2, lost)]
    assert {event.realm for event in told} == {play.exercise.realm}
    assert (await play.figures()).asked == 60


async def test_a_round_opened_late_is_answered_within_what_is_left(stage: Stage) -> None:
    async with played(stage) as play:
        await play.run(10)
        await play.ask()
        await play.run(30)

        drawn = play.drawn(opened=timedelta(minutes=100))
        assert len(play.door.took) == sum(len(one.answers) for one in drawn)


async def test_a_second_answer_waits_for_the_first(play: Play) -> None:
    twice = {path_of(one.association_id) for one in play.drawn() if len(one.answers) == 2}
    play.door.says = lambda method, path: 503 if method == "POST" and path in twice and not opened else 200
    opened: list[bool] = []
    await play.ask()
    await play.run(20)
    shut = [path for path, _ in play.door.took if path in twice]
    opened.append(True)
    await play.run(40)

    order = {path: [fields["status"][0] for taken, fields in play.door.took if taken == path] for path in twice}
    drawn = {path_of(one.association_id): [answer.status.value for answer in one.answers] for one in play.drawn()}
    assert twice
    assert shut == []
    assert order == {path: drawn[path] for path in twice}


@pytest.mark.slow
@pytest.mark.parametrize("status", [404, 403, 503])
async def test_what_is_never_taken_is_given_up_and_counted(play: Play, status: int) -> None:
    play.door.says = lambda _method, _path: status
    await play.ask()
    await play.run(4)
    before = (await play.figures()).to_come
    play.stage.clock.move(seconds=0)
    await play.run(33)

    figures = await play.figures()
    assert play.door.took == []
    if status == 503:
        assert before > 0
    else:
        assert figures.given_up > 0
    assert figures.given_up + figures.to_come == sum(len(one.answers) for one in play.drawn())


async def test_one_that_died_at_the_door_sends_the_same_form_again(play: Play) -> None:
    await play.ask()
    await play.stage.run(20)
    lost = await play.store.claim_due(AT_ONCE)
    meanwhile = await play.store.claim_due(1000)
    play.stage.clock.move(seconds=CLAIM.total_seconds() + 1)
    await play.run(1)

    forms = {fields["checkin_id"][0] for _, fields in play.door.took}
    assert not {due.form.form_id for due in lost} & {due.form.form_id for due in meanwhile}
    assert {str(due.form.form_id) for due in (*lost, *meanwhile)} <= forms


@pytest.mark.parametrize("realm", [LIVE, Realm("ex-unknown")])
async def test_nobody_is_simulated_elsewhere(play: Play, realm: Realm) -> None:
    with pytest.raises(NotPermittedError):
        await play.store.ask(asked(realm, play.round_id, event_id=new_id()))


@given(st.integers(1, 20), st.booleans())
def test_an_answer_is_tried_again_later_each_time_and_not_for_ever(tries: int, permanent: bool) -> None:
    settled = after_failure(tries, permanent=permanent, now=STORM_EVENING)

    assert (settled.sending is Sending.GIVEN_UP) == (permanent or tries >= 8)
    if settled.not_before:
        assert timedelta() < settled.not_before - STORM_EVENING <= timedelta(seconds=32)
