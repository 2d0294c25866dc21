"""Pages of the guidance desk: list, writing, preview, approval, progress."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from services.notify.guidance.draft_form import Fields, fields_of, read_draft
from services.notify.guidance.model import (
    PHONE_SHOWS,
    REFUSALS,
    VALID_HOURS,
    Draft,
    Refusal,
    Revision,
    Shown,
    short,
)
from services.notify.guidance.store import GuidanceStore
from services.notify.markdown.model import html_of, plain_of
from services.notify.situations.store import Situation, SituationStore
from services.notify.subscribers.model import AUDIENCE_NAMES, Problem
from services.notify.subscribers.store import SubscriberStore
from shared import region
from shared.i18n import N_, Locale
from shared.identity import Role, Staff, requires
from shared.realm import LIVE
from shared.web import TroubleError, pages_of

Reader = Annotated[Staff, Depends(requires(Role.EDITOR, Role.APPROVER, Role.LIAISON, Role.ADMINISTRATOR))]
Editor = Annotated[Staff, Depends(requires(Role.EDITOR))]
Approver = Annotated[Staff, Depends(requires(Role.APPROVER))]

CHANGED = N_("Somebody else changed this text meanwhile. If you save again, yours takes its place.")


@dataclass(frozen=True)
class Desk:
    """What the guidance desk works with."""

    guidance: GuidanceStore
    subscribers: SubscriberStore
    situations: SituationStore

    async def revision(self, guidance_id: UUID) -> Revision:
        """The revision of this guidance, or the 404 page."""
        revision = await self.guidance.get(LIVE, guidance_id)
        if revision is None:
            raise TroubleError(HTTPStatus.NOT_FOUND, N_("There is no such guidance."))
        return revision

    async def draft(self, revision: Revision) -> Revision:
        """The same while it may still be changed; what is published is not changed any more."""
        if revision.state.released:
            raise TroubleError(HTTPStatus.CONFLICT, N_("This guidance is published. It can no longer be changed."))
        return revision


@dataclass(frozen=True)
class Preview:
    """One language as its readers will see it."""

    shown: Shown
    html: str
    plain: str
    on_phone: str


def pages(desk: Desk) -> APIRouter:
    """`/guidance` and what is below it."""
    router = APIRouter()
    router.include_router(_writing(desk))
    router.include_router(_releasing(desk))
    return router


def _writing(desk: Desk) -> APIRouter:
    router = APIRouter(prefix="/guidance")

    @router.get("")
    async def newest(request: Request, staff: Reader) -> Response:
        """All guidance, the newest first."""
        listed = await desk.guidance.newest(LIVE)
        return pages_of(request).page(
            request, "guidance_list.html", revisions=listed, may_edit=staff.may(Role.EDITOR), **_names(request)
        )

    @router.get("/new")
    async def new(request: Request, _staff: Editor) -> Response:
        """The empty form."""
        return await _form(request, desk, Fields({}, {}, frozenset(), frozenset(), "24", ""))

    @router.post("/new")
    async def write(request: Request, staff: Editor) -> Response:
        """Keep a new draft."""
        fields = await _fields(request)
        draft, problems = await _read(desk, fields)
        if draft is None:
            return await _form(request, desk, fields, problems=problems)
        return _to(await desk.guidance.write(draft, by=staff.person_id))

    @router.get("/{guidance_id}/edit")
    async def edit(request: Request, _staff: Editor, guidance_id: UUID) -> Response:
        """The form with the present text."""
        revision = await desk.draft(await desk.revision(guidance_id))
        return await _form(request, desk, fields_of(revision), revision=revision)

    @router.post("/{guidance_id}/edit")
    async def rewrite(request: Request, staff: Editor, guidance_id: UUID) -> Response:
        """Keep the changed text; it must then be submitted again."""
        revision = await desk.draft(await desk.revision(guidance_id))
        fields = await _fields(request)
        draft, problems = await _read(desk, fields)
        if draft is None:
            return await _form(request, desk, fields, problems=problems, revision=revision)
        mine = fields.edition == revision.edition
        if not mine or not await desk.guidance.rewrite(revision, draft, by=staff.person_id):
            newest = await desk.draft(await desk.revision(guidance_id))
            again = replace(fields, edition=newest.edition)
            return await _form(request, desk, again, problems=[Problem("headline_fi", CHANGED)], revision=newest)
        return _to(guidance_id)

    return router


def _releasing(desk: Desk) -> APIRouter:
    router = APIRouter(prefix="/guidance")

    @router.get("/{guidance_id}")
    async def show(request: Request, staff: Reader, guidance_id: UUID) -> Response:
        """Preview and reach; once released, how far the sending is."""
        return await _guidance(request, desk, staff, await desk.revision(guidance_id))

    @router.post("/{guidance_id}/submit")
    async def submit(request: Request, staff: Editor, guidance_id: UUID) -> Response:
        """Ask for approval of the text that was read."""
        revision = await desk.revision(guidance_id)
        if await _edition(request) != revision.edition or not await desk.guidance.submit(revision):
            return await _guidance(request, desk, staff, await desk.revision(guidance_id), refusal=Refusal.CHANGED)
        return _to(guidance_id)

    @router.post("/{guidance_id}/approve")
    async def approve(request: Request, staff: Approver, guidance_id: UUID) -> Response:
        """Release it, if another person wrote it and the word is right."""
        form = await request.form()
        decided = await desk.guidance.approve(
            LIVE,
            guidance_id,
            by=staff.person_id,
            word=str(form.get("word", "")),
            edition=await _edition(request),
        )
        if isinstance(decided, Refusal):
            return await _guidance(request, desk, staff, await desk.revision(guidance_id), refusal=decided)
        return _to(guidance_id)

    return router


def _to(guidance_id: UUID) -> Response:
    return RedirectResponse(f"/guidance/{guidance_id}", status_code=303)


async def _edition(request: Request) -> int:
    text = str((await request.form()).get("edition", ""))
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


async def _fields(request: Request) -> Fields:
    form = await request.form()
    return Fields(
        headlines={locale: str(form.get(f"headline_{short(locale)}", "")) for locale in Locale},
        texts={locale: str(form.get(f"text_{short(locale)}", "")) for locale in Locale},
        audiences=frozenset(map(str, form.getlist("audience"))),
        areas=frozenset(map(str, form.getlist("municipality"))),
        valid_hours=str(form.get("valid_hours", "")),
        situation=str(form.get("situation", "")),
        edition=await _edition(request),
    )


async def _read(desk: Desk, fields: Fields) -> tuple[Draft | None, list[Problem]]:
    known = await desk.situations.open_ones()
    return read_draft(fields, situations=[situation.situation_id for situation in known])


async def _form(
    request: Request,
    desk: Desk,
    fields: Fields,
    *,
    problems: Sequence[Problem] = (),
    revision: Revision | None = None,
) -> Response:
    return pages_of(request).page(
        request,
        "guidance_form.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if problems else HTTPStatus.OK,
        fields=fields,
        problems=problems,
        wrong={problem.field: problem.message for problem in problems},
        revision=revision,
        languages_to_write=[(locale, short(locale)) for locale in Locale],
        valid_hours=VALID_HOURS,
        **_names(request, await desk.situations.open_ones()),
    )


async def _guidance(
    request: Request, desk: Desk, staff: Staff, revision: Revision, *, refusal: Refusal | None = None
) -> Response:
    statuses = {None: HTTPStatus.OK, Refusal.OWN_TEXT: HTTPStatus.FORBIDDEN}
    return pages_of(request).page(
        request,
        "guidance.html",
        status=statuses.get(refusal, HTTPStatus.UNPROCESSABLE_ENTITY),
        realm=revision.realm,
        revision=revision,
        previews=[_preview(revision.draft, locale) for locale in Locale],
        reach=await desk.subscribers.reach(revision.draft.matching),
        progress=await desk.guidance.progress(revision),
        refusal=REFUSALS[refusal] if refusal else "",
        own=staff.person_id in revision.writers,
        may_edit=staff.may(Role.EDITOR),
        may_approve=staff.may(Role.APPROVER),
        **_names(request, await desk.situations.open_ones()),
    )


def _preview(draft: Draft, locale: Locale) -> Preview:
    shown = draft.shown(locale)
    plain = plain_of(shown.text.text)
    first = f"{shown.text.headline} – {' '.join(plain.split())}"
    return Preview(shown, html_of(shown.text.text), plain, first[:PHONE_SHOWS])


def _names(request: Request, situations: Sequence[Situation] = ()) -> dict[str, Any]:
    """The names that the templates need, in the reader's language where they have one."""
    locale: Locale = request.state.locale
    return {
        "audience_names": {audience.value: name for audience, name in AUDIENCE_NAMES.items()},
        "places": [(place.code, place.name(locale)) for place in region.MUNICIPALITIES],
        "situations": {str(known.situation_id): known.name(locale) for known in situations},
    }
