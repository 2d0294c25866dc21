"""Pages of standing guidance: writing and approving at the desk, reading and printing for everybody."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from services.notify.guidance.draft_form import Fields
from services.notify.guidance.model import Draft, Refusal, Text
from services.notify.guidance.preview import Findings, forbidden, hard_in, hard_in_fields, previews
from services.notify.guidance.store import GuidanceStore
from services.notify.guidance.text_desk import (
    Approver,
    Editor,
    Reader,
    Written,
    edition_of,
    places_of,
    refused,
    seen_by,
    typed,
    wants_preview,
)
from services.notify.markdown.model import html_of
from services.notify.plain_language.model import Hardness
from services.notify.standing.draft_form import fields_of, read_advice
from services.notify.standing.model import FORMS, Advice, Form, Stage, Standing, near
from services.notify.standing.store import StandingStore
from services.notify.subscribers.model import Audience, Matching
from shared.caching import cached
from shared.i18n import N_, texts
from shared.identity import Role, Staff
from shared.realm import LIVE
from shared.web import TroubleError, pages_of

TOLD_HOURS = 72
"""How long guidance holds that tells of a standing text, unless its editor chooses otherwise."""


@dataclass(frozen=True)
class StandingDesk:
    """What these pages work with."""

    standing: StandingStore
    guidance: GuidanceStore
    public_url: str

    async def newest(self, standing_id: UUID) -> list[Standing]:
        """What waits and what the public has, the newest first; or the 404 page."""
        found = await self.standing.newest(LIVE, standing_id)
        if not found:
            raise TroubleError(HTTPStatus.NOT_FOUND, N_("There is no such guidance."))
        return found

    async def public(self, standing_id: UUID) -> Standing:
        """What the public has of it; or the 404 page."""
        found = [one for one in await self.newest(standing_id) if one.stage is Stage.PUBLISHED]
        if not found:
            raise TroubleError(HTTPStatus.NOT_FOUND, N_("There is no such guidance."))
        return found[0]


def pages(desk: StandingDesk) -> APIRouter:
    """`/guidance/standing` for the staff, `/prepare` for everybody."""
    router = APIRouter()
    for part in (_writing(desk), _approving(desk), _reading(desk)):
        router.routes.extend(part.routes)
    return router


def _writing(desk: StandingDesk) -> APIRouter:
    router = APIRouter(prefix="/guidance/standing")

    @router.get("")
    async def all_of_them(request: Request, staff: Reader) -> Response:
        """All of it, those written last first."""
        known = await desk.standing.all(LIVE)
        may = staff.may(Role.EDITOR)
        return _page(request, "standing_list.html", known=known, may_edit=may)

    @router.get("/new")
    async def new(request: Request, _staff: Editor) -> Response:
        """The empty form."""
        return _form(request, Written(Fields({}, {}, frozenset(), frozenset(), "", "", kind=Form.CHECKLIST)))

    @router.post("/new")
    async def write(request: Request, staff: Editor) -> Response:
        """Keep it, and ask for its approval."""
        written, advice = await _read(request)
        if advice is None:
            return _form(request, written)
        return _to(await desk.standing.write(advice, by=staff.person_id))

    @router.get("/{standing_id:uuid}/edit")
    async def edit(request: Request, _staff: Editor, standing_id: UUID) -> Response:
        """The form with the newest text."""
        newest = (await desk.newest(standing_id))[0]
        return _form(request, Written(fields_of(newest)), present=newest)

    @router.post("/{standing_id:uuid}/edit")
    async def rewrite(request: Request, staff: Editor, standing_id: UUID) -> Response:
        """Keep the changed text; the public keeps the old one until another person approved this."""
        newest = (await desk.newest(standing_id))[0]
        written, advice = await _read(request)
        if advice is None:
            return _form(request, written, present=newest)
        mine = written.fields.edition == newest.edition
        if not mine or not await desk.standing.follow(newest, advice, by=staff.person_id):
            newest = (await desk.newest(standing_id))[0]
            return _form(request, written.overtaken(newest.edition), present=newest)
        return _to(standing_id)

    return router


def _approving(desk: StandingDesk) -> APIRouter:
    router = APIRouter(prefix="/guidance/standing/{standing_id:uuid}")

    @router.get("")
    async def show(request: Request, staff: Reader, standing_id: UUID) -> Response:
        """What waits for approval, or what the public has."""
        return _standing(request, staff, await desk.newest(standing_id))

    @router.post("/approve")
    async def approve(request: Request, staff: Approver, standing_id: UUID) -> Response:
        """Put it on the public page, if another person wrote it."""
        newest = (await desk.newest(standing_id))[0]
        refusal = await desk.standing.approve(newest, by=staff.person_id, edition=await edition_of(request))
        if refusal:
            return _standing(request, staff, await desk.newest(standing_id), refusal=refusal)
        return _to(standing_id)

    @router.post("/withdraw")
    async def withdraw(request: Request, staff: Editor, standing_id: UUID) -> Response:
        """Ask for it to be taken from the public page."""
        newest = (await desk.newest(standing_id))[0]
        if newest.stage is Stage.PUBLISHED and newest.edition == await edition_of(request):
            await desk.standing.follow(newest, replace(newest.advice, withdraws=True), by=staff.person_id)
        return _to(standing_id)

    @router.post("/discard")
    async def discard(request: Request, staff: Editor, standing_id: UUID) -> Response:
        """Forget the text that waits, if it is the one that was read."""
        waiting, *public = await desk.newest(standing_id)
        if (
            waiting.edition == await edition_of(request)
            and await desk.standing.discard(waiting, by=staff.person_id)
            and not public
        ):
            return RedirectResponse("/guidance/standing", status_code=303)
        return _to(standing_id)

    @router.post("/tell")
    async def tell(staff: Editor, standing_id: UUID) -> Response:
        """A draft of guidance that leads to it, to be changed, approved and sent like any other."""
        draft = told(await desk.public(standing_id), public_url=desk.public_url)
        guidance_id = await desk.guidance.write(draft, by=staff.person_id)
        return RedirectResponse(f"/guidance/{guidance_id}/edit", status_code=303)

    return router


def _reading(desk: StandingDesk) -> APIRouter:
    router = APIRouter(prefix="/prepare")

    @router.get("")
    async def all_of_them(request: Request) -> Response:
        """Everything that stands, for everybody."""
        known = near(await desk.standing.current(), None)
        return _public(request, "prepare.html", known=known)

    @router.get("/{standing_id:uuid}")
    async def one(request: Request, standing_id: UUID) -> Response:
        """One of them, ready to be printed."""
        standing = await desk.public(standing_id)
        shown = standing.advice.shown(request.state.locale)
        return _public(request, "prepare_one.html", standing=standing, shown=shown, html=html_of(shown.text.text))

    return router


def told(standing: Standing, *, public_url: str) -> Draft:
    """Guidance that tells of a standing text and leads to it, in every language in which that is written."""
    written = {}
    for locale, text in standing.advice.texts.items():
        address = f"{public_url}/prepare/{standing.standing_id}?lang={locale.value.replace('@', '%40')}"
        line = texts(locale)(N_("Read and print it here: %(address)s")) % {"address": f"<{address}>"}
        written[locale] = Text(text.headline, line)
    return Draft(written, Matching(frozenset(Audience), standing.advice.areas), TOLD_HOURS)


def _hard(found: Findings) -> Findings:
    """What is hard to read in it; a checklist needs no heading that says what to do: it is that throughout."""
    kept = [(locale, [one for one in hard if one.hardness is not Hardness.NOTHING_TO_DO]) for locale, hard in found]
    return [(locale, hard) for locale, hard in kept if hard]


def _to(standing_id: UUID) -> Response:
    return RedirectResponse(f"/guidance/standing/{standing_id}", status_code=303)


async def _read(request: Request) -> tuple[Written, Advice | None]:
    """What was typed, and the text that is to be kept; None where that cannot be, or is not wanted yet."""
    fields = await typed(request)
    advice, problems = read_advice(fields)
    problems += forbidden(hard_in_fields(fields))
    kept = None if problems or await wants_preview(request) else advice
    return Written(fields, problems, advice.draft if advice else None), kept


def _form(request: Request, written: Written, *, present: Standing | None = None) -> Response:
    def hard(fields: Fields) -> Findings:
        return _hard(hard_in_fields(fields))

    values = written.values(request, hard=hard)
    return _page(request, "standing_form.html", status=written.status, present=present, **values)


def _standing(
    request: Request, staff: Staff, newest: Sequence[Standing], *, refusal: Refusal | None = None
) -> Response:
    standing = newest[0]
    return _page(
        request,
        "standing.html",
        status=refused(refusal),
        standing=standing,
        public=next((one for one in newest if one.stage is Stage.PUBLISHED), None),
        previews=previews(standing.advice.draft),
        findings=_hard(hard_in(standing.advice.draft)),
        **seen_by(staff, standing.writers, refusal=refusal),
    )


def _page(request: Request, template: str, *, status: int = 200, **values: Any) -> Response:
    return pages_of(request).page(
        request,
        template,
        status=status,
        places=places_of(request),
        forms={form.value: name for form, name in FORMS.items()},
        **values,
    )


def _public(request: Request, template: str, **values: Any) -> Response:
    return cached(request, _page(request, template, **values), vary="Accept-Language, Cookie")
