"""Pages: the calls of a situation are acknowledged, and the rules behind them are set and removed."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request
from pydantic import BaseModel, Field
from starlette.responses import RedirectResponse, Response

from services.status.attention.model import (
    AREAS,
    MOST_RULES,
    PACE,
    QUIET_HOURS,
    Flaw,
    Refused,
    RuleDraft,
    Subject,
    rule_names,
    set_rule,
)
from services.status.attention.store import AttentionStore
from services.status.situation.model import Situation
from services.status.situation.store import SituationStore
from shared import region
from shared.clock import Clock
from shared.form_errors import wrong_with
from shared.i18n import N_, Locale, catalogue, texts
from shared.identity import Role, Staff, requires
from shared.ids import new_id
from shared.web import TroubleError, pages_of

AnyStaff = Annotated[Staff, Depends(requires())]
Liaison = Annotated[Staff, Depends(requires(Role.LIAISON, everywhere=True))]

FLAWS: dict[Flaw, tuple[str, str]] = {
    Flaw.CAPABILITY_UNKNOWN: ("capability", N_("Choose a capability.")),
    Flaw.AREA_UNKNOWN: ("area", N_("Choose an area.")),
    Flaw.NUMBER_OUT_OF_RANGE: ("wanted", N_("Give a number from 1 to 1,000.")),
    Flaw.PERCENT_OUT_OF_RANGE: ("wanted", N_("Give a percentage from 1 to 100.")),
    Flaw.HOURS_OUT_OF_RANGE: ("hours", N_("Give hours from 0 to 168.")),
    Flaw.TOO_MANY: ("area", N_("A situation may have at most 20 rules. Remove one first.")),
    Flaw.SITUATION_CLOSED: ("area", N_("The situation is closed. Nothing was changed.")),
}
"""The field and the sentence for each flaw."""

SAID = {
    "set": N_("The rule is set. Its figure is looked at every 20 seconds."),
    "removed": N_("The rule is removed."),
    "acknowledged": N_("The call is acknowledged. It keeps quiet for a while, and everybody sees that it is known."),
}


class RuleForm(BaseModel):
    """What a person wrote into a form. The id is made with the empty form, so that sending it twice sets one rule."""

    rule_id: UUID = Field(default_factory=new_id)
    subject: Subject
    area: str = region.REGION.code
    capability: str = ""
    wanted: str = ""
    hours: str = "2"

    def at_field(self, flaw: Flaw) -> tuple[str, str]:
        """The field of this form, of the two on the page, that has the flaw, and the sentence for it."""
        field, message = FLAWS[flaw]
        return f"{self.subject}-{field}", message

    def draft(self) -> RuleDraft:
        """The same as the model takes it."""
        return RuleDraft(self.subject, self.area, self.capability, _number(self.wanted), _number(self.hours))


class AttentionPages:
    """The pages of this topic."""

    def __init__(self, store: AttentionStore, *, situations: SituationStore, clock: Clock) -> None:
        self._store = store
        self._situations = situations
        self._clock = clock

    def router(self) -> APIRouter:
        """All routes of this topic."""
        router = APIRouter()
        here = "/situations/{situation_id:uuid}/attention"
        router.add_api_route(here, self.show, methods=["GET"])
        router.add_api_route(here, self.set, methods=["POST"])
        router.add_api_route(f"{here}/{{rule_id:uuid}}/remove", self.remove, methods=["POST"])
        router.add_api_route(f"{here}/{{rule_id:uuid}}/acknowledge", self.acknowledge, methods=["POST"])
        return router

    async def show(self, request: Request, situation_id: UUID, staff: AnyStaff, said: str = "") -> Response:
        """Calls, rules, and the forms for another."""
        return await self._page(request, await self._situations.one(situation_id), staff, said=said)

    async def set(
        self, request: Request, situation_id: UUID, staff: Liaison, form: Annotated[RuleForm, Form()]
    ) -> Response:
        """Set a rule; or the form again with what is wrong."""
        situation = await self._open_one(situation_id)
        outcome = set_rule(
            form.draft(),
            realm=situation.realm,
            situation_id=situation.id,
            rule_id=form.rule_id,
            by=staff.person_id,
            now=self._clock.now(),
        )
        refused = outcome if isinstance(outcome, Refused) else await self._store.set_rule(outcome)
        if refused:
            return await self._page(request, situation, staff, form=form, flaws=refused.flaws)
        return _back(situation, "set")

    async def remove(self, situation_id: UUID, rule_id: UUID, _staff: Liaison) -> Response:
        """Forget a rule; forgetting it again changes nothing."""
        situation = await self._open_one(situation_id)
        await self._store.remove(situation.realm, situation.id, rule_id)
        return _back(situation, "removed")

    async def acknowledge(
        self, situation_id: UUID, rule_id: UUID, staff: Liaison, hours: Annotated[str, Form()] = ""
    ) -> Response:
        """Keep a call quiet for the chosen time."""
        situation = await self._open_one(situation_id)
        chosen = _number(hours)
        if chosen not in QUIET_HOURS:
            raise TroubleError(HTTPStatus.UNPROCESSABLE_ENTITY, N_("This is none of the choices. Nothing was changed."))
        noted = await self._store.acknowledge(situation.realm, situation.id, rule_id, hours=chosen, by=staff.person_id)
        if not noted:
            raise TroubleError(HTTPStatus.CONFLICT, N_("There is no such call any more. Nothing was changed."))
        return _back(situation, "acknowledged")

    async def _page(
        self,
        request: Request,
        situation: Situation,
        staff: Staff,
        *,
        form: RuleForm | None = None,
        flaws: Sequence[Flaw] = (),
        said: str = "",
    ) -> Response:
        locale: Locale = request.state.locale
        _ = texts(locale)
        forms = {subject: RuleForm(subject=subject) for subject in Subject}
        if form is not None:
            forms[form.subject] = form
        found = [form.at_field(flaw) for flaw in flaws] if form else []
        rules = await self._store.listed(situation.realm, situation.id)
        return pages_of(request).page(
            request,
            "attention.html",
            realm=situation.realm,
            situation=situation,
            name=situation.names.of(locale),
            calls=[one for one in rules if one.watch.opened_at],
            rules=rules,
            forms=forms,
            **wrong_with(found, locale),
            names=rule_names(locale),
            areas=[(code, rule_names(locale)[code]) for code in AREAS],
            capabilities=region.options(region.CAPABILITIES, locale),
            lifetimes=[(hours, _lifetime(hours, locale)) for hours in QUIET_HOURS],
            pace=PACE,
            most=MOST_RULES,
            now=self._clock.now(),
            said=_(SAID[said]) if said in SAID else "",
            may_set=situation.closed_at is None and staff.may(Role.LIAISON) and not staff.limited,
        )

    async def _open_one(self, situation_id: UUID) -> Situation:
        situation = await self._situations.one(situation_id)
        if situation.closed_at is not None:
            raise TroubleError(HTTPStatus.CONFLICT, N_("The situation is closed. Nothing was changed."))
        return situation


def _back(situation: Situation, said: str) -> Response:
    return RedirectResponse(f"/situations/{situation.id}/attention?said={said}", status_code=303)


def _lifetime(hours: int, locale: Locale) -> str:
    return catalogue(locale).ngettext("%(num)s hour", "%(num)s hours", hours) % {"num": hours}


def _number(text: str) -> int | None:
    digits = text.strip()
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 6 else None
