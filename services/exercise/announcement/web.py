"""Pages: the public list of exercises with its calendars, and the form of their leader."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from services.exercise.announcement.exercises_ics import MEDIA_TYPE, exercises_ics
from services.exercise.announcement.model import (
    LANGUAGES,
    TEXT_LENGTH,
    Announced,
    Announcement,
    Draft,
    Problem,
    Stage,
    announce,
    key,
    proposed,
)
from services.exercise.announcement.store import AnnouncementStore
from services.exercise.exercise.model import Exercise
from services.exercise.exercise.store import ExerciseStore
from services.exercise.scenario.model import written_offset
from shared.clock import Clock
from shared.i18n import HELSINKI, N_, Locale, texts
from shared.identity import Role, Staff, requires
from shared.web import TroubleError, pages_of

Leader = Annotated[Staff, Depends(requires(Role.EXERCISE_LEADER))]

STAGE_NAMES = {
    Stage.OPEN: N_("Open for sign-up"),
    Stage.RUNNING: N_("Running"),
    Stage.OVER: N_("Over"),
    Stage.CANCELLED: N_("Cancelled"),
}


class AnnouncementPages:
    """The pages of this topic."""

    def __init__(self, store: AnnouncementStore, *, exercises: ExerciseStore, clock: Clock, public_url: str) -> None:
        self._store = store
        self._exercises = exercises
        self._clock = clock
        self._public_url = public_url

    def router(self) -> APIRouter:
        """All routes of this topic."""
        router, announced = APIRouter(), "/exercise/announced"
        router.add_api_route(announced, self.list_public, methods=["GET"])
        router.add_api_route(f"{announced}/calendar.ics", self.calendar, methods=["GET"])
        router.add_api_route(f"{announced}/{{exercise_id:uuid}}/calendar.ics", self.entry, methods=["GET"])
        router.add_api_route("/exercises/{exercise_id:uuid}/announcement", self.form, methods=["GET"])
        router.add_api_route("/exercises/{exercise_id:uuid}/announcement", self.change, methods=["POST"])
        return router

    async def list_public(self, request: Request) -> Response:
        """The announced exercises, the next one first; those that are over or called off below."""
        announced = await self._store.list_public()
        return pages_of(request).page(
            request,
            "announced_list.html",
            coming=[one for one in announced if one.stage in {Stage.OPEN, Stage.RUNNING}],
            past=[one for one in reversed(announced) if one.stage not in {Stage.OPEN, Stage.RUNNING}],
            stages=STAGE_NAMES,
            webcal=f"webcal{self._public_url[self._public_url.index(':') :]}",
        )

    async def calendar(self, request: Request) -> Response:
        """The same as a calendar."""
        return self._calendar(request, await self._store.list_public(), "valmius")

    async def entry(self, request: Request, exercise_id: UUID) -> Response:
        """One exercise as an entry for a calendar."""
        return self._calendar(request, [await self._store.public(exercise_id)], f"valmius-{exercise_id}")

    async def form(self, request: Request, exercise_id: UUID, _staff: Leader, said: str = "") -> Response:
        """The announcement as it stands, or what the scenario proposes."""
        exercise = await self._exercises.one(exercise_id)
        present = await self._store.of(exercise.realm)
        return _form_page(request, exercise, _written(exercise, present), present=present, saved=said == "saved")

    async def change(self, request: Request, exercise_id: UUID, _staff: Leader) -> Response:
        """Save it; or the form again with what is wrong."""
        exercise = await self._exercises.one(exercise_id)
        if exercise.started_at or exercise.over:
            raise TroubleError(
                HTTPStatus.CONFLICT,
                N_("The exercise has begun, so that its announcement stays as it is. Nothing was changed."),
                what_next=N_("Go back to the board: it shows how the exercise stands."),
            )
        async with request.form() as sent:
            draft = Draft(
                day=str(sent.get("day", "")),
                at=str(sent.get("at", "")),
                length=str(sent.get("length", "")),
                texts={one.value: str(sent.get(f"text_{key(one)}", "")) for one in LANGUAGES},
                announced=sent.get("announced") == "yes",
            )
        outcome = await self._store.change(exercise_id, lambda present: announce(draft, present, now=self._clock.now()))
        if isinstance(outcome, Announcement):
            return RedirectResponse(f"/exercises/{exercise_id}/announcement?said=saved", status_code=303)
        present = await self._store.of(exercise.realm)
        return _form_page(request, exercise, draft, present=present, problems=outcome)

    def _calendar(self, request: Request, announced: Sequence[Announced], name: str) -> Response:
        written = exercises_ics(announced, request.state.locale, public_url=self._public_url)
        named = {"content-disposition": f'inline; filename="{name}.ics"'}
        return Response(written, media_type=f"{MEDIA_TYPE}; charset=utf-8", headers=named)


def _written(exercise: Exercise, present: Announcement | None) -> Draft:
    if present is None:
        length = exercise.scenario.length / exercise.clock.speed
        return Draft("", "", written_offset(length), proposed(exercise), announced=False)
    wall = present.starts_at.astimezone(HELSINKI)
    return Draft(
        wall.date().isoformat(),
        wall.strftime("%H:%M"),
        written_offset(present.length),
        present.texts,
        announced=present.announced,
    )


def _form_page(
    request: Request,
    exercise: Exercise,
    draft: Draft,
    *,
    present: Announcement | None,
    problems: Sequence[Problem] = (),
    saved: bool = False,
) -> Response:
    _ = texts(request.state.locale)
    errors = [Problem(problem.field, _(problem.message)) for problem in problems]
    return pages_of(request).page(
        request,
        "announcement_form.html",
        status=422 if problems else 200,
        realm=exercise.realm,
        exercise=exercise,
        draft=draft,
        public=present is not None and present.public_since is not None,
        errors=errors,
        wrong={error.field: error.message for error in errors},
        languages_written=[
            (key(one), one.own_name, one.lang, draft.texts.get(one, ""), one is Locale.FI) for one in LANGUAGES
        ],
        text_length=TEXT_LENGTH,
        saved=saved,
        fixed=exercise.started_at is not None or exercise.over,
    )
