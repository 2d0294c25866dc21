"""Pages: the board of an exercise, from which its leader runs it."""

from collections.abc import Awaitable, Callable
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request
from markupsafe import Markup
from starlette.responses import RedirectResponse, Response

from services.exercise.director.model import Answers, BoardLook, next_due, offered, put_in_last
from services.exercise.director.store import DirectorStore
from services.exercise.exercise.model import STATE_NAMES, Exercise, Flaw, Refused
from services.exercise.exercise.store import ExerciseStore
from services.exercise.scenario.model import Channel, Opens, written_offset
from services.exercise.simulated.store import SimulatedStore
from shared.clock import Clock
from shared.i18n import N_, Locale, texts
from shared.identity import Role, Staff, requires
from shared.web import Pages, pages_of

Leader = Annotated[Staff, Depends(requires(Role.EXERCISE_LEADER))]

CHANNEL_NAMES = {
    Channel.PHONE: N_("by telephone"),
    Channel.EMAIL: N_("by email"),
    Channel.RADIO: N_("by radio"),
    Channel.BRIEFING: N_("in a briefing"),
    Channel.MEDIA: N_("in the media"),
    Channel.VISIT: N_("in person"),
}
OPENS_NAMES = {Opens.SITUATION: N_("Opens the situation"), Opens.ROUND: N_("Opens a round")}

REFUSALS = {
    Flaw.NOT_NOW: N_("Nothing was changed: the exercise had gone on meanwhile. The board shows how it stands."),
    Flaw.SPEED_OUT_OF_RANGE: N_("Give the speed as a whole number from 1 to 600."),
    Flaw.FIRED_BEFORE: N_("Nothing was changed: this inject had been put in or left out already."),
}
"""What the board says when a button came too late, as when the clock was quicker, or two people lead."""

SPEEDS_OFFERED = (1, 6, 60, 600)
"""Those that take one press; any other is written."""


class BoardPages:
    """The pages of this topic."""

    def __init__(
        self,
        exercises: ExerciseStore,
        *,
        director: DirectorStore,
        simulated: SimulatedStore,
        answers: Callable[[Exercise], Awaitable[Answers]],
        pages: Pages,
        clock: Clock,
    ) -> None:
        self._exercises = exercises
        self._simulated = simulated
        self._director = director
        self._answers = answers
        self._pages = pages
        self._clock = clock

    def router(self) -> APIRouter:
        """All routes of this topic."""
        router, one = APIRouter(), "/exercises/{exercise_id:uuid}"
        router.add_api_route(one, self.board, methods=["GET"])
        for verb, act in (
            ("start", self.start),
            ("pause", self.pause),
            ("resume", self.resume),
            ("speed", self.change_speed),
            ("end", self.end),
            ("break-off", self.break_off),
        ):
            router.add_api_route(f"{one}/{verb}", act, methods=["POST"])
        router.add_api_route(f"{one}/injects/{{number:int}}/fire", self.fire, methods=["POST"])
        router.add_api_route(f"{one}/injects/{{number:int}}/skip", self.skip, methods=["POST"])
        return router

    async def board(self, request: Request, exercise_id: UUID, _staff: Leader, said: str = "") -> Response:
        """The clock, the buttons and the timeline. `said` names the reason why something was not done."""
        exercise = await self._exercises.one(exercise_id)
        locale: Locale = request.state.locale
        refused = next((sentence for flaw, sentence in REFUSALS.items() if said == flaw.name.lower()), "")
        return pages_of(request).page(
            request,
            "board.html",
            realm=exercise.realm,
            exercise=exercise,
            refused=texts(locale)(refused) if refused else "",
            live=f"/exercises/{exercise.id}/live?{urlencode({'lang': locale})}",
            fragment=Markup(await self._fragment(exercise, locale)),  # noqa: S704 - rendered with escaping just now
        )

    async def fragment(self, look: BoardLook) -> str:
        """The part of the page that is kept live, as it is now. Raises NoSuchExerciseError."""
        return await self._fragment(await self._exercises.one(look.exercise_id), look.locale)

    async def _fragment(self, exercise: Exercise, locale: Locale) -> str:
        lines = await self._director.timeline(exercise)
        now = self._clock.now()
        offset = exercise.clock.offset(now)
        return self._pages.fragment(
            locale,
            "_board.html",
            exercise=exercise,
            states=STATE_NAMES,
            speeds=SPEEDS_OFFERED,
            offset=offset,
            played=exercise.played(now),
            phase=exercise.scenario.phase_at(offset),
            lines=lines,
            next_due=next_due(lines),
            last=put_in_last(lines),
            offered=offered(lines, offset),
            participants=await self._exercises.participants(exercise),
            answers=await self._answers(exercise),
            simulated=await self._simulated.figures(exercise),
            channels=CHANNEL_NAMES,
            opens=OPENS_NAMES,
            written=written_offset,
        )

    async def start(self, exercise_id: UUID, _staff: Leader) -> Response:
        """Begin it."""
        return await _done(exercise_id, self._exercises.start)

    async def pause(self, exercise_id: UUID, _staff: Leader) -> Response:
        """Stop its clock."""
        return await _done(exercise_id, self._exercises.pause)

    async def resume(self, exercise_id: UUID, _staff: Leader) -> Response:
        """Let its clock go on."""
        return await _done(exercise_id, self._exercises.resume)

    async def change_speed(self, exercise_id: UUID, _staff: Leader, speed: Annotated[str, Form()] = "") -> Response:
        """Let its clock go faster or slower."""
        digits = speed.strip()
        wanted = int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 5 else None
        return await _done(exercise_id, lambda one: self._exercises.change_speed(one, wanted))

    async def end(self, exercise_id: UUID, _staff: Leader) -> Response:
        """End it."""
        return await _done(exercise_id, self._exercises.end)

    async def break_off(self, exercise_id: UUID, _staff: Leader) -> Response:
        """Something real has happened: end it at once."""
        return await _done(exercise_id, lambda one: self._exercises.end(one, aborted=True))

    async def fire(self, exercise_id: UUID, number: int, staff: Leader) -> Response:
        """Put an inject in now."""
        return await _done(exercise_id, lambda one: self._director.fire(one, number, by=staff.person_id), number)

    async def skip(self, exercise_id: UUID, number: int, staff: Leader) -> Response:
        """Leave an inject out."""
        return await _done(exercise_id, lambda one: self._director.skip(one, number, by=staff.person_id), number)


async def _done(
    exercise_id: UUID, act: Callable[[UUID], Awaitable[Exercise | Refused | None]], number: int | None = None
) -> Response:
    """Do it and go back to the board, which says so if it was refused."""
    outcome = await act(exercise_id)
    if isinstance(outcome, Refused):
        return RedirectResponse(f"/exercises/{exercise_id}?said={outcome.flaws[0].name.lower()}", status_code=303)
    place = f"#inject-{number}" if number is not None else ""
    return RedirectResponse(f"/exercises/{exercise_id}{place}", status_code=303)
