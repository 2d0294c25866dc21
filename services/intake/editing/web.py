"""Editing pages: one form for an association, new or known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from services.intake.editing.model import Details, Outcome, Verdict, changed_fields
from services.intake.editing.store import EditingStore, details_of
from services.intake.registry.filter_form import PLANS, network_options
from services.intake.registry.model import Ability, Plan, network_name, register_key
from services.intake.registry.store import Network, Record, RegistryStore
from shared import region
from shared.form_errors import errors_in
from shared.i18n import N_, Locale, texts
from shared.identity import Role, Staff, requires
from shared.web import TroubleError, pages_of

Editor = Annotated[Staff, Depends(requires(Role.CLERK, Role.ADMINISTRATOR))]

FIELD_LABELS = {
    "name": N_("Name"),
    "register_number": N_("Register number"),
    "municipality": N_("Municipality"),
    "sector": N_("Sector"),
    "language": N_("Language"),
    "plan": N_("Preparedness plan"),
    "plan_year": N_("Year of the plan"),
    "networks": N_("Networks"),
    "abilities": N_("Can do for others"),
}
SINGLE = ("name", "register_number", "municipality", "sector", "language", "plan", "plan_year")


@dataclass(frozen=True)
class Form:
    """The form as it was written, whatever stands in it."""

    written: Mapping[str, str] = field(default_factory=lambda: {"language": "fi", "plan": Plan.UNKNOWN.value})
    networks: frozenset[str] = frozenset()
    able: frozenset[str] = frozenset()
    version: int = 0
    beside_namesakes: bool = False

    @classmethod
    def of(cls, details: Details, version: int) -> "Form":
        """The form that says what is known."""
        single = {name: str(getattr(details, name) or "") for name in SINGLE}
        amounts = {f"amount-{one.capability}": str(one.amount or "") for one in details.abilities}
        notes = {f"note-{one.capability}": one.note for one in details.abilities}
        able = frozenset(one.capability for one in details.abilities)
        return cls({**single, **amounts, **notes}, details.networks, able, version)

    @classmethod
    def sent(cls, form: FormData) -> "Form":
        """The form as somebody sent it."""
        written = {name: " ".join(value.split()) for name, value in form.multi_items() if isinstance(value, str)}
        version = written.get("version", "")
        return cls(
            written={name: value.replace("\0", "") for name, value in written.items()},
            networks=frozenset(str(code) for code in form.getlist("network")),
            able=frozenset(str(code) for code in form.getlist("able")),
            version=int(version) if version.isdecimal() and len(version) < 10 else 0,
            beside_namesakes="beside_namesakes" in form,
        )

    def value(self, name: str) -> str:
        """What stands in a field."""
        return self.written.get(name, "")

    def details(self, networks: frozenset[str]) -> Details:
        """What the form says, of networks that there are. What is no number counts as 0, which is a flaw."""
        plan = Plan(self.value("plan")) if self.value("plan") in Plan._value2member_map_ else Plan.UNKNOWN
        abilities = [
            Ability(one.code, _number(self.value(f"amount-{one.code}")), self.value(f"note-{one.code}"))
            for one in region.CAPABILITIES
            if one.code in self.able
        ]
        return Details(
            register_number=register_key(self.value("register_number")),
            **{name: self.value(name) for name in SINGLE[:5] if name != "register_number"},
            plan=plan,
            plan_year=_number(self.value("plan_year")) if plan is Plan.MADE else None,
            networks=self.networks & networks,
            abilities=tuple(sorted(abilities, key=lambda one: one.capability)),
        )

    def not_ticked(self, present: Details | None) -> dict[str, str]:
        """Amounts and notes of what is not ticked are flaws, but where somebody just took the tick away."""
        known = {one.capability: (str(one.amount or ""), one.note) for one in (present.abilities if present else ())}
        flaws = {}
        for one in region.CAPABILITIES:
            told = (self.value(f"amount-{one.code}"), self.value(f"note-{one.code}"))
            if one.code not in self.able and any(told) and told != known.get(one.code):
                flaws[f"able-{one.code}"] = N_("Tick this too, or empty its amount and note.")
        return flaws


@dataclass(frozen=True)
class Trouble:
    """Why a form comes back: flaws by field, or what stands in the way."""

    flaws: Mapping[str, str] = field(default_factory=dict)
    outcome: Outcome | None = None
    other: Record | None = None
    differing: tuple[tuple[str, str, str], ...] = ()

    @property
    def status(self) -> int:
        """The HTTP status of the page."""
        if self.outcome and self.outcome.verdict is Verdict.CONFLICT:
            return HTTPStatus.CONFLICT
        return HTTPStatus.UNPROCESSABLE_ENTITY if self.flaws or self.outcome else HTTPStatus.OK


def pages(registry: RegistryStore, store: EditingStore) -> APIRouter:
    """Adding and changing associations."""
    router = APIRouter(prefix="/registry")

    @router.get("/new")
    async def blank(request: Request, _staff: Editor) -> Response:
        """An empty form."""
        return _form_page(request, Form(), None, Trouble(), await registry.networks())

    @router.post("/new")
    async def add(request: Request, staff: Editor) -> Response:
        """Enter a new association."""
        async with request.form() as sent:
            form = Form.sent(sent)
        networks = await registry.networks()
        details, flaws = _read(form, None, networks, staff)
        if flaws:
            return _form_page(request, form, None, Trouble(flaws), networks)
        outcome = await store.add(details, by=staff.person_id, beside_namesakes=form.beside_namesakes)
        if outcome.verdict is Verdict.SAVED:
            return RedirectResponse(f"/registry/{outcome.association_id}", status_code=303)
        trouble = Trouble(outcome=outcome, other=await registry.record(outcome.association_id, staff=staff))
        return _form_page(request, form, None, trouble, networks)

    @router.get("/{association_id:uuid}/edit")
    async def edit(request: Request, staff: Editor, association_id: UUID) -> Response:
        """The form with what is known."""
        record = await _record(registry, association_id, staff)
        form = Form.of(details_of(record), record.association.version)
        return _form_page(request, form, record, Trouble(), await registry.networks())

    @router.post("/{association_id:uuid}/edit")
    async def save(request: Request, staff: Editor, association_id: UUID) -> Response:
        """Save the form, or show it again with what stands in the way."""
        async with request.form() as sent:
            form = Form.sent(sent)
        record, networks = await _record(registry, association_id, staff), await registry.networks()
        details, flaws = _read(form, record, networks, staff)
        if flaws:
            return _form_page(request, form, record, Trouble(flaws), networks)
        outcome = await store.save(
            association_id, details, version=form.version, by=staff.person_id, beside_namesakes=form.beside_namesakes
        )
        if outcome.verdict in {Verdict.SAVED, Verdict.SAME}:
            return RedirectResponse(f"/registry/{association_id}", status_code=303)
        if outcome.verdict is Verdict.CONFLICT:
            record = await _record(registry, association_id, staff)
            trouble = Trouble(outcome=outcome, differing=_differing(request, record, details, networks))
            return _form_page(request, replace(form, version=record.association.version), record, trouble, networks)
        trouble = Trouble(outcome=outcome, other=await registry.record(outcome.association_id, staff=staff))
        return _form_page(request, form, record, trouble, networks)

    return router


async def _record(registry: RegistryStore, association_id: UUID, staff: Staff) -> Record:
    record = await registry.record(association_id, staff=staff)
    if record is None:
        raise TroubleError(HTTPStatus.NOT_FOUND, N_("There is no such association in the registry."))
    return record


def _read(
    form: Form, record: Record | None, networks: Sequence[Network], staff: Staff
) -> tuple[Details, dict[str, str]]:
    """What the form says, and what of it must be mended."""
    details = form.details(frozenset(network.code for network in networks))
    flaws = {**details.flaws, **form.not_ticked(details_of(record) if record else None)}
    if "municipality" not in flaws and not staff.sees(details.municipality, details.networks):
        flaws["municipality"] = N_("You may only choose what you may see yourself.")
    return details, flaws


def _differing(
    request: Request, record: Record, wanted: Details, networks: Sequence[Network]
) -> tuple[tuple[str, str, str], ...]:
    """Field by field what stands in the register now, and what the form would make of it."""
    locale: Locale = request.state.locale
    _ = texts(locale)
    present = details_of(record)
    now, then = _told(present, networks, locale), _told(wanted, networks, locale)
    return tuple((_(FIELD_LABELS[name]), now[name], then[name]) for name in changed_fields(present, wanted))


def _told(details: Details, networks: Sequence[Network], locale: Locale) -> dict[str, str]:
    """Each field in words."""
    names, _ = region.names(locale), texts(locale)
    in_words = {one.code: network_name(one.names, locale) for one in networks}
    abilities = (
        " ".join(part for part in (names.get(one.capability, ""), str(one.amount or ""), one.note) if part)
        for one in details.abilities
    )
    return {
        "name": details.name,
        "register_number": details.register_number,
        "municipality": names.get(details.municipality, ""),
        "sector": names.get(details.sector, ""),
        "language": Locale(details.language).own_name,
        "plan": _(PLANS[details.plan]),
        "plan_year": str(details.plan_year or ""),
        "networks": ", ".join(sorted(in_words.get(code, code) for code in details.networks)),
        "abilities": ", ".join(abilities),
    }


def _form_page(
    request: Request, form: Form, record: Record | None, trouble: Trouble, networks: Sequence[Network]
) -> Response:
    locale: Locale = request.state.locale
    _ = texts(locale)
    kept = [one for one in networks if one.retired and one.code in form.networks]  # leaving a retired one is a choice
    return pages_of(request).page(
        request,
        "association_form.html",
        status=trouble.status,
        form=form,
        record=record,
        trouble=trouble,
        verdict=trouble.outcome.verdict.value if trouble.outcome else "",
        told=errors_in(trouble.flaws.items(), request.state.locale),
        networks=[
            *network_options(networks, locale),
            *((one.code, network_name(one.names, locale)) for one in kept),
        ],
        municipalities=region.options(region.MUNICIPALITIES, locale),
        sectors=region.options(region.SECTORS, locale),
        capabilities=region.options(region.CAPABILITIES, locale),
        languages_offered=[(one.value, one.own_name) for one in Locale],
        plans=[(plan.value, _(label)) for plan, label in PLANS.items()],
    )


def _number(text: str) -> int | None:
    """The number, None where nothing is written, 0 where it is none."""
    if not text:
        return None
    return int(text) if text.isdecimal() and len(text) < 10 else 0
