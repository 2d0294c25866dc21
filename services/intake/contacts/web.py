"""Contacts pages: adding, changing, moving and removing those who answer for an association."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from services.intake.contacts.model import Verdict
from services.intake.contacts.store import ContactStore, card_of
from services.intake.registry.model import Card
from services.intake.registry.store import Contact, Record, RegistryStore
from shared.form_errors import errors_in
from shared.i18n import N_, Locale, texts
from shared.identity import Role, Staff, requires
from shared.web import TroubleError, pages_of

Editor = Annotated[Staff, Depends(requires(Role.CLERK, Role.ADMINISTRATOR))]

CARD_LABELS = {
    "name": N_("Name"),
    "email": N_("Email"),
    "phone": N_("Phone"),
    "best_time": N_("Best reached"),
    "language": N_("Language"),
}


@dataclass(frozen=True)
class Written:
    """A contact's form as it was sent."""

    card: Card
    version: int


def pages(registry: RegistryStore, store: ContactStore) -> APIRouter:
    """The contacts of one association."""
    router = APIRouter(prefix="/registry/{association_id:uuid}")

    @router.get("/contacts/new")
    async def blank(request: Request, staff: Editor, association_id: UUID) -> Response:
        """An empty form."""
        record = await _record(registry, association_id, staff)
        card = Card(language=record.association.language)
        return _form_page(request, record, None, Written(card, record.association.version))

    @router.post("/contacts/new")
    async def add(request: Request, staff: Editor, association_id: UUID) -> Response:
        """Add the contact."""
        record, sent = await _record(registry, association_id, staff), await _sent(request)
        if sent.card.flaws:
            return _form_page(request, record, None, sent)
        verdict = await store.add(association_id, sent.card, version=sent.version, by=staff.person_id)
        if verdict is Verdict.CONFLICT:
            return _form_page(request, await _record(registry, association_id, staff), None, sent, conflict=True)
        return _done(association_id)

    @router.get("/contacts/{contact_id:uuid}")
    async def edit(request: Request, staff: Editor, association_id: UUID, contact_id: UUID) -> Response:
        """The form with what is known."""
        record = await _record(registry, association_id, staff)
        contact = _contact(record, contact_id)
        return _form_page(request, record, contact, Written(card_of(contact), record.association.version))

    @router.post("/contacts/{contact_id:uuid}")
    async def save(request: Request, staff: Editor, association_id: UUID, contact_id: UUID) -> Response:
        """Save the form, or show it again with what another wrote meanwhile."""
        record, sent = await _record(registry, association_id, staff), await _sent(request)
        contact = _contact(record, contact_id)
        if sent.card.flaws:
            return _form_page(request, record, contact, sent)
        verdict = await store.save(association_id, contact_id, sent.card, version=sent.version, by=staff.person_id)
        if verdict is Verdict.CONFLICT:
            record = await _record(registry, association_id, staff)
            return _form_page(request, record, _contact(record, contact_id), sent, conflict=True)
        return _done(association_id)

    @router.post("/contacts/{contact_id:uuid}/move")
    async def move(request: Request, staff: Editor, association_id: UUID, contact_id: UUID) -> Response:
        """Have the contact asked one place earlier or later."""
        await _record(registry, association_id, staff)
        async with request.form() as form:
            places, version = (-1 if form.get("direction") == "up" else 1), _version(form)
        verdict = await store.move(association_id, contact_id, places=places, version=version, by=staff.person_id)
        _stop_at(verdict)
        return _done(association_id)

    _removal(router, registry, store)
    return router


def _removal(router: APIRouter, registry: RegistryStore, store: ContactStore) -> None:
    """Removing in two steps, and deciding on what a contact proposed."""

    @router.get("/contacts/{contact_id:uuid}/remove")
    async def ask(request: Request, staff: Editor, association_id: UUID, contact_id: UUID) -> Response:
        """What removing will do."""
        record = await _record(registry, association_id, staff)
        contact = _contact(record, contact_id)
        return pages_of(request).page(request, "contact_remove.html", record=record, contact=contact)

    @router.post("/contacts/{contact_id:uuid}/remove")
    async def remove(request: Request, staff: Editor, association_id: UUID, contact_id: UUID) -> Response:
        """Forget the contact."""
        await _record(registry, association_id, staff)
        async with request.form() as form:
            version = _version(form)
        verdict = await store.remove(association_id, contact_id, version=version, by=staff.person_id)
        if verdict is not Verdict.GONE:
            _stop_at(verdict)
        return _done(association_id)

    @router.post("/proposals/{proposal_id:uuid}")
    async def decide(request: Request, staff: Editor, association_id: UUID, proposal_id: UUID) -> Response:
        """Do what the contact proposed, or leave it."""
        await _record(registry, association_id, staff)
        async with request.form() as form:
            accept = form.get("accept") == "yes"
        await store.decide(association_id, proposal_id, accept=accept, by=staff.person_id)
        return _done(association_id)


async def _record(registry: RegistryStore, association_id: UUID, staff: Staff) -> Record:
    record = await registry.record(association_id, staff=staff)
    if record is None:
        raise TroubleError(HTTPStatus.NOT_FOUND, N_("There is no such association in the registry."))
    return record


def _contact(record: Record, contact_id: UUID) -> Contact:
    found = next((contact for contact in record.contacts if contact.id == contact_id), None)
    if found is None:
        raise TroubleError(
            HTTPStatus.NOT_FOUND, N_("This contact is not there any more. Somebody has removed it meanwhile.")
        )
    return found


async def _sent(request: Request) -> Written:
    async with request.form() as form:
        written = {name: " ".join(str(form.get(name, "")).split()).replace("\0", "") for name in CARD_LABELS}
        return Written(Card(**written), _version(form))


def _version(form: FormData) -> int:
    version = str(form.get("version", ""))
    return int(version) if version.isdecimal() and len(version) < 10 else 0


def _stop_at(verdict: Verdict) -> None:
    if verdict in {Verdict.CONFLICT, Verdict.GONE}:
        raise TroubleError(
            HTTPStatus.CONFLICT,
            N_("Somebody else changed this meanwhile. Nothing of yours was saved yet."),
            what_next=N_("Go back, open the association again and look at it before you go on."),
        )


def _done(association_id: UUID) -> Response:
    return RedirectResponse(f"/registry/{association_id}", status_code=303)


def _form_page(
    request: Request, record: Record, contact: Contact | None, sent: Written, *, conflict: bool = False
) -> Response:
    locale: Locale = request.state.locale
    flaws = sent.card.flaws if request.method == "POST" else {}
    status = HTTPStatus.CONFLICT if conflict else HTTPStatus.UNPROCESSABLE_ENTITY if flaws else HTTPStatus.OK
    return pages_of(request).page(
        request,
        "contact_form.html",
        status=status,
        record=record,
        contact=contact,
        card=sent.card,
        version=record.association.version if conflict else sent.version,
        conflict=conflict,
        differing=_differing(locale, contact, sent.card) if conflict and contact else (),
        flaws=flaws,
        told=errors_in(flaws.items(), request.state.locale),
        languages_offered=[(one.value, one.own_name) for one in Locale],
    )


def _differing(locale: Locale, contact: Contact, card: Card) -> Sequence[tuple[str, str, str]]:
    """Field by field what stands in the register now, and what the form would make of it."""
    present, _ = card_of(contact), texts(locale)
    return [
        (_(CARD_LABELS[field.name]), getattr(present, field.name), getattr(card, field.name))
        for field in fields(Card)
        if getattr(present, field.name) != getattr(card, field.name)
    ]
