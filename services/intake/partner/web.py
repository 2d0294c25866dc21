"""Partner pages: the keys of partner systems, made and revoked by administrators. A key is shown once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from services.intake.partner.model import Key, KeyEntry, KeyState
from services.intake.partner.store import PartnerStore
from shared import region
from shared.clock import Clock
from shared.form_errors import wrong_with
from shared.i18n import N_, Locale, texts
from shared.identity import Role, Staff, requires
from shared.ids import new_id
from shared.partner_keys import Scope, scopes_of
from shared.web import TroubleError, pages_of

Administrator = Annotated[Staff, Depends(requires(Role.ADMINISTRATOR, everywhere=True))]

NAME_LIMIT = 200
SCOPE_NAMES = {
    Scope.REGISTRY_READ: N_("read the registry and the open rounds, without people"),
    Scope.CONTACTS_READ: N_("also read contacts: names, addresses, telephone numbers"),
    Scope.CHECKIN_WRITE: N_("answer on behalf of associations"),
    Scope.PICTURE_READ: N_("read the situation pictures: figures, and who can and needs what by name"),
}
STATE_NAMES = {
    KeyState.GOOD: N_("good"),
    KeyState.EXPIRED: N_("over"),
    KeyState.REVOKED: N_("revoked"),
}
MONTHS = {"1": 31, "6": 183, "12": 366, "24": 731}
MONTH_NAMES = (("1", N_("1 month")), ("6", N_("6 months")), ("12", N_("1 year")), ("24", N_("2 years")))
SAID = {
    "revoked": N_("The key is revoked. It opens nothing any more."),
    "made": N_("The key was made already. It is shown once only; if it is lost, revoke it and make another."),
}


@dataclass(frozen=True)
class KeyForm:
    """What stands in the form, and what is wrong with it by field. The id is made with the empty form, so that
    sending it twice makes one key."""

    key_id: UUID = field(default_factory=new_id)
    name: str = ""
    scopes: frozenset[str] = frozenset()
    municipalities: frozenset[str] = frozenset()
    networks: frozenset[str] = frozenset()
    months: str = "12"
    errors: Mapping[str, str] = field(default_factory=dict)

    def entry(self, now: datetime) -> KeyEntry:
        """The same as the store takes it."""
        return KeyEntry(
            name=self.name,
            scopes=scopes_of(self.scopes),
            expires_at=now + timedelta(days=MONTHS.get(self.months, MONTHS["1"])),
            municipalities=frozenset(
                place.code for place in region.MUNICIPALITIES if place.code in self.municipalities
            ),
            networks=self.networks,
        )


def pages(store: PartnerStore, *, clock: Clock) -> APIRouter:
    """`/partners`."""
    router = APIRouter(prefix="/partners")

    @router.get("")
    async def listing(request: Request, _staff: Administrator, said: str = "") -> Response:
        """All keys."""
        keys = [_row(request, key, clock.now()) for key in await store.keys()]
        return pages_of(request).page(request, "partners.html", keys=keys, said=SAID.get(said, ""))

    @router.get("/new")
    async def new(request: Request, _staff: Administrator) -> Response:
        """An empty form."""
        return await _form_page(request, store, KeyForm())

    @router.post("/new")
    async def make(request: Request, staff: Administrator) -> Response:
        """Make a key and show it, once."""
        form = await _read(request)
        if form.errors:
            return await _form_page(request, store, form)
        key = await store.make_key(form.key_id, form.entry(clock.now()), by=staff.person_id)
        if key is None:
            return RedirectResponse("/partners?said=made", status_code=303)
        return pages_of(request).page(request, "partner_key.html", name=form.name, key=key)

    @router.post("/{key_id}/revoke")
    async def revoke(staff: Administrator, key_id: UUID) -> Response:
        """Revoke the key."""
        if not await store.revoke(key_id, by=staff.person_id):
            raise TroubleError(HTTPStatus.NOT_FOUND, N_("There is no such key."))
        return RedirectResponse("/partners?said=revoked", status_code=303)

    return router


async def _read(request: Request) -> KeyForm:
    async with request.form() as sent:
        form = KeyForm(
            key_id=_uuid_or_new(str(sent.get("key_id", ""))),
            name=" ".join("".join(c if c.isprintable() else " " for c in str(sent.get("name", ""))).split()),
            scopes=frozenset(map(str, sent.getlist("scopes"))),
            municipalities=frozenset(map(str, sent.getlist("municipalities"))),
            networks=frozenset(map(str, sent.getlist("networks"))),
            months=str(sent.get("months", "")),
        )
    errors = {}
    if not form.name or len(form.name) > NAME_LIMIT:
        errors["name"] = N_("Say who uses the key, for example the rescue department.")
    if not scopes_of(form.scopes):
        errors["scopes"] = N_("Choose at least one thing that the key permits.")
    return KeyForm(**{**vars(form), "errors": errors})


def _uuid_or_new(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        return new_id()


async def _form_page(request: Request, store: PartnerStore, form: KeyForm) -> Response:
    locale: Locale = request.state.locale
    _ = texts(locale)
    networks = (await store.networks()).items()
    return pages_of(request).page(
        request,
        "partner_form.html",
        form=form,
        **wrong_with(form.errors.items(), locale),
        all_scopes=[(scope.value, _(name)) for scope, name in SCOPE_NAMES.items()],
        all_months=[(value, _(name)) for value, name in MONTH_NAMES],
        all_municipalities=[(place.code, place.name(locale)) for place in region.MUNICIPALITIES],
        all_networks=[(code, names.get(locale.lang) or names.get("fi", code)) for code, names in networks],
        name_limit=NAME_LIMIT,
    )


def _row(request: Request, key: Key, now: datetime) -> dict[str, object]:
    """What the list shows of one."""
    locale: Locale = request.state.locale
    _, entry = texts(locale), key.entry
    places = [region.municipality(code).name(locale) for code in sorted(entry.municipalities)]
    used = datetime.combine(key.last_used_on, datetime.min.time(), UTC) if key.last_used_on else None
    return {
        "id": key.key_id,
        "name": entry.name,
        "prefix": key.prefix,
        "scopes": [_(SCOPE_NAMES[scope]) for scope in Scope if scope in entry.scopes],
        "limits": ", ".join([*places, *sorted(entry.networks)]),
        "expires_at": entry.expires_at,
        "last_used_on": used,
        "state": key.state(now).value,
        "state_name": _(STATE_NAMES[key.state(now)]),
    }
