"""Pages of exercise: planning from a ready scenario, and running it from the board."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from starlette.responses import Response

from services.exercise.app import make_app
from services.exercise.director.store import DirectorStore
from shared.identity import Role, Staff
from shared.ids import new_id
from shared.settings import Settings
from tests.exercise.conftest import AINO
from tests.fakes import FakeClock
from tests.migrated import Migrated

HIDDEN = re.compile(r'name="(\w+_id)" value="([^"]+)"')


@dataclass(frozen=True)
class Desk:
    """The running service, its clock, and a browser in which Aino, who leads, is signed in."""

    app: FastAPI
    clock: FakeClock
    browser: AsyncClient

    async def look(self, seconds: int) -> None:
        """Let so much time go by, and have the director look each second."""
        director: DirectorStore = self.app.state.director
        for _ in range(seconds):
            self.clock.move(seconds=1)
            await director.direct()

    async def planned(self, **changed: str) -> str:
        """The address of the board of a winter storm."""
        form = dict(HIDDEN.findall((await self.browser.get("/exercises/new")).text))
        answer = await self.browser.post("/exercises/new", data=form | self.storm() | changed)
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]

    @staticmethod
    def storm() -> dict[str, str]:
        return {"scenario": "winter-storm", "speed": "60", "participants": "aino@example.org\nbertta@example.org\n"}


@pytest.fixture
async def desk(settings: Settings, clock: FakeClock, migrated: Migrated) -> AsyncIterator[Desk]:
    await migrated.copy_to(settings.database_of("exercise"), "exercise")
    app = make_app(settings, clock=clock)
    response, sessions = Response(), app.state.sessions
    until = clock.now().replace(year=clock.now().year + 1)
    sessions.sign_in(response, Staff(new_id(), AINO, frozenset({Role.EXERCISE_LEADER}), until))
    cookie = {sessions.cookie: response.headers["set-cookie"].split("=", 1)[1].split(";", 1)[0]}
    transport = ASGITransport(app=app)
    async with AsyncClient(transport=transport, base_url="http://127.0.0.1", cookies=cookie) as browser:
        browser.headers["accept-language"] = "en"
        yield Desk(app, clock, browser)
    await app.state.house.database.close()


async def test_the_form_offers_all_ready_scenarios_in_the_readers_language(desk: Desk) -> None:
    english = (await desk.browser.get("/exercises/new")).text
    swedish = (await desk.browser.get("/exercises/new?lang=sv")).text

    assert english.count('type="radio"') == 6
    assert "Large wildfire" in english
    assert "Omfattande skogsbrand" in swedish


async def test_an_exercise_is_planned_once_however_often_the_form_is_sent(desk: Desk) -> None:
    form = dict(HIDDEN.findall((await desk.browser.get("/exercises/new")).text)) | desk.storm()

    first = await desk.browser.post("/exercises/new", data=form)
    second = await desk.browser.post("/exercises/new", data=form)
    listed = (await desk.browser.get("/exercises")).text

    assert first.headers["location"] == second.headers["location"]
    assert listed.count("Winter storm and a wide power cut") == 1


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("scenario", "volcano", "Choose a scenario."),
        ("speed", "601", "Give the speed as a whole number from 1 to 600."),
        ("speed", "fast", "Give the speed as a whole number from 1 to 600."),
        ("participants", "aino@example.org\nBertta 50%", "“bertta 50%” is not an email address."),
        ("participants", "\n".join(f"a{n}@example.org" for n in range(1001)), "At most 1,000 addresses"),
    ],
)
async def test_what_is_wrong_in_the_form_is_told_and_the_rest_is_kept(
    desk: Desk, field: str, value: str, told: str
) -> None:
    form = dict(HIDDEN.findall((await desk.browser.get("/exercises/new")).text)) | desk.storm() | {field: value}

    answer = await desk.browser.post("/exercises/new", data=form)

    assert answer.status_code == 422
    assert told in answer.text
    assert f'href="#f-{field}"' in answer.text
    assert form["exercise_id"] in answer.text
    assert "No exercise has been planned yet." in (await desk.browser.get("/exercises")).text


async def test_the_board_is_marked_as_an_exercise_and_shows_every_inject(desk: Desk) -> None:
    board = (await desk.browser.get(await desk.planned())).text

    assert "EXERCISE – this is not a real situation" in board
    assert board.count('id="inject-') == 15
    assert "Start the exercise" in board
    assert "Put in now" not in board
    assert "example.org" not in board


async def test_a_leader_runs_an_exercise_from_its_board(desk: Desk) -> None:
    board = await desk.planned()

    started = await desk.browser.post(f"{board}/start")
    await desk.look(12)
    by_hand = await desk.browser.post(f"{board}/injects/4/fire")
    await desk.browser.post(f"{board}/injects/5/skip")
    await desk.browser.post(f"{board}/speed", data={"speed": "600"})
    await desk.browser.post(f"{board}/pause")
    paused = (await desk.browser.get(board)).text

    assert (started.status_code, by_hand.status_code) == (303, 303)
    assert by_hand.headers["location"].endswith("#inject-4")
    assert "0:12" in paused
    assert paused.count("Put in at") == 3
    assert paused.count("Left out") == 1
    assert "600×" in paused
    assert "Go on" in paused


async def test_breaking_off_for_something_real_takes_one_button(desk: Desk) -> None:
    board = await desk.planned()
    await desk.browser.post(f"{board}/start")

    await desk.browser.post(f"{board}/break-off")
    shown = (await desk.browser.get(board)).text

    assert "was broken off because something real happened" in shown
    assert "Put in now" not in shown
    assert "<button>Start" not in shown


@pytest.mark.parametrize("verb", ["pause", "resume", "injects/1/fire", "injects/99/skip"])
async def test_a_button_that_comes_at_the_wrong_time_leads_back_to_the_board_and_changes_nothing(
    desk: Desk, verb: str
) -> None:
    board = await desk.planned()

    answer = await desk.browser.post(f"{board}/{verb}")
    shown = await desk.browser.get(answer.headers["location"])

    assert answer.status_code == 303
    assert shown.status_code == 200
    assert "Nothing was changed: the exercise had gone on meanwhile." in shown.text
    assert "Start the exercise" in shown.text


async def test_putting_in_what_the_clock_has_just_put_in_is_told_calmly_on_the_board(desk: Desk) -> None:
    board = await desk.planned()
    await desk.browser.post(f"{board}/start")
    await desk.look(1)

    answer = await desk.browser.post(f"{board}/injects/1/fire")
    shown = (await desk.browser.get(answer.headers["location"])).text

    assert answer.status_code == 303
    assert "Nothing was changed: this inject had been put in or left out already." in shown
    assert shown.count("Put in at") == 1


async def test_the_board_says_what_was_put_in_last_and_what_comes_next(desk: Desk) -> None:
    board = await desk.planned()
    planned = (await desk.browser.get(board)).text
    await desk.browser.post(f"{board}/start")
    await desk.look(12)
    running = (await desk.browser.get(board)).text
    await desk.browser.post(f"{board}/speed", data={"speed": "600"})
    await desk.look(36)
    played = (await desk.browser.get(board)).text

    assert "Nothing yet." in planned
    assert "Inject 1 at 0:00" in planned
    assert "Inject 2 at 0:10" in running
    assert "Inject 3 at 0:30" in running
    assert "Nothing: the whole script was put in." in played
    assert "The script has come to its end." in played


async def test_the_empty_form_is_a_storm_that_takes_an_hour(desk: Desk) -> None:
    form = (await desk.browser.get("/exercises/new")).text

    assert re.search(r'value="winter-storm"[^>]* checked', form)
    assert '<option value="6" selected>' in form
    assert "The script lasts 6:00." in form


async def test_a_board_that_is_not_there_is_told_so(desk: Desk) -> None:
    answer = await desk.browser.get(f"/exercises/{new_id()}")

    assert answer.status_code == 404
    assert "There is no such exercise." in answer.text
