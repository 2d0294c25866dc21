"""Pages: judging whether an expected action was done."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from services.exercise.exercise.model import Exercise
from services.exercise.exercise.store import ExerciseStore
from services.exercise.expectation.model import LONGEST_NOTE, Flaw, Mark, write_mark
from services.exercise.expectation.store import ExpectationStore
from services.exercise.scenario.model import Contingency, Inject
from shared.clock import Clock
from shared.i18n import N_, texts
from shared.identity import Role, Staff, requires
from shared.web import TroubleError, pages_of

Leader = Annotated[Staff, Depends(requires(Role.EXERCISE_LEADER))]

AS_LOGGED = "log"
FLAWS: dict[Flaw, tuple[str, str]] = {
    Flaw.NO_VERDICT: ("verdict", N_("Choose whether it was done.")),
    Flaw.NOTE_TOO_LONG: ("note", N_("The note may have at most 1,000 characters. Shorten it.")),
}


class ExpectationPages:
    """The pages of this topic."""

    def __init__(self, store: ExpectationStore, *, exercises: ExerciseStore, clock: Clock) -> None:
        self._store = store
        self._exercises = exercises
        self._clock = clock

    def router(self) -> APIRouter:
        """All routes of this topic."""
        router, one = APIRouter(), "/exercises/{exercise_id:uuid}/actions/{number:int}"
        router.add_api_route(one, self.form, methods=["GET"])
        router.add_api_route(one, self.judge, methods=["POST"])
        return router

    async def form(self, request: Request, exercise_id: UUID, number: int, _staff: Leader) -> Response:
        """The form with the judgement that there is."""
        exercise = await self._exercises.one(exercise_id)
        scripted = _scripted(exercise, number)
        mark = (await self._store.marks(exercise)).get(number)
        verdict, note = (mark.verdict.value, mark.note) if mark else (AS_LOGGED, "")
        return _page(request, exercise, scripted, verdict=verdict, note=note)

    async def judge(self, request: Request, exercise_id: UUID, number: int, staff: Leader) -> Response:
        """Keep the judgement, or take it back so that the log speaks; or the form again with what is wrong."""
        exercise = await self._exercises.one(exercise_id)
        scripted = _scripted(exercise, number)
        form = await request.form()
        verdict, note = _text(form, "verdict"), _text(form, "note")
        if verdict == AS_LOGGED:
            await self._store.take_back(exercise, number)
        else:
            mark = write_mark(number, verdict, note, by=staff.person_id, now=self._clock.now())
            if not isinstance(mark, Mark):
                return _page(request, exercise, scripted, verdict=verdict, note=note, flaws=mark)
            await self._store.keep(exercise, mark)
        return RedirectResponse(f"/exercises/{exercise_id}/report?said=judged#action-{number}", status_code=303)


def _scripted(exercise: Exercise, number: int) -> Inject | Contingency:
    try:
        return exercise.scenario.scripted(number)
    except KeyError:
        raise TroubleError(HTTPStatus.NOT_FOUND, N_("The scenario has no inject with this number.")) from None


def _text(form: FormData, name: str) -> str:
    value = form.get(name, "")
    return value if isinstance(value, str) else ""


def _page(
    request: Request,
    exercise: Exercise,
    scripted: Inject | Contingency,
    *,
    verdict: str,
    note: str,
    flaws: tuple[Flaw, ...] = (),
) -> Response:
    _ = texts(request.state.locale)
    errors = [
        {"message": _(message), "href": f"#f-{field}", "field": field}
        for field, message in (FLAWS[flaw] for flaw in flaws)
    ]
    return pages_of(request).page(
        request,
        "action.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if flaws else HTTPStatus.OK,
        realm=exercise.realm,
        exercise=exercise,
        one=scripted,
        verdict=verdict,
        note=note,
        errors=errors,
        wrong={error["field"]: error["message"] for error in errors},
        longest=LONGEST_NOTE,
    )
