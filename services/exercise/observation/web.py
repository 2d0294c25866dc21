"""Pages: writing down what was seen in an exercise, and closing what was to be done."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from services.exercise.exercise.model import Exercise
from services.exercise.exercise.store import ExerciseStore
from services.exercise.observation.model import (
    SORT_NAMES,
    Draft,
    Flaw,
    Observation,
    Refused,
    closed,
    reopened,
    write_observation,
)
from services.exercise.observation.store import ObservationStore
from shared.clock import Clock
from shared.i18n import N_, texts
from shared.identity import Role, Staff, requires
from shared.ids import new_id
from shared.web import TroubleError, pages_of

Leader = Annotated[Staff, Depends(requires(Role.EXERCISE_LEADER))]

FLAWS: dict[Flaw, tuple[str, str]] = {
    Flaw.NO_SORT: ("sort", N_("Choose whether it is a strength or to improve.")),
    Flaw.NO_TEXT: ("text", N_("Write what was seen.")),
    Flaw.TEXT_TOO_LONG: ("text", N_("The observation may have at most 2,000 characters. Shorten it.")),
    Flaw.OBJECTIVE_UNKNOWN: ("objective", N_("Choose an objective of the list, or none.")),
    Flaw.ACTION_TOO_LONG: ("action", N_("The corrective action may have at most 2,000 characters. Shorten it.")),
    Flaw.NO_OWNER: ("owner", N_("Say who is responsible for the corrective action.")),
    Flaw.OWNER_TOO_LONG: ("owner", N_("The name of who is responsible may have at most 100 characters.")),
    Flaw.OWNER_PRIVATE: ("owner", N_("Name a function or an organisation here, without an address or a number.")),
    Flaw.NO_DUE: ("due", N_("Give the day by which the corrective action is to be done.")),
    Flaw.DUE_UNREADABLE: ("due", N_("The day could not be read. Give it as day, month and year.")),
}
FIELDS = tuple(Draft.__dataclass_fields__)


class ObservationPages:
    """The pages of this topic."""

    def __init__(self, store: ObservationStore, *, exercises: ExerciseStore, clock: Clock) -> None:
        self._store = store
        self._exercises = exercises
        self._clock = clock

    def router(self) -> APIRouter:
        """All routes of this topic."""
        router, all_of = APIRouter(), "/exercises/{exercise_id:uuid}/observations"
        one = f"{all_of}/{{observation_id:uuid}}"
        router.add_api_route(f"{all_of}/new", self.new, methods=["GET"])
        router.add_api_route(f"{all_of}/new", self.write, methods=["POST"])
        router.add_api_route(one, self.form, methods=["GET"])
        router.add_api_route(one, self.rewrite, methods=["POST"])
        router.add_api_route(f"{one}/close", self.close, methods=["POST"])
        router.add_api_route(f"{one}/reopen", self.reopen, methods=["POST"])
        router.add_api_route(f"{one}/remove", self.remove, methods=["POST"])
        return router

    async def new(self, request: Request, exercise_id: UUID, _staff: Leader) -> Response:
        """The empty form. Its id is made with it, so that sending it twice writes one observation."""
        exercise = await _begun(self._exercises, exercise_id)
        return _page(request, exercise, Draft("", ""), observation_id=new_id())

    async def write(self, request: Request, exercise_id: UUID, _staff: Leader) -> Response:
        """Keep a new observation."""
        exercise = await _begun(self._exercises, exercise_id)
        return await self._keep(request, exercise, None)

    async def form(self, request: Request, exercise_id: UUID, observation_id: UUID, _staff: Leader) -> Response:
        """The form with the observation."""
        exercise = await self._exercises.one(exercise_id)
        known = await self._store.one(exercise, observation_id)
        due = known.due.isoformat() if known.due else ""
        draft = Draft(known.sort.value, known.text, known.objective, known.action, known.owner, due)
        return _page(request, exercise, draft, observation_id=known.id, known=known)

    async def rewrite(self, request: Request, exercise_id: UUID, observation_id: UUID, _staff: Leader) -> Response:
        """Keep it as it is now written."""
        exercise = await self._exercises.one(exercise_id)
        return await self._keep(request, exercise, await self._store.one(exercise, observation_id))

    async def close(self, exercise_id: UUID, observation_id: UUID, _staff: Leader) -> Response:
        """Its corrective action was done."""
        exercise = await self._exercises.one(exercise_id)
        now = self._clock.now()
        await self._store.change(exercise, observation_id, lambda one: closed(one, now))
        return _to_report(exercise, "observed", f"observation-{observation_id}")

    async def reopen(self, exercise_id: UUID, observation_id: UUID, _staff: Leader) -> Response:
        """Its corrective action is to be done after all."""
        exercise = await self._exercises.one(exercise_id)
        await self._store.change(exercise, observation_id, reopened)
        return _to_report(exercise, "observed", f"observation-{observation_id}")

    async def remove(self, exercise_id: UUID, observation_id: UUID, _staff: Leader) -> Response:
        """Have it no more."""
        exercise = await self._exercises.one(exercise_id)
        await self._store.remove(exercise, observation_id)
        return _to_report(exercise, "removed", "after-observations")

    async def _keep(self, request: Request, exercise: Exercise, known: Observation | None) -> Response:
        form = await request.form()
        said = {name: value for name in FIELDS if isinstance(value := form.get(name, ""), str)}
        draft = Draft(**{"sort": "", "text": "", **said})
        observation_id = known.id if known else _id(form.get("observation_id"))
        outcome = write_observation(
            draft,
            observation_id=observation_id,
            realm=exercise.realm,
            objectives=[one.key for one in exercise.scenario.objectives],
            now=self._clock.now(),
        )
        if isinstance(outcome, Refused):
            return _page(request, exercise, draft, observation_id=observation_id, known=known, flaws=outcome.flaws)
        if known and known.closed_at and outcome.action:
            outcome = closed(outcome, known.closed_at)
        await self._store.save(outcome)
        return _to_report(exercise, "observed", f"observation-{observation_id}")


def _id(text: object) -> UUID:
    """The id that the form brought, or a new one where it brought none."""
    try:
        return UUID(str(text))
    except ValueError:
        return new_id()


async def _begun(exercises: ExerciseStore, exercise_id: UUID) -> Exercise:
    exercise = await exercises.one(exercise_id)
    if exercise.started_at is None:
        raise TroubleError(
            HTTPStatus.CONFLICT,
            N_("This exercise has not begun yet: there is nothing to observe."),
            what_next=N_("Go back to the board: it shows how the exercise stands."),
        )
    return exercise


def _to_report(exercise: Exercise, said: str, place: str) -> Response:
    return RedirectResponse(f"/exercises/{exercise.id}/report?said={said}#{place}", status_code=303)


def _page(
    request: Request,
    exercise: Exercise,
    draft: Draft,
    *,
    observation_id: UUID,
    known: Observation | None = None,
    flaws: Sequence[Flaw] = (),
) -> Response:
    locale = request.state.locale
    _ = texts(locale)
    errors = [
        {"message": _(message), "href": f"#f-{field}", "field": field}
        for field, message in (FLAWS[flaw] for flaw in flaws)
    ]
    objectives = [(one.key, one.text.of(locale)) for one in exercise.scenario.objectives]
    return pages_of(request).page(
        request,
        "observation.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if flaws else HTTPStatus.OK,
        realm=exercise.realm,
        exercise=exercise,
        form=draft,
        observation_id=observation_id,
        known=known,
        sorts=SORT_NAMES,
        objectives=[("", _("No one objective")), *objectives],
        errors=errors,
        wrong={error["field"]: error["message"] for error in errors},
    )
