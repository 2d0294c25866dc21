"""Pages: what is needed and offered in a situation, with offers proposed for each need."""

from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from services.status.aid.model import COURSE_NAMES, NEARNESS_NAMES, Course, Side, match
from services.status.aid.store import LIST_PAGE, AidKey, AidStore
from services.status.situation.store import SituationStore
from shared import region
from shared.i18n import N_, Locale, texts
from shared.identity import Role, Staff, names_within, requires
from shared.web import TroubleError, pages_of

AnyStaff = Annotated[Staff, Depends(requires())]
Liaison = Annotated[Staff, Depends(requires(Role.LIAISON))]

SHOWN = {"open": (Course.OPEN,), "agreed": (Course.AGREED,), "closed": (Course.CLOSED,)}
SIDES = {Side.NEED: N_("Needs"), Side.OFFER: N_("Offers")}
MOVED = N_("It is noted. Nobody was told by this: people agree among themselves.")


class AidPages:
    """The pages of this topic."""

    def __init__(self, store: AidStore, *, situations: SituationStore) -> None:
        self._store = store
        self._situations = situations

    def router(self) -> APIRouter:
        """All routes of this topic."""
        router = APIRouter()
        router.add_api_route("/situations/{situation_id:uuid}/aid", self.show, methods=["GET"])
        router.add_api_route("/situations/{situation_id:uuid}/aid", self.move, methods=["POST"])
        return router

    async def show(self, request: Request, situation_id: UUID, staff: AnyStaff) -> Response:
        """Needs with their proposals, or offers; the address says which."""
        situation = await self._situations.one(situation_id)
        asked = request.query_params
        side = Side(asked["side"]) if asked.get("side") in Side._value2member_map_ else Side.NEED
        course = asked.get("course", "open") if asked.get("course") in SHOWN else "open"
        capability = asked.get("capability", "")
        number = int(asked["page"]) if asked.get("page", "").isdecimal() and len(asked["page"]) < 6 else 1
        known = {one.code: one.name(request.state.locale) for one in region.CAPABILITIES}
        capability = capability if capability in known else ""
        listed, total = await self._store.listed(
            situation.realm,
            situation.id,
            side,
            courses=SHOWN[course],
            capability=capability,
            page=max(1, number),
            within=names_within(staff),
        )
        offers = []
        if side is Side.NEED and course == "open":
            wanted = {need.capability for need in listed}
            offers = await self._store.open_offers(situation.realm, situation.id, wanted, within=names_within(staff))
        chosen = {"side": side.value, "capability": capability, "course": course}
        locale: Locale = request.state.locale
        _ = texts(locale)
        return pages_of(request).page(
            request,
            "aid.html",
            realm=situation.realm,
            situation=situation,
            name=situation.names.of(locale),
            side=side,
            sides={key: _(label) for key, label in SIDES.items()},
            course=course,
            courses={key.value: _(label) for key, label in COURSE_NAMES.items()},
            capability=capability,
            capabilities=known,
            municipalities={place.code: place.name(locale) for place in region.MUNICIPALITIES},
            nearness={key: _(label) for key, label in NEARNESS_NAMES.items()},
            matched=match(listed, offers),
            total=total,
            number=max(1, number),
            pages=max(1, -(-total // LIST_PAGE)),
            query=urlencode(chosen),
            said=_(MOVED) if "said" in asked else "",
            may_move=staff.may(Role.LIAISON) and situation.closed_at is None,
        )

    async def move(self, request: Request, situation_id: UUID, staff: Liaison) -> Response:
        """Note how far a need or an offer has come; one agreed with another takes that with it."""
        situation = await self._situations.one(situation_id)
        if situation.closed_at is not None:
            raise TroubleError(HTTPStatus.CONFLICT, N_("The situation is closed. Nothing was changed."))
        async with request.form() as form:
            keys = [key for name in ("which", "with") if (key := _key(str(form.get(name, ""))))]
            course = str(form.get("course", ""))
            back = str(form.get("back", ""))
        if not keys or course not in Course._value2member_map_:
            raise TroubleError(HTTPStatus.UNPROCESSABLE_ENTITY, N_("This is none of the choices. Nothing was changed."))
        moved = await self._store.move(
            situation.realm,
            situation.id,
            keys,
            Course(course),
            by=staff.person_id,
            within=names_within(staff),
        )
        if moved != len(keys):
            raise TroubleError(
                HTTPStatus.CONFLICT,
                N_("The association has answered anew meanwhile, and this is no longer in its answer."),
                what_next=N_("Look at the list again."),
            )
        query = back if back.isascii() and back.isprintable() else ""
        return RedirectResponse(f"/situations/{situation.id}/aid?{query}&said=moved", status_code=303)


def _key(text: str) -> AidKey | None:
    """The offer or need that a form names (`association side capability`), or None."""
    parts = text.split(" ")
    if len(parts) != 3 or parts[1] not in Side._value2member_map_:
        return None
    try:
        return AidKey(UUID(parts[0]), Side(parts[1]), parts[2][:50])
    except ValueError:
        return None
