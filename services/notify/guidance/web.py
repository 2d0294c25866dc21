"""Pages of the guidance desk: list, writing, preview, approval, progress."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from services.notify.delivery.model import Lane
from services.notify.delivery.store import Ledger
from services.notify.guidance.draft_form import Fields, fields_of, fields_of_texts, read_correction, read_draft
from services.notify.guidance.model import (
    ENDINGS,
    VALID_HOURS,
    Draft,
    Kind,
    Refusal,
    Revision,
    State,
    Text,
)
from services.notify.guidance.preview import forbidden, hard_in, hard_in_fields, previews
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
from services.notify.ready_texts.store import ready_texts
from services.notify.situations.store import Situation, SituationStore
from services.notify.subscribers.model import AUDIENCE_NAMES, Problem
from shared.i18n import N_, Locale
from shared.identity import Role, Staff
from shared.realm import LIVE, Realm
from shared.web import TroubleError, pages_of

PLANNED = N_("This text is approved and waits for its moment. It cannot be changed now.")
TAKE_BACK = N_("Take it back first. It must then be approved again.")


@dataclass(frozen=True)
class Desk:
    """What the guidance desk works with."""

    guidance: GuidanceStore
    situations: SituationStore
    ledger: Ledger

    async def revision(self, guidance_id: UUID) -> Revision:
        """The revision of this guidance, in whichever realm it is, or the 404 page."""
        revision = await self.guidance.get(await self.guidance.realm_of(guidance_id), guidance_id)
        if revision is None:
            raise TroubleError(HTTPStatus.NOT_FOUND, N_("There is no such guidance."))
        return revision

    async def unreleased(self, guidance_id: UUID) -> Revision:
        """What of this guidance waits to be released, else what the public has; or the 404 page."""
        realm = await self.guidance.realm_of(guidance_id)
        return await self.guidance.unreleased(realm, guidance_id) or await self.revision(guidance_id)

    async def to_choose(self, revision: Revision | None) -> list[Situation]:
        """To which open situations a text may belong: a new one to any, in its realm; later only within that."""
        if revision is not None:
            return await self.situations.open_ones(revision.realm)
        return [*await self.situations.open_ones(), *await self.situations.rehearsed()]

    async def correctable(self, guidance_id: UUID) -> tuple[Revision, Revision | None]:
        """What the public has and the correction of it that waits, if any; what cannot be corrected is a conflict."""
        present = await self.revision(guidance_id)
        if not present.state.correctable:
            raise TroubleError(
                HTTPStatus.CONFLICT,
                N_("Only guidance that was published and not withdrawn can be corrected."),
                what_next=N_("Change its draft, or write new guidance."),
            )
        waiting = await self.guidance.unreleased(present.realm, guidance_id)
        if waiting:
            await self.draft(waiting)
        return present, waiting

    async def draft(self, revision: Revision) -> Revision:
        """The same while it may still be changed; what is published or about to be is not changed any more."""
        if revision.state is State.APPROVED:
            raise TroubleError(HTTPStatus.CONFLICT, PLANNED, what_next=TAKE_BACK)
        if revision.state.released:
            raise TroubleError(HTTPStatus.CONFLICT, N_("This guidance is published. It can only be corrected."))
        return revision


def pages(desk: Desk) -> APIRouter:
    """`/guidance` and what is below it."""
    router = APIRouter()
    router.routes.extend(_writing(desk).routes)
    router.routes.extend(_correcting(desk).routes)
    router.routes.extend(_releasing(desk).routes)
    return router


def _writing(desk: Desk) -> APIRouter:
    router = APIRouter(prefix="/guidance")

    @router.get("")
    async def newest(request: Request, staff: Reader) -> Response:
        """All guidance, the newest first."""
        listed = await desk.guidance.newest(LIVE)
        return pages_of(request).page(
            request,
            "guidance_list.html",
            revisions=listed,
            corrections=await desk.guidance.corrections(LIVE),
            endings=ENDINGS,
            may_edit=staff.may(Role.EDITOR),
            sees_bounces=staff.may(Role.ADMINISTRATOR),
            rehearsed=bool(await desk.situations.rehearsed() or await desk.guidance.rehearsed()),
            **await _sending(desk, staff),
            **_names(request),
        )

    @router.get("/new")
    async def new(request: Request, _staff: Editor, ready: str = "", situation: str = "") -> Response:
        """The form, empty or with a ready text."""
        return await _form(request, desk, Written(replace(_begun(ready), situation=situation)))

    @router.post("/new")
    async def write(request: Request, staff: Editor) -> Response:
        """Keep a new draft."""
        fields = await typed(request)
        draft, problems = await _read(desk, fields, None)
        if draft is None or await wants_preview(request):
            return await _form(request, desk, Written(fields, problems, draft))
        realm = _realm_of(fields, await desk.to_choose(None))
        return _to(await desk.guidance.write(draft, by=staff.person_id, realm=realm))

    @router.get("/{guidance_id}/edit")
    async def edit(request: Request, _staff: Editor, guidance_id: UUID) -> Response:
        """The form with the present text."""
        revision = await desk.draft(await desk.revision(guidance_id))
        return await _form(request, desk, Written(fields_of(revision)), revision=revision)

    @router.post("/{guidance_id}/edit")
    async def rewrite(request: Request, staff: Editor, guidance_id: UUID) -> Response:
        """Keep the changed text; it must then be submitted again."""
        revision = await desk.draft(await desk.revision(guidance_id))
        fields = await typed(request)
        draft, problems = await _read(desk, fields, revision)
        if draft is None or await wants_preview(request):
            return await _form(request, desk, Written(fields, problems, draft), revision=revision)
        mine = fields.edition == revision.edition
        if not mine or not await desk.guidance.rewrite(revision, draft, by=staff.person_id):
            newest = await desk.draft(await desk.revision(guidance_id))
            return await _form(request, desk, Written(fields).overtaken(newest.edition), revision=newest)
        return _to(guidance_id)

    return router


def _correcting(desk: Desk) -> APIRouter:
    router = APIRouter(prefix="/guidance")

    @router.get("/{guidance_id}/correct")
    async def correct(request: Request, _staff: Editor, guidance_id: UUID) -> Response:
        """The form with what the public has, or with the correction that waits."""
        present, waiting = await desk.correctable(guidance_id)
        fields = fields_of(waiting) if waiting else replace(fields_of(present), kind=Kind.UPDATE, notes={})
        return _correction_form(request, present, Written(fields), waiting=waiting)

    @router.post("/{guidance_id}/correct")
    async def ask(request: Request, staff: Editor, guidance_id: UUID) -> Response:
        """Keep the correction and ask for its approval, in one."""
        present, waiting = await desk.correctable(guidance_id)
        fields = await typed(request)
        read, problems = read_correction(fields, of=present)
        if fields.kind == Kind.UPDATE:
            problems += forbidden(hard_in_fields(fields))
        if read is None or problems or await wants_preview(request):
            written = Written(fields, problems, read[1], read[0]) if read else Written(fields, problems)
            return _correction_form(request, present, written, waiting=waiting)
        kind, draft = read
        if not await desk.guidance.correct(present, kind, draft, by=staff.person_id, edition=fields.edition):
            present, waiting = await desk.correctable(guidance_id)
            again = Written(fields).overtaken((waiting or present).edition, at="note_fi")
            return _correction_form(request, present, again, waiting=waiting)
        return RedirectResponse(f"/guidance/{guidance_id}/correction", status_code=303)

    @router.get("/{guidance_id}/correction")
    async def correction(request: Request, staff: Reader, guidance_id: UUID) -> Response:
        """The correction that waits for approval; where none waits, the guidance itself."""
        revision = await desk.unreleased(guidance_id)
        if revision.state.released:
            return _to(guidance_id)
        return await _guidance(request, desk, staff, revision)

    @router.post("/{guidance_id}/correction/discard")
    async def discard(request: Request, staff: Editor, guidance_id: UUID) -> Response:
        """Forget the correction that was read."""
        revision = await desk.unreleased(guidance_id)
        if await edition_of(request) == revision.edition:
            await desk.guidance.discard(revision, by=staff.person_id)
        return _to(guidance_id)

    return router


def _releasing(desk: Desk) -> APIRouter:
    router = APIRouter(prefix="/guidance")

    @router.get("/{guidance_id}")
    async def show(request: Request, staff: Reader, guidance_id: UUID) -> Response:
        """Preview and reach; once released, how far the sending is, and what came before it."""
        return await _guidance(request, desk, staff, await desk.revision(guidance_id))

    @router.post("/{guidance_id}/submit")
    async def submit(request: Request, staff: Editor, guidance_id: UUID) -> Response:
        """Ask for approval of the text that was read."""
        revision = await desk.revision(guidance_id)
        mine = await edition_of(request) == revision.edition
        if not mine or not await desk.guidance.submit(revision, by=staff.person_id):
            return await _guidance(request, desk, staff, await desk.revision(guidance_id), refusal=Refusal.CHANGED)
        return _to(guidance_id)

    @router.post("/{guidance_id}/approve")
    async def approve(request: Request, staff: Approver, guidance_id: UUID) -> Response:
        """Release it, if another person wrote it and the word is right; or alone, with a reason and its own words."""
        form = await request.form()
        decided = await desk.guidance.approve(
            await desk.guidance.realm_of(guidance_id),
            guidance_id,
            by=staff.person_id,
            word=str(form.get("word", "")),
            edition=await edition_of(request),
            alone_because=str(form.get("alone_because", ""))[:500],
        )
        if isinstance(decided, Refusal):
            unreleased = await desk.unreleased(guidance_id)
            reason = str(form.get("alone_because", ""))
            return await _guidance(request, desk, staff, unreleased, refusal=decided, alone=reason)
        return _to(guidance_id)

    return router


def _to(guidance_id: UUID) -> Response:
    return RedirectResponse(f"/guidance/{guidance_id}", status_code=303)


def _begun(ready: str) -> Fields:
    """A new form: empty, or with the ready text of this name."""
    known = ready_texts().get(ready)
    if known is None:
        return Fields({}, {}, frozenset(), frozenset(), "24", "")
    texts = {locale: Text(words.headline, words.text) for locale, words in known.texts.items()}
    fields = fields_of_texts(texts, areas=frozenset(), kind=Kind.ALERT, edition=0)
    return replace(fields, valid_hours=str(known.valid_hours))


async def _read(desk: Desk, fields: Fields, revision: Revision | None) -> tuple[Draft | None, list[Problem]]:
    known = await desk.to_choose(revision)
    draft, problems = read_draft(fields, situations=[situation.situation_id for situation in known])
    if revision and not revision.realm.live and not fields.situation:
        problems.append(Problem("situation", N_("Choose the situation of the exercise.")))
    problems += forbidden(hard_in_fields(fields))
    return (None if problems else draft), problems


def _realm_of(fields: Fields, situations: Sequence[Situation]) -> Realm:
    """The realm of the situation that was chosen: a text without one is of the real world."""
    return next((known.realm for known in situations if str(known.situation_id) == fields.situation), LIVE)


async def _form(request: Request, desk: Desk, written: Written, *, revision: Revision | None = None) -> Response:
    draft = written.draft
    known = await desk.to_choose(revision)
    realm = revision.realm if revision else _realm_of(written.fields, known)
    return pages_of(request).page(
        request,
        "guidance_form.html",
        status=written.status,
        realm=realm,
        revision=revision,
        reach=await desk.guidance.reach_of(realm, draft) if draft else None,
        ready=[(known.name, known.title(request.state.locale)) for known in ready_texts().values()],
        valid_hours=VALID_HOURS,
        **written.values(request, live=realm.live),
        **_names(request, known),
    )


def _correction_form(request: Request, present: Revision, written: Written, *, waiting: Revision | None) -> Response:
    return pages_of(request).page(
        request,
        "correction_form.html",
        status=written.status,
        realm=present.realm,
        revision=present,
        waiting=waiting,
        valid_hours=VALID_HOURS,
        **written.values(request, live=present.realm.live),
        **_names(request),
    )


async def _guidance(
    request: Request,
    desk: Desk,
    staff: Staff,
    revision: Revision,
    *,
    refusal: Refusal | None = None,
    alone: str = "",
) -> Response:
    waiting = await desk.guidance.unreleased(revision.realm, revision.guidance_id)
    return pages_of(request).page(
        request,
        "guidance.html",
        status=refused(refusal),
        realm=revision.realm,
        revision=revision,
        previews=previews(revision.draft, revision.kind, live=revision.realm.live),
        findings=hard_in(revision.draft),
        waiting=waiting if waiting and revision.state.released else None,
        history=await desk.guidance.history(revision.realm, revision.guidance_id),
        reach=await desk.guidance.reach(revision),
        alone=alone,
        endings=ENDINGS,
        progress=await desk.guidance.progress(revision),
        **seen_by(staff, revision.writers, refusal=refusal),
        **await _sending(desk, staff),
        **_names(request, await desk.situations.open_ones(revision.realm)),
    )


async def _sending(desk: Desk, staff: Staff) -> dict[str, Any]:
    paused = await desk.ledger.paused(Lane.BULK) is not None
    return {"paused": paused, "may_resume": staff.may(Role.LIAISON, Role.ADMINISTRATOR)}


def _names(request: Request, situations: Sequence[Situation] = ()) -> dict[str, Any]:
    """The names that the templates need, in the reader's language where they have one."""
    locale: Locale = request.state.locale
    return {
        "audience_names": {audience.value: name for audience, name in AUDIENCE_NAMES.items()},
        "places": places_of(request),
        "situations": {str(known.situation_id): known.marked(locale) for known in situations},
        "exercised": any(not known.realm.live for known in situations),
    }
