"""Pages: the course of a situation, written as it goes, and its closing with how it ended."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request
from pydantic import BaseModel, Field
from starlette.responses import RedirectResponse, Response

from services.status.situation.model import Situation, Words
from services.status.situation.store import SituationStore
from services.status.timeline.model import TEXT_LENGTH, Flaw, Refused, write_closing, write_update
from services.status.timeline.store import TimelineStore
from shared.clock import Clock
from shared.form_errors import wrong_with
from shared.i18n import N_, texts
from shared.identity import Role, Staff, requires
from shared.ids import new_id
from shared.web import TroubleError, pages_of

AnyStaff = Annotated[Staff, Depends(requires())]
Writer = Annotated[Staff, Depends(requires(Role.LIAISON, Role.ADMINISTRATOR))]

SHOWN = 200
BESIDE = 5
"""Updates shown beside the form by which a situation is closed."""

FLAWS = {
    Flaw.TEXT_MISSING: N_("Write what has happened, in at least one language."),
    Flaw.TEXT_TOO_LONG: N_("A text may have at most 600 characters. Shorten it."),
    Flaw.SITUATION_CLOSED: N_("The situation is closed. Nothing was changed."),
}
SAID = {"written": N_("It is written. Everybody of the staff can read it.")}


class WordsForm(BaseModel):
    """What a person wrote, by language. The id is made with the empty form, so that sending it twice writes once."""

    update_id: UUID = Field(default_factory=new_id)
    fi: str = ""
    sv: str = ""
    en: str = ""

    @property
    def words(self) -> Words:
        """The same as the model takes it."""
        return Words(self.fi, self.sv, self.en)

    def at_field(self, flaw: Flaw) -> tuple[str, str]:
        """The field that has the flaw, and the sentence for it."""
        long = [name for name in ("fi", "sv", "en") if len(getattr(self, name)) > TEXT_LENGTH]
        field = long[0] if flaw is Flaw.TEXT_TOO_LONG and long else "fi"
        return field, FLAWS[flaw]


class TimelinePages:
    """The pages of this topic."""

    def __init__(self, store: TimelineStore, *, situations: SituationStore, clock: Clock) -> None:
        self._store = store
        self._situations = situations
        self._clock = clock

    def router(self) -> APIRouter:
        """All routes of this topic."""
        router = APIRouter(prefix="/situations/{situation_id:uuid}")
        router.add_api_route("/timeline", self.show, methods=["GET"])
        router.add_api_route("/timeline", self.write, methods=["POST"])
        router.add_api_route("/close", self.close_form, methods=["GET"])
        router.add_api_route("/close", self.close, methods=["POST"])
        return router

    async def show(self, request: Request, situation_id: UUID, staff: AnyStaff, said: str = "") -> Response:
        """All that was written, and the form for more."""
        situation = await self._situations.one(situation_id)
        return await self._timeline_page(request, situation, WordsForm(), staff, said=said)

    async def write(
        self, request: Request, situation_id: UUID, staff: Writer, form: Annotated[WordsForm, Form()]
    ) -> Response:
        """Write an update; or the form again with what is wrong."""
        situation = await self._situations.one(situation_id)
        outcome = write_update(
            situation, form.words, update_id=form.update_id, by=staff.person_id, now=self._clock.now()
        )
        if isinstance(outcome, Refused):
            return await self._timeline_page(request, situation, form, staff, flaws=outcome.flaws)
        if not await self._store.add(situation, outcome):
            return await self._timeline_page(request, situation, form, staff, flaws=(Flaw.SITUATION_CLOSED,))
        return RedirectResponse(f"/situations/{situation_id}/timeline?said=written", status_code=303)

    async def close_form(self, request: Request, situation_id: UUID, _staff: Writer) -> Response:
        """Ask whether it is meant, and how it ended."""
        situation = await self._situations.one(situation_id)
        if situation.closed_at is not None:
            raise TroubleError(
                HTTPStatus.CONFLICT,
                N_("The situation is closed. Nothing was changed."),
                what_next=N_("Its picture can still be read."),
            )
        return await self._close_page(request, situation, WordsForm())

    async def close(
        self, request: Request, situation_id: UUID, _staff: Writer, form: Annotated[WordsForm, Form()]
    ) -> Response:
        """Close the situation with its open rounds; closing it again changes nothing."""
        situation = await self._situations.one(situation_id)
        outcome = write_closing(form.words)
        if isinstance(outcome, Refused) and situation.closed_at is None:
            return await self._close_page(request, situation, form, flaws=outcome.flaws)
        await self._situations.close(situation, Words() if isinstance(outcome, Refused) else outcome)
        return RedirectResponse(f"/situations/{situation_id}?said=closed", status_code=303)

    async def _timeline_page(
        self,
        request: Request,
        situation: Situation,
        form: WordsForm,
        staff: Staff,
        *,
        flaws: Sequence[Flaw] = (),
        said: str = "",
    ) -> Response:
        return _page(
            request,
            "timeline.html",
            situation,
            form,
            flaws,
            updates=await self._store.newest(situation, SHOWN),
            said=texts(request.state.locale)(SAID[said]) if said in SAID else "",
            may_write=situation.closed_at is None and staff.may(Role.LIAISON, Role.ADMINISTRATOR),
        )

    async def _close_page(
        self, request: Request, situation: Situation, form: WordsForm, *, flaws: Sequence[Flaw] = ()
    ) -> Response:
        rounds = [one for one in await self._situations.rounds(situation) if one.closed_at is None]
        updates = await self._store.newest(situation, BESIDE)
        return _page(request, "situation_close.html", situation, form, flaws, rounds=len(rounds), updates=updates)


def _page(
    request: Request, template: str, situation: Situation, form: WordsForm, flaws: Sequence[Flaw], **values: Any
) -> Response:
    return pages_of(request).page(
        request,
        template,
        realm=situation.realm,
        situation=situation,
        name=situation.names.of(request.state.locale),
        form=form,
        **wrong_with(map(form.at_field, flaws), request.state.locale),
        text_length=TEXT_LENGTH,
        **values,
    )
