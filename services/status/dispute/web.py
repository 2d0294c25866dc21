"""Pages: the associations whose answers disagree, and the form by which a liaison pins one answer."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request
from pydantic import BaseModel
from starlette.responses import RedirectResponse, Response

from services.status.answer.model import REASON_LENGTH, Choice, Flaw, channel_names
from services.status.dispute.store import MOST, Dispute, DisputeStore
from services.status.picture.model import STATE_NAMES
from services.status.situation.model import Situation, plain
from services.status.situation.store import SituationStore
from shared import region
from shared.form_errors import wrong_with
from shared.i18n import N_, Locale, texts
from shared.identity import Role, Staff, names_within, requires
from shared.web import TroubleError, pages_of

AnyStaff = Annotated[Staff, Depends(requires())]
Liaison = Annotated[Staff, Depends(requires(Role.LIAISON, everywhere=True))]

FLAWS: dict[Flaw, tuple[str, str]] = {
    Flaw.NOT_CHOSEN: ("answer", N_("Choose the answer that is to count.")),
    Flaw.NO_REASON: ("reason", N_("Say why this answer is to count.")),
    Flaw.REASON_TOO_LONG: ("reason", N_("The reason is too long: at most 300 characters.")),
    Flaw.ANSWERS_CHANGED: ("answer", N_("The answers have changed meanwhile. Look at them again, then choose.")),
    Flaw.SITUATION_CLOSED: ("answer", N_("The situation is closed. Nothing was changed.")),
}
"""The field and the sentence for each flaw."""


class PinForm(BaseModel):
    """What a person wrote into the form, and the answers that stood in it."""

    answer: str = ""
    seen: list[str] = []
    reason: str = ""

    def choice(self, by: UUID) -> Choice:
        """The same as the model takes it."""
        seen = frozenset(id_ for id_ in map(_id, self.seen) if id_)
        return Choice(answer=_id(self.answer), seen=seen, reason=plain(self.reason), by=by)


class DisputePages:
    """The pages of this topic."""

    def __init__(self, store: DisputeStore, *, situations: SituationStore) -> None:
        self._store = store
        self._situations = situations

    def router(self) -> APIRouter:
        """All routes of this topic."""
        router = APIRouter()
        here = "/situations/{situation_id:uuid}/disputes"
        router.add_api_route(here, self.show, methods=["GET"])
        router.add_api_route(f"{here}/{{association_id:uuid}}", self.choose, methods=["GET"])
        router.add_api_route(f"{here}/{{association_id:uuid}}", self.pin, methods=["POST"])
        return router

    async def show(self, request: Request, situation_id: UUID, staff: AnyStaff, said: str = "") -> Response:
        """Whose answers disagree, and where one is pinned."""
        situation = await self._situations.one(situation_id)
        found = await self._store.listed(situation, within=names_within(staff))
        locale: Locale = request.state.locale
        return pages_of(request).page(
            request,
            "disputes.html",
            realm=situation.realm,
            situation=situation,
            open_ones=[one for one in found if one.pin is None],
            pinned=[one for one in found if one.pin],
            said=texts(locale)(N_("The answer is pinned. The figures follow it.")) if said == "pinned" else "",
            may_pin=situation.closed_at is None and staff.may(Role.LIAISON) and not staff.limited,
            most=MOST,
            **_words(situation, locale),
        )

    async def choose(self, request: Request, situation_id: UUID, association_id: UUID, _staff: Liaison) -> Response:
        """The answers of one association, to choose between."""
        situation = await self._open_one(situation_id)
        dispute = await self._dispute(situation, association_id)
        return _form_page(request, situation, dispute, form=PinForm())

    async def pin(
        self,
        request: Request,
        situation_id: UUID,
        association_id: UUID,
        staff: Liaison,
        form: Annotated[PinForm, Form()],
    ) -> Response:
        """Pin the chosen answer; or the form again with what is wrong."""
        situation = await self._open_one(situation_id)
        flaws = await self._store.pin(situation, association_id, form.choice(staff.person_id))
        if flaws:
            dispute = await self._dispute(situation, association_id)
            return _form_page(request, situation, dispute, form=form, flaws=flaws)
        return RedirectResponse(f"/situations/{situation.id}/disputes?said=pinned", status_code=303)

    async def _dispute(self, situation: Situation, association_id: UUID) -> Dispute:
        dispute = await self._store.one(situation, association_id)
        if dispute is None:
            raise TroubleError(
                HTTPStatus.NOT_FOUND,
                N_("The answers of this association do not disagree."),
                what_next=N_("A later answer may have ended it. The newest answer counts."),
            )
        return dispute

    async def _open_one(self, situation_id: UUID) -> Situation:
        situation = await self._situations.one(situation_id)
        if situation.closed_at is not None:
            raise TroubleError(HTTPStatus.CONFLICT, N_("The situation is closed. Nothing was changed."))
        return situation


def _form_page(
    request: Request, situation: Situation, dispute: Dispute, *, form: PinForm, flaws: Sequence[Flaw] = ()
) -> Response:
    locale: Locale = request.state.locale
    return pages_of(request).page(
        request,
        "dispute.html",
        realm=situation.realm,
        situation=situation,
        dispute=dispute,
        form=form,
        **wrong_with((FLAWS[flaw] for flaw in flaws), locale),
        reason_length=REASON_LENGTH,
        **_words(situation, locale),
    )


def _words(situation: Situation, locale: Locale) -> dict[str, Any]:
    _ = texts(locale)
    return {
        "name": situation.names.of(locale),
        "states": {state: _(name) for state, name in STATE_NAMES.items()},
        "channels": channel_names(locale),
        "municipality_names": {place.code: place.name(locale) for place in region.MUNICIPALITIES},
    }


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
