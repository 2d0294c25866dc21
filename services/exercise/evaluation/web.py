"""Pages: what exercises showed: the report of one, as a page and as files, and several side by side."""

from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from markupsafe import Markup
from starlette.responses import Response

from services.exercise.evaluation.comparison_table import FEWEST, MOST, compare
from services.exercise.evaluation.model import AfterActionReport
from services.exercise.evaluation.report_html import alone_html, report_html
from services.exercise.evaluation.report_pdf import can_print, report_pdf
from services.exercise.evaluation.report_words import until, written, written_day
from services.exercise.evaluation.report_xlsx import report_xlsx
from services.exercise.evaluation.store import EvaluationStore
from services.exercise.exercise.model import STATE_NAMES, Exercise
from services.exercise.exercise.store import ExerciseStore
from services.exercise.observation.store import ObservationStore
from shared.clock import Clock
from shared.i18n import HELSINKI, N_, Locale, texts
from shared.identity import Role, Staff, requires
from shared.web import Pages, TroubleError, pages_of

Reader = Annotated[Staff, Depends(requires(Role.EXERCISE_LEADER, Role.LIAISON))]

SAID = {
    "judged": N_("The judgement is saved."),
    "observed": N_("The observation is saved."),
    "removed": N_("The observation is removed."),
}
FORMS: dict[str, tuple[str, Callable[[Pages, AfterActionReport, Locale], bytes]]] = {
    "pdf": ("application/pdf", report_pdf),
    "xlsx": (
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        lambda _pages, report, locale: report_xlsx(report, locale),
    ),
    "html": ("text/html; charset=utf-8", lambda pages, report, locale: alone_html(pages, report, locale).encode()),
}
"""What a browser is told of each file, and how it is made."""


def forms() -> list[str]:
    """The files that can be had here."""
    return [form for form in FORMS if form != "pdf" or can_print()]


class EvaluationPages:
    """The pages of this topic."""

    def __init__(
        self, store: EvaluationStore, *, exercises: ExerciseStore, observations: ObservationStore, clock: Clock
    ) -> None:
        self._store = store
        self._exercises = exercises
        self._observations = observations
        self._clock = clock

    def router(self) -> APIRouter:
        """All routes of this topic."""
        router = APIRouter()
        router.add_api_route("/exercises/reports", self.list_all, methods=["GET"])
        router.add_api_route("/exercises/compare", self.compare, methods=["GET"])
        router.add_api_route("/exercises/{exercise_id:uuid}/report", self.report, methods=["GET"])
        router.add_api_route("/exercises/{exercise_id:uuid}/report.{form}", self.file, methods=["GET"])
        return router

    async def list_all(self, request: Request, _staff: Reader) -> Response:
        """The exercises that have begun, and the corrective actions of all that are still to be done."""
        begun = [exercise for exercise in await self._exercises.list_newest() if exercise.started_at]
        actions, total = await self._observations.open_actions()
        of_realm = await self._store.of_realms(sorted({action.realm for action in actions}))
        locale: Locale = request.state.locale
        today = self._clock.now().astimezone(HELSINKI).date()
        return pages_of(request).page(
            request,
            "exercise_reports.html",
            exercises=begun,
            states=STATE_NAMES,
            actions=[(one, of_realm.get(one.realm), until(one, locale, today=today)) for one in actions],
            titles={exercise.realm: exercise.scenario.title.of(locale) for exercise in begun},
            total=total,
            most=MOST,
            written_day=partial(written_day, locale=locale),
        )

    async def compare(
        self, request: Request, _staff: Reader, exercise: Annotated[list[UUID] | None, Query()] = None
    ) -> Response:
        """Two to five exercises side by side."""
        chosen = list(dict.fromkeys(exercise or []))
        if not FEWEST <= len(chosen) <= MOST:
            raise TroubleError(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                N_("From two to five exercises can be compared."),
                what_next=N_("Go back to the list and choose them there."),
            )
        reports = [await self._store.report_of(exercise_id) for exercise_id in chosen]
        locale: Locale = request.state.locale
        return pages_of(request).page(
            request,
            "exercise_compare.html",
            realm=reports[0].exercise.realm,
            comparison=compare(reports, locale),
            w=partial(written, locale=locale),
        )

    async def report(self, request: Request, exercise_id: UUID, staff: Reader, said: str = "") -> Response:
        """The after-action report as the log stands now; who leads may judge and observe from here."""
        report = await self._store.report_of(exercise_id)
        locale: Locale = request.state.locale
        leads = staff.may(Role.EXERCISE_LEADER)
        pages = pages_of(request)
        links = f"/exercises/{exercise_id}" if leads else ""
        return pages.page(
            request,
            "after_action.html",
            realm=report.exercise.realm,
            exercise=report.exercise,
            article=Markup(report_html(pages, report, locale, links=links)),  # noqa: S704 - rendered with escaping
            forms=forms(),
            leads=leads,
            said=texts(locale)(SAID[said]) if said in SAID else "",
        )

    async def file(self, request: Request, exercise_id: UUID, form: str, _staff: Reader) -> Response:
        """The report as a file."""
        if form not in forms():
            raise TroubleError(HTTPStatus.NOT_FOUND, N_("The report cannot be had in this form here."))
        report = await self._store.report_of(exercise_id)
        locale: Locale = request.state.locale
        media, make = FORMS[form]
        name = _file_name(report.exercise, form, locale)
        headers = {
            "content-type": media,
            "content-disposition": f'attachment; filename="{name}"',
            "content-language": locale.lang,
            "x-robots-tag": "noindex",
        }
        return Response(make(pages_of(request), report, locale), headers=headers)


def _file_name(exercise: Exercise, form: str, locale: Locale) -> str:
    day = (exercise.started_at or exercise.created_at).astimezone(HELSINKI).date().isoformat()
    return f"exercise-report-{exercise.scenario.key}-{day}.{locale.value.replace('@', '-')}.{form}"
