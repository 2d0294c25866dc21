"""Pages of scheduling: approving guidance for a later moment, releasing it before, taking it back."""

from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from services.notify.guidance.model import REFUSALS, Refusal, Revision, State
from services.notify.guidance.preview import previews
from services.notify.guidance.store import GuidanceStore
from services.notify.guidance.text_desk import Approver, edition_in, edition_of, places_of
from services.notify.scheduling.model import AHEAD, FIRST, SECOND, WallClock, hour_comes_twice, moment_of
from services.notify.scheduling.store import Schedule
from services.notify.situations.store import SituationStore
from services.notify.subscribers.model import AUDIENCE_NAMES, Problem
from shared.clock import Clock
from shared.i18n import HELSINKI, N_, Locale
from shared.identity import Role, Staff, requires
from shared.web import TroubleError, pages_of

Either = Annotated[Staff, Depends(requires(Role.EDITOR, Role.APPROVER))]

WORD = "word"


@dataclass(frozen=True)
class Shown:
    """What was typed, and what is wrong with it."""

    typed: WallClock
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class SchedulingPages:
    """What these pages work with."""

    schedule: Schedule
    guidance: GuidanceStore
    situations: SituationStore
    clock: Clock

    async def unreleased(self, guidance_id: UUID) -> Revision:
        """The text that waits to be released, or the 404 page."""
        revision = await self.waiting(guidance_id)
        if revision is None or revision.state is State.DRAFT:
            raise TroubleError(HTTPStatus.NOT_FOUND, N_("There is no text here that waits to be released."))
        return revision

    async def waiting(self, guidance_id: UUID) -> Revision | None:
        """The same, draft or not, in whichever realm it is; None where nothing is to be released."""
        return await self.guidance.unreleased(await self.guidance.realm_of(guidance_id), guidance_id)

    async def page(self, request: Request, staff: Staff, revision: Revision, shown: Shown) -> Response:
        """The form, or the plan that waits."""
        locale: Locale = request.state.locale
        today = self.clock.now().astimezone(HELSINKI).date()
        known = {str(one.situation_id): one.marked(locale) for one in await self.situations.open_ones(revision.realm)}
        values: dict[str, Any] = {
            "typed": shown.typed,
            "twice": hour_comes_twice(shown.typed),
            "which": ((FIRST, N_("The first, in summer time")), (SECOND, N_("The second, in winter time"))),
            "problems": shown.problems,
            "wrong": {problem.field: problem.message for problem in shown.problems},
            "today": today.isoformat(),
            "last_day": (today + AHEAD).isoformat(),
        }
        return pages_of(request).page(
            request,
            "schedule.html",
            status=HTTPStatus.UNPROCESSABLE_ENTITY if shown.problems else HTTPStatus.OK,
            realm=revision.realm,
            revision=revision,
            back=here_of(revision),
            reach=await self.guidance.reach(revision),
            previews=previews(revision.draft, revision.kind, live=revision.realm.live),
            own=staff.person_id in revision.writers,
            may_approve=staff.may(Role.APPROVER),
            situations=known,
            audience_names={audience.value: name for audience, name in AUDIENCE_NAMES.items()},
            places=places_of(request),
            **values,
        )

    async def answer(
        self, request: Request, staff: Staff, revision: Revision, *, decided: object, typed: WallClock
    ) -> Response:
        """Back to the text; or the form again, with what was refused."""
        if not isinstance(decided, Refusal):
            return RedirectResponse(here_of(revision), status_code=303)
        newest = await self.waiting(revision.guidance_id) or revision
        shown = Shown(typed, (Problem(WORD, REFUSALS[decided]),))
        response = await self.page(request, staff, newest, shown)
        response.status_code = HTTPStatus.FORBIDDEN if decided is Refusal.OWN_TEXT else response.status_code
        return response


def pages(desk: SchedulingPages) -> APIRouter:
    """`/guidance/<id>/schedule` and what is below it."""
    router = APIRouter(prefix="/guidance/{guidance_id}/schedule")

    @router.get("")
    async def form(request: Request, staff: Approver, guidance_id: UUID) -> Response:
        """When it is to be released; or, if that is planned, the plan."""
        soon = (desk.clock.now() + timedelta(hours=1)).astimezone(HELSINKI)
        typed = WallClock(soon.date().isoformat(), f"{soon:%H}:00")
        return await desk.page(request, staff, await desk.unreleased(guidance_id), Shown(typed))

    @router.post("")
    async def plan(request: Request, staff: Approver, guidance_id: UUID) -> Response:
        """Approve it for that moment, if another person wrote it and the word is right."""
        revision = await desk.unreleased(guidance_id)
        form = await request.form()
        typed = WallClock(*(str(form.get(name, ""))[:20] for name in ("day", "at", "which")))
        meant = moment_of(typed, desk.clock.now())
        if isinstance(meant, Problem):
            return await desk.page(request, staff, revision, Shown(typed, (meant,)))
        decided = await desk.schedule.plan(
            revision.realm,
            guidance_id,
            release_at=meant,
            by=staff.person_id,
            word=str(form.get(WORD, "")),
            edition=edition_in(form),
        )
        return await desk.answer(request, staff, revision, decided=decided, typed=typed)

    @router.post("/now")
    async def now(request: Request, staff: Approver, guidance_id: UUID) -> Response:
        """Release it before its moment."""
        revision = await desk.unreleased(guidance_id)
        form = await request.form()
        decided = await desk.schedule.release_now(
            revision.realm,
            guidance_id,
            by=staff.person_id,
            word=str(form.get(WORD, "")),
            edition=edition_in(form),
        )
        return await desk.answer(request, staff, revision, decided=decided, typed=WallClock("", ""))

    @router.post("/take-back")
    async def take_back(request: Request, staff: Either, guidance_id: UUID) -> Response:
        """Stop it: whoever may write or approve may also stop."""
        revision = await desk.waiting(guidance_id)
        edition = await edition_of(request)
        if revision is None or not await desk.schedule.take_back(
            revision.realm, guidance_id, by=staff.person_id, edition=edition
        ):
            raise TroubleError(
                HTTPStatus.CONFLICT,
                N_("This text does not wait for its moment any more."),
                what_next=N_("Look at its page: it may have been released meanwhile, or changed."),
            )
        return RedirectResponse(here_of(revision), status_code=303)

    return router


def here_of(revision: Revision) -> str:
    """The page of this text on the guidance desk."""
    return f"/guidance/{revision.guidance_id}{'/correction' if revision.corrects else ''}"
