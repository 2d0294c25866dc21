"""People pages: the list of the staff, and one form for whoever comes, changes or leaves. For administrators."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from services.intake.access.model import PersonEntry
from services.intake.access.store import AccessStore
from services.intake.people.model import Known, Refusal, fingerprint
from services.intake.people.store import PeopleStore
from shared import region
from shared.form_errors import wrong_with
from shared.i18n import N_, Locale, locale_or, texts
from shared.identity import Role, Staff, requires
from shared.web import ROLE_NAMES, TroubleError, pages_of

Administrator = Annotated[Staff, Depends(requires(Role.ADMINISTRATOR, everywhere=True))]

NAME_LIMIT = 200
EMAIL_LIMIT = 254

REFUSALS = {
    Refusal.ADDRESS_TAKEN: ("email", N_("Somebody in the list has this address already.")),
    Refusal.OWN_ROLE: ("roles", N_("You cannot take away your own administrator role. Ask another administrator.")),
    Refusal.LAST_ADMINISTRATOR: (
        "roles",
        N_("Nobody else is an administrator without limits. Somebody must remain who can do this."),
    ),
    Refusal.CHANGED_MEANWHILE: (
        "name",
        N_(
            "Somebody else changed this person meanwhile. What you wrote is below; the page behind the link has theirs."
        ),
    ),
}
SAID = {
    "added": N_("The person was added. At the sign-in page they can ask for a link."),
    "changed": N_("The change is saved."),
    "ended": N_("The sessions were ended."),
}


@dataclass(frozen=True)
class PersonForm:
    """What stands in the form, and what is wrong with it by field."""

    name: str = ""
    email: str = ""
    roles: frozenset[str] = frozenset()
    municipalities: frozenset[str] = frozenset()
    networks: frozenset[str] = frozenset()
    language: str = Locale.FI.value
    retired: bool = False
    seen: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)

    def entry(self) -> PersonEntry:
        """The same as the store takes it; what is no role and no place of ours is left out."""
        return PersonEntry(
            name=self.name,
            email=self.email,
            roles=frozenset(Role(role) for role in self.roles if role in Role._value2member_map_),
            municipalities=frozenset(
                place.code for place in region.MUNICIPALITIES if place.code in self.municipalities
            ),
            language=locale_or(self.language).value,
            retired=self.retired,
            networks=self.networks,
        )


def pages(store: PeopleStore, access: AccessStore) -> APIRouter:
    """`/people`."""
    router = APIRouter(prefix="/people")

    @router.get("")
    async def listing(request: Request, _staff: Administrator, said: str = "") -> Response:
        """Everybody."""
        return pages_of(request).page(
            request,
            "people.html",
            people=[_row(request, known) for known in await store.everybody()],
            said=SAID.get(said, ""),
        )

    @router.get("/new")
    async def new(request: Request, _staff: Administrator) -> Response:
        """An empty form."""
        return await _form_page(request, store, PersonForm(language=request.state.locale))

    @router.post("/new")
    async def add(request: Request, staff: Administrator) -> Response:
        """Add somebody."""
        form = await _read(request)
        if not form.errors:
            added = await store.add(form.entry(), by=staff.person_id)
            if not isinstance(added, Refusal):
                return RedirectResponse("/people?said=added", status_code=303)
            form = _refused(form, added)
        return await _form_page(request, store, form)

    _add_changing(router, store, access)
    return router


def _add_changing(router: APIRouter, store: PeopleStore, access: AccessStore) -> None:
    @router.get("/{person_id}")
    async def one(request: Request, _staff: Administrator, person_id: UUID, said: str = "") -> Response:
        """The form with what is known of the person."""
        known = await _known(store, person_id)
        return await _form_page(request, store, _form_of(known.entry), known=known, said=SAID.get(said, ""))

    @router.post("/{person_id}")
    async def change(request: Request, staff: Administrator, person_id: UUID) -> Response:
        """Change the person."""
        known = await _known(store, person_id)
        form = await _read(request)
        if not form.errors:
            changed = await store.change(person_id, form.entry(), seen=form.seen, by=staff.person_id)
            if not isinstance(changed, Refusal):
                return RedirectResponse(f"/people/{person_id}?said=changed", status_code=303)
            form = _refused(form, changed)
        return await _form_page(request, store, form, known=known)

    @router.post("/{person_id}/sessions/end")
    async def end_sessions(staff: Administrator, person_id: UUID) -> Response:
        """Sign the person out everywhere."""
        await _known(store, person_id)
        await access.end_sessions(person_id, by=staff.person_id)
        return RedirectResponse(f"/people/{person_id}?said=ended", status_code=303)


async def _known(store: PeopleStore, person_id: UUID) -> Known:
    known = await store.get(person_id)
    if known is None:
        raise TroubleError(HTTPStatus.NOT_FOUND, N_("There is no such person here."))
    return known


async def _read(request: Request) -> PersonForm:
    async with request.form() as sent:
        form = PersonForm(
            name=_line(sent, "name"),
            email=_line(sent, "email"),
            roles=_all(sent, "roles"),
            municipalities=_all(sent, "municipalities"),
            networks=_all(sent, "networks"),
            language=_line(sent, "language"),
            retired="retired" in sent,
            seen=_line(sent, "seen"),
        )
    return _with_errors(form, _errors(form))


def _errors(form: PersonForm) -> dict[str, str]:
    errors = {}
    if not form.name or len(form.name) > NAME_LIMIT:
        errors["name"] = N_("Write the person's name.")
    if not _is_address(form.email):
        errors["email"] = N_("Write an email address, for example name@example.org.")
    if not form.entry().roles and not form.retired:
        errors["roles"] = N_("Choose at least one role.")
    if Role.ADMINISTRATOR in form.roles and (form.municipalities or form.networks):
        errors["municipalities"] = N_("An administrator sees everything. Take away the role or the limits.")
    return errors


def _is_address(text: str) -> bool:
    local, at, domain = text.rpartition("@")
    plain = text.isprintable() and not any(c in text for c in " ,;<>")
    return bool(local and at and domain) and plain and len(text) <= EMAIL_LIMIT


def _line(sent: FormData, name: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in str(sent.get(name, ""))).split())


def _all(sent: FormData, name: str) -> frozenset[str]:
    return frozenset(str(value) for value in sent.getlist(name))


def _with_errors(form: PersonForm, errors: Mapping[str, str]) -> PersonForm:
    return PersonForm(**{**vars(form), "errors": errors})


def _refused(form: PersonForm, refusal: Refusal) -> PersonForm:
    if refusal is Refusal.GONE:
        raise TroubleError(HTTPStatus.NOT_FOUND, N_("There is no such person here."))
    name, message = REFUSALS[refusal]
    return _with_errors(form, {name: message})


def _form_of(entry: PersonEntry) -> PersonForm:
    return PersonForm(
        name=entry.name,
        email=entry.email,
        roles=frozenset(entry.roles),
        municipalities=entry.municipalities,
        networks=entry.networks,
        language=entry.language,
        retired=entry.retired,
        seen=fingerprint(entry),
    )


async def _form_page(
    request: Request, store: PeopleStore, form: PersonForm, *, known: Known | None = None, said: str = ""
) -> Response:
    locale: Locale = request.state.locale
    _ = texts(locale)
    networks = [
        (code, names.get(locale.lang) or names.get("fi", code)) for code, names in (await store.networks()).items()
    ]
    return pages_of(request).page(
        request,
        "person.html",
        form=form,
        known=known,
        said=said,
        **wrong_with(form.errors.items(), locale),
        all_roles=[(role.value, _(ROLE_NAMES[role])) for role in Role],
        all_municipalities=[(place.code, place.name(locale)) for place in region.MUNICIPALITIES],
        all_networks=networks,
        all_languages=[(one.value, one.own_name) for one in Locale],
        name_limit=NAME_LIMIT,
        email_limit=EMAIL_LIMIT,
    )


def _row(request: Request, known: Known) -> dict[str, object]:
    """What the list shows of one."""
    locale: Locale = request.state.locale
    entry = known.entry
    places: Sequence[str] = [region.municipality(code).name(locale) for code in sorted(entry.municipalities)]
    return {
        "id": known.person_id,
        "name": entry.name,
        "email": entry.email,
        "roles": ", ".join(texts(locale)(ROLE_NAMES[role]) for role in Role if role in entry.roles),
        "limits": ", ".join([*places, *sorted(entry.networks)]),
        "retired": entry.retired,
        "sessions": known.sessions,
    }
