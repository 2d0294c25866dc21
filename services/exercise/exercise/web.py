"""Pages: the list of exercises, and planning one from a ready scenario."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request
from pydantic import BaseModel, Field
from starlette.responses import RedirectResponse, Response

from services.exercise.exercise.model import MOST_PARTICIPANTS, STATE_NAMES, Draft, Flaw, Refused, plan
from services.exercise.exercise.store import ExerciseStore
from services.exercise.scenario.model import written_offset
from services.exercise.scenario.store import ready_scenarios
from shared.clock import Clock
from shared.i18n import N_, texts
from shared.identity import Role, Staff, requires
from shared.ids import new_id
from shared.web import pages_of

Leader = Annotated[Staff, Depends(requires(Role.EXERCISE_LEADER))]

SPEEDS_OFFERED = {
    "1": N_("Real time: as long as the script"),
    "6": N_("6×: an hour of the script takes ten minutes"),
    "60": N_("60×: an hour of the script takes a minute"),
    "600": N_("600×: an hour of the script takes six seconds"),
}

FLAWS: dict[Flaw, tuple[str, str]] = {
    Flaw.SCENARIO_UNKNOWN: ("scenario", N_("Choose a scenario.")),
    Flaw.SPEED_OUT_OF_RANGE: ("speed", N_("Give the speed as a whole number from 1 to 600.")),
    Flaw.NO_ADDRESS: ("participants", N_("“%(what)s” is not an email address. Write one address to a line.")),
    Flaw.TOO_MANY: ("participants", N_("At most 1,000 addresses can take part.")),
}
"""The field and the sentence for each flaw of the form."""


@dataclass(frozen=True)
class FormError:
    """What is wrong with a field."""

    field: str
    message: str

    @property
    def href(self) -> str:
        """Where the field is on the page."""
        return f"#f-{self.field}"


class ExerciseForm(BaseModel):
    """What a leader wrote into the form. The ids are made with the empty form, so that sending it twice plans once."""

    exercise_id: UUID = Field(default_factory=new_id)
    situation_id: UUID = Field(default_factory=new_id)
    scenario: str = "winter-storm"
    speed: str = "6"
    participants: str = Field(default="", max_length=400 * MOST_PARTICIPANTS)

    def draft(self) -> Draft:
        """The same as the model takes it."""
        return Draft(ready_scenarios().get(self.scenario), whole_number(self.speed), self.participants)


def whole_number(text: str) -> int | None:
    """A whole number as people write it, or None."""
    digits = text.strip()
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 5 else None


class ExercisePages:
    """The pages of this topic."""

    def __init__(self, store: ExerciseStore, *, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def router(self) -> APIRouter:
        """All routes of this topic."""
        router = APIRouter()
        router.add_api_route("/exercises", self.list_newest, methods=["GET"])
        router.add_api_route("/exercises/new", self.form, methods=["GET"])
        router.add_api_route("/exercises/new", self.plan, methods=["POST"])
        return router

    async def list_newest(self, request: Request, _staff: Leader) -> Response:
        """The exercises planned last."""
        exercises = await self._store.list_newest()
        return pages_of(request).page(request, "exercises.html", exercises=exercises, states=STATE_NAMES)

    async def form(self, request: Request, _staff: Leader) -> Response:
        """The empty form."""
        return _form_page(request, ExerciseForm())

    async def plan(self, request: Request, staff: Leader, form: Annotated[ExerciseForm, Form()]) -> Response:
        """Plan an exercise and show its board; or the form again with what is wrong."""
        outcome = plan(
            form.draft(),
            exercise_id=form.exercise_id,
            situation_id=form.situation_id,
            leader=staff.person_id,
            now=self._clock.now(),
        )
        if isinstance(outcome, Refused):
            return _form_page(request, form, flaws=outcome.flaws, what=outcome.what)
        await self._store.plan(outcome, new_id)
        return RedirectResponse(f"/exercises/{form.exercise_id}", status_code=303)


def _form_page(request: Request, form: ExerciseForm, *, flaws: Sequence[Flaw] = (), what: str = "") -> Response:
    locale = request.state.locale
    _ = texts(locale)
    errors = [
        FormError(field, _(message) % {"what": what} if "%(what)s" in message else _(message))
        for field, message in (FLAWS[flaw] for flaw in flaws)
    ]
    return pages_of(request).page(
        request,
        "exercise_form.html",
        status=422 if flaws else 200,
        form=form,
        errors=errors,
        wrong={error.field: error.message for error in errors},
        scenarios=list(ready_scenarios().values()),
        speeds=[(speed, _(text)) for speed, text in SPEEDS_OFFERED.items()],
        written=written_offset,
    )
