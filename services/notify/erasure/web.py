"""Erasure pages: the administrator looks somebody up, exports what is held of her, and erases her."""

import json
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import Response

from services.notify.erasure.model import Held
from services.notify.erasure.store import Erasure
from services.notify.subscribers.model import AUDIENCE_NAMES, read_email
from shared.i18n import texts
from shared.identity import Role, Staff, requires
from shared.region import MUNICIPALITIES
from shared.web import pages_of

Administrator = Annotated[Staff, Depends(requires(Role.ADMINISTRATOR, everywhere=True))]
Address = Annotated[str, Form()]
Sure = Annotated[str, Form()]


def pages(erasure: Erasure) -> APIRouter:
    """`/subscribers/person`. What the person does herself is among the pages of the subscribers."""
    router = APIRouter()
    _looking_up(router, erasure)
    _erasing(router, erasure)
    return router


def _looking_up(router: APIRouter, erasure: Erasure) -> None:
    @router.get("/subscribers/person")
    async def ask(request: Request, _staff: Administrator) -> Response:
        """Whom to look up. An address never stands in a URL, so that it is asked for here."""
        return _person_page(request)

    @router.post("/subscribers/person")
    async def look_up(request: Request, _staff: Administrator, address: Address = "") -> Response:
        """What is held of the person with this address."""
        email = read_email(address)
        if email is None:
            return _refused(request, address)
        return _person_page(request, address=email, held=await erasure.held(email))

    @router.post("/subscribers/person/export")
    async def export(request: Request, _staff: Administrator, address: Address = "") -> Response:
        """The same as a file that the person can be given."""
        email = read_email(address)
        if email is None:
            return _refused(request, address)
        held = await erasure.held(email)
        body = json.dumps(held.told(), ensure_ascii=False, indent=2, default=str)
        disposition = {"content-disposition": 'attachment; filename="tilaaja.json"'}
        return Response(body, media_type="application/json", headers=disposition)


def _erasing(router: APIRouter, erasure: Erasure) -> None:
    @router.post("/subscribers/person/erase")
    async def erase(
        request: Request, staff: Administrator, address: Address = "", sure: Annotated[str, Form()] = ""
    ) -> Response:
        """Erase her. What was done is shown at once: afterwards there is no page of hers to lead to."""
        email = read_email(address)
        if email is None:
            return _refused(request, address)
        if sure != "yes":
            _ = texts(request.state.locale)
            wrong = _("Nothing was erased. Tick that you are sure.")
            return _person_page(request, address=email, held=await erasure.held(email), wrong=wrong, at="f-sure-yes")
        erased = await erasure.erase(email, by=staff.person_id)
        return pages_of(request).page(request, "person_erased.html", erased=erased)


def _refused(request: Request, typed: str) -> Response:
    _ = texts(request.state.locale)
    wrong = _("Write an email address, for example name@example.org.")
    return _person_page(request, typed=typed[:300], wrong=wrong, at="f-address")


def _person_page(
    request: Request, *, typed: str = "", address: str = "", held: Held | None = None, wrong: str = "", at: str = ""
) -> Response:
    return pages_of(request).page(
        request,
        "person.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK,
        typed=typed or address,
        address=address,
        held=held,
        wrong=wrong,
        at=at,
        groups={name.value: text for name, text in AUDIENCE_NAMES.items()},
        places={place.code: place for place in MUNICIPALITIES},
    )
