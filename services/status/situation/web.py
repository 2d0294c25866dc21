"""Pages: the list of situations, and opening and changing one."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request
from pydantic import BaseModel, Field
from starlette.responses import RedirectResponse, Response

from services.status.rehearsal.model import BREAKS_OFF
from services.status.rehearsal.store import RunningExercise, RunningExercises
from services.status.situation.model import (
    ALL_MUNICIPALITIES,
    KIND_NAMES,
    NAME_LENGTH,
    Flaw,
    Names,
    Refused,
    Situation,
    SituationDraft,
    change_situation,
    open_situation,
)
from services.status.situation.store import SituationStore
from services.status.suggestion.store import Kept, SuggestionStore
from shared import region
from shared.clock import Clock
from shared.form_errors import wrong_with
from shared.i18n import N_, Locale, texts
from shared.identity import Role, Staff, requires
from shared.ids import new_id
from shared.realm import LIVE
from shared.web import TroubleError, pages_of

AnyStaff = Annotated[Staff, Depends(requires())]
Opener = Annotated[Staff, Depends(requires(Role.LIAISON, Role.ADMINISTRATOR))]

FLAWS: dict[Flaw, tuple[str, str]] = {
    Flaw.NAME_MISSING: ("name_fi", N_("Give the situation a name in Finnish.")),
    Flaw.NAME_TOO_LONG: ("name_fi", N_("A name may have at most 120 characters.")),
    Flaw.KIND_UNKNOWN: ("kind", N_("Choose what has happened.")),
    Flaw.NO_MUNICIPALITY: ("municipalities", N_("Choose at least one municipality, or the whole region.")),
    Flaw.FRESHNESS_OUT_OF_RANGE: (
        "freshness_hours",
        N_("Give the hours after which an answer is out of date, from 1 to 168."),
    ),
    Flaw.SITUATION_CLOSED: ("name_fi", N_("The situation is closed. Nothing was changed.")),
}
"""The field and the sentence for each flaw."""

SEVERITY_NAMES = {
    "Extreme": ("error", N_("extreme")),
    "Severe": ("error", N_("severe")),
    "Moderate": ("warning", N_("moderate")),
    "Minor": ("info", N_("minor")),
    "Unknown": ("info", N_("not told how severe")),
}
"""How bad authorities hold it to be."""


class SituationForm(BaseModel):
    """What a person wrote into the form. The id is made with the empty form, so that sending it twice opens once."""

    situation_id: UUID = Field(default_factory=new_id)
    name_fi: str = ""
    name_sv: str = ""
    name_en: str = ""
    kind: str = ""
    freshness_hours: str = "12"
    municipalities: list[str] = []
    suggestion_id: UUID | None = None

    @classmethod
    def suggested(cls, kept: Kept) -> Self:
        """The form as a warning would have it, for a person to change."""
        warned = kept.suggestion
        whole = warned.municipalities == ALL_MUNICIPALITIES
        return cls(
            name_fi=warned.name("fi")[:NAME_LENGTH],
            name_sv=warned.names.get("sv", "")[:NAME_LENGTH],
            name_en=warned.names.get("en", "")[:NAME_LENGTH],
            kind=warned.kind,
            municipalities=[region.REGION.code] if whole else [*warned.municipalities],
            suggestion_id=kept.id,
        )

    @classmethod
    def of(cls, situation: Situation) -> Self:
        """The form as it stands for an open situation."""
        whole = situation.municipalities == ALL_MUNICIPALITIES
        return cls(
            situation_id=situation.id,
            name_fi=situation.names.fi,
            name_sv=situation.names.sv,
            name_en=situation.names.en,
            kind=situation.kind,
            freshness_hours=str(situation.freshness_hours),
            municipalities=[region.REGION.code] if whole else [*situation.municipalities],
        )

    def draft(self) -> SituationDraft:
        """The same as the model takes it."""
        whole = region.REGION.code in self.municipalities
        return SituationDraft(
            names=Names(self.name_fi.strip(), self.name_sv.strip(), self.name_en.strip()),
            kind=self.kind,
            municipalities=ALL_MUNICIPALITIES if whole else tuple(self.municipalities),
            freshness_hours=hours(self.freshness_hours),
        )


def hours(text: str) -> int | None:
    """A number of hours as people write it, or None."""
    digits = text.strip()
    return int(digits) if digits.isdecimal() and len(digits) < 5 else None


class SituationPages:
    """The pages of this topic."""

    def __init__(
        self, store: SituationStore, *, suggestions: SuggestionStore, running: RunningExercises, clock: Clock
    ) -> None:
        self._store = store
        self._running = running
        self._suggestions = suggestions
        self._clock = clock

    def router(self) -> APIRouter:
        """All routes of this topic."""
        router = APIRouter()
        router.add_api_route("/situations", self.list_all, methods=["GET"])
        router.add_api_route("/situations/new", self.form, methods=["GET"])
        router.add_api_route("/situations/new", self.open, methods=["POST"])
        router.add_api_route("/situations/{situation_id:uuid}/edit", self.change_form, methods=["GET"])
        router.add_api_route("/situations/{situation_id:uuid}/edit", self.change, methods=["POST"])
        return router

    async def list_all(self, request: Request, staff: AnyStaff, said: str = "") -> Response:
        """Open and past situations; and for those who may open one, what authorities warn of."""
        situations = await self._store.list_all()
        may_open = staff.may(Role.LIAISON, Role.ADMINISTRATOR)
        return pages_of(request).page(
            request,
            "situations.html",
            open_ones=[situation for situation in situations if situation.closed_at is None],
            past=[situation for situation in situations if situation.closed_at is not None],
            kinds=KIND_NAMES,
            may_open=may_open,
            suggestions=await self._suggestions.shown() if may_open else [],
            severities=SEVERITY_NAMES,
            places_of=_places,
            dismissed=said == "dismissed",
            broken_off=said == "broken-off",
            running=await self._running.now() if staff.may(*BREAKS_OFF) else [],
        )

    async def form(self, request: Request, _staff: Opener, suggestion: UUID | None = None) -> Response:
        """The empty form, or one filled in from a warning."""
        kept = await self._suggestions.get(suggestion) if suggestion else None
        form = SituationForm.suggested(kept) if kept else SituationForm()
        return _form_page(request, form, running=await self._running.now())

    async def open(self, request: Request, staff: Opener, form: Annotated[SituationForm, Form()]) -> Response:
        """Open a situation and show its picture; or the form again with what is wrong."""
        outcome = open_situation(
            form.draft(),
            situation_id=form.situation_id,
            realm=LIVE,
            opened_by=staff.person_id,
            now=self._clock.now(),
        )
        if isinstance(outcome, Refused):
            return _form_page(request, form, flaws=outcome.flaws, running=await self._running.now())
        await self._store.open(outcome)
        if form.suggestion_id:
            await self._suggestions.opened(form.suggestion_id, form.situation_id, by=staff.person_id)
        return RedirectResponse(f"/situations/{form.situation_id}?said=opened", status_code=303)

    async def change_form(self, request: Request, situation_id: UUID, _staff: Opener) -> Response:
        """The form with the situation as it stands."""
        situation = await self._open_one(situation_id)
        return _form_page(request, SituationForm.of(situation), situation=situation)

    async def change(
        self, request: Request, situation_id: UUID, _staff: Opener, form: Annotated[SituationForm, Form()]
    ) -> Response:
        """Change the situation and show its picture; or the form again with what is wrong."""
        situation = await self._open_one(situation_id)
        outcome = change_situation(situation, form.draft(), now=self._clock.now())
        if isinstance(outcome, Refused):
            return _form_page(request, form, situation=situation, flaws=outcome.flaws)
        if not await self._store.change(outcome):
            return _form_page(request, form, situation=situation, flaws=(Flaw.SITUATION_CLOSED,))
        return RedirectResponse(f"/situations/{situation_id}?said=changed", status_code=303)

    async def _open_one(self, situation_id: UUID) -> Situation:
        situation = await self._store.one(situation_id)
        if situation.closed_at is not None:
            raise TroubleError(
                HTTPStatus.CONFLICT,
                N_("The situation is closed. Nothing was changed."),
                what_next=N_("Its picture can still be read."),
            )
        return situation


def _places(codes: Sequence[str], locale: Locale) -> str:
    """Where it is, in words."""
    if tuple(codes) == ALL_MUNICIPALITIES:
        return region.REGION.name(locale)
    return ", ".join(region.municipality(code).name(locale) for code in codes)


def _form_page(
    request: Request,
    form: SituationForm,
    *,
    situation: Situation | None = None,
    flaws: Sequence[Flaw] = (),
    running: Sequence[RunningExercise] = (),
) -> Response:
    locale: Locale = request.state.locale
    _ = texts(locale)
    return pages_of(request).page(
        request,
        "situation_form.html",
        realm=situation.realm if situation else LIVE,
        form=form,
        situation=situation,
        running=running,
        **wrong_with((FLAWS[flaw] for flaw in flaws), locale),
        kinds=[(kind.value, _(name)) for kind, name in KIND_NAMES.items()],
        whole_region=region.REGION,
        sub_regions=[
            (sub_region, [region.municipality(code) for code in sub_region.municipalities])
            for sub_region in region.SUB_REGIONS
        ],
        name_length=NAME_LENGTH,
    )
